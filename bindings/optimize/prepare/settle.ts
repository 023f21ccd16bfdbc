/** What a network computes of constants alone, as layers over learned queries: constants themselves, computed once by the engine. */
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { touchesState } from "../../passes/bodies.ts";
import { dropDead, foldingBudget } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { countReaders } from "../../passes/view.ts";
import { byteLength, type Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";
import { isProduct } from "../layers.ts";
import { openRunner } from "../run.ts";
import { stepNodes } from "../steps.ts";

/**
 * The graph with its types, and with the results of what has no other inputs than constants in place of that. Outputs of the network
 * are left to what computes them, and so is all where the results are many times as large as what they are computed of.
 *
 * Errors: those of `runPasses` and of planning what is computed.
 */
export async function settleConstants(graph: Graph): Promise<Graph> {
  const typed = runPasses(graph);
  const nodes = settledNodes(typed);
  const read = new Set(typed.nodes.flatMap((node) => (nodes.includes(node) ? [] : node.inputs)));
  const done = nodes.filter(({ outputs }) => outputs.some((id) => read.has(id)));
  const ids = done.flatMap(({ outputs }) => outputs.filter((id) => id !== NONE));
  const bytes = ids.reduce((sum, id) => sum + byteLength(tensorOf(typed, id)), 0);
  if (ids.length === 0 || bytes > foldingBudget(typed.tensors).left) return typed;
  const runner = await openRunner({ ...typed, inputs: [], outputs: [], nodes }, { taps: ids });
  try {
    const tensors: Tensor[] = [...typed.tensors];
    for (const [i, values] of runner.run([]).entries()) {
      const id = ids[i] as TensorId;
      tensors[id] = { ...tensorOf(typed, id), data: bytesOf(values).slice() };
    }
    return dropDead({ ...typed, tensors, nodes: typed.nodes.filter((node) => !done.includes(node)) });
  } finally {
    runner.close();
  }
}

/** Nodes whose inputs are constants or come from such nodes, but for those that write outputs and steps of recurrent layers, in the order in which they run. */
function settledNodes(graph: Graph): readonly AnyNode[] {
  const known = new Set(
    graph.tensors.flatMap(({ data, variable }, id) => (data !== undefined && !variable ? [id as TensorId] : [])),
  );
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor));
  // The first step of a recurrent layer, whose state is a constant, is known by being like the others, as all layers are that share weights.
  const steps = stepNodes(graph);
  const readers = countReaders(graph);
  const shares = (node: AnyNode) => isProduct(node) && (readers[node.inputs[1] as TensorId] ?? 0) > 1;
  return graph.nodes.filter((node, i) => {
    if (steps.has(i) || shares(node)) return false;
    const inputs = node.inputs.filter((id) => id !== NONE);
    const pure = bodiesOf(node).length === 0 && node.kind !== "custom" && !touchesState(graph, node);
    const plain = pure && !node.outputs.some((id) => outputs.has(id));
    const settled = plain && inputs.length > 0 && inputs.every((id) => known.has(id));
    if (settled) for (const id of node.outputs) known.add(id);
    return settled;
  });
}
