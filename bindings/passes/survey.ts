/** Which nodes of a graph cannot run, all of them, where inference would end at the first. */
import { Pint8Error } from "../errors.ts";
import { type AnyNode, bodiesOf, type Graph } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { checkShape, type Tensor } from "../tensor.ts";
import { foldingBudget, foldNode } from "./fold.ts";

/** Operators that run graphs of their own, which a survey does not look into. */
const RUNS_GRAPHS: readonly string[] = ["if", "while", "call", "callOnce"];

/**
 * Why nodes are refused, by their `where`. After a node that is refused the file's own types are taken for its outputs.
 * `prepare` is what passes do before they infer.
 */
export function survey(
  graph: Graph,
  prepare: (graph: Graph) => Graph,
  operators: Operators,
): ReadonlyMap<string, Pint8Error> {
  const refusals = new Map<string, Pint8Error>();
  const note = (where: string, run: () => void) => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Pint8Error)) throw error;
      if (!refusals.has(where)) refusals.set(where, error);
    }
  };
  let prepared = graph;
  note("", () => {
    prepared = prepare(graph);
  });
  const tensors: Tensor[] = [...prepared.tensors];
  const budget = foldingBudget(tensors);
  for (const node of prepared.nodes) {
    if (RUNS_GRAPHS.includes(node.kind) || bodiesOf(node).length > 0) continue;
    note(node.where, () => inferNode(node, tensors, operators, budget));
  }
  return refusals;
}

function inferNode(
  node: AnyNode,
  tensors: Tensor[],
  operators: Operators,
  budget: ReturnType<typeof foldingBudget>,
): void {
  const { operator, view } = bind(operators, node, tensors);
  const types = operator.infer(view);
  for (const [i, id] of node.outputs.entries()) {
    const type = types[i];
    if (type === undefined) continue;
    checkShape(type.shape, type.dtype, `${node.where}, output ${i}`);
    tensors[id] = { ...(tensors[id] as Tensor), dtype: type.dtype, shape: type.shape };
  }
  foldNode(node, operators, tensors, budget);
}
