/** Shapes that operators find, in place of those that a graph tells: before passes these are a file's claims, or of other inputs than the graph has now. */
import type { Graph } from "../../../graph.ts";
import { bind } from "../../../ops/bind.ts";
import { operators } from "../../../ops/index.ts";
import type { Tensor } from "../../../tensor.ts";

/** The graph with these shapes; what depends on computed sizes, and what an operator refuses, stays as it is told. */
export function typed(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  for (const node of graph.nodes) {
    try {
      const { operator, view } = bind(operators, node, tensors);
      for (const [i, { dtype, shape, open }] of operator.infer(view).entries()) {
        const id = node.outputs[i] ?? -1;
        const told = tensors[id];
        if (open === undefined && told?.dtype === dtype) tensors[id] = { ...told, shape };
      }
    } catch {
      // what is told stays
    }
  }
  return { ...graph, tensors };
}
