/** Small networks of real operators for tests of plans and sessions. */
import type { Graph } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session, type SessionOptions } from "../../bindings/session/session.ts";
import { graph, node, tensor } from "../passes/graphs.ts";

/** Inputs `a` and `b`, `[1,size]`; outputs `flat` = relu(a) as `[size]`, and `sum` = relu(a) + b; all of scale 0.5 and zero point −3. */
export function network(size = 12): Graph {
  const shape = [1, size];
  return graph(
    [tensor("a", shape), tensor("b", shape), tensor("r", shape), tensor("flat", [size]), tensor("sum", shape)],
    [
      node("relu", [0], [2], {}),
      node("reshape", [2], [3], { shape: [size] }),
      node("add", [2, 1], [4], { activation: "none" }),
    ],
    [0, 1],
    [3, 4],
  );
}

export async function planOf(network: Graph): Promise<Plan> {
  const { name, hash } = await loadModule("auto");
  return planGraph(runPasses(network), { module: name, moduleHash: hash });
}

export async function sessionOf(network: Graph, options?: SessionOptions): Promise<Session> {
  const kernels = await loadModule("auto");
  const plan = planGraph(runPasses(network), { module: kernels.name, moduleHash: kernels.hash });
  return Session.open(plan, kernels, options);
}
