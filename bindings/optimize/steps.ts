/** Recurrent layers that stand in a network step by step, as they are read from .onnx files. */
import { foundIn } from "../formats/steps/found.ts";
import type { AnyNode, Graph } from "../graph.ts";
import { writersOf } from "../passes/view.ts";

/**
 * The nodes of such layers by index, from the product of all inputs on to where the states of all steps stand together. Quantized, they are floats, as loops and
 * recurrent operators are: what goes from step to step by eight bits adds its errors up. Weights may be integers all the same, as dynamic range has
 * them. Biases, which all steps have, stay as they are.
 */
export function stepNodes(graph: Graph): ReadonlySet<number> {
  const found = new Set<number>();
  const writers = writersOf(graph);
  for (const { runs, stacks } of foundIn(graph)) {
    const products = new Set(runs.flatMap(({ product }) => product.outputs));
    // The states that a layer begins with are the network's.
    const seen = new Set(runs.flatMap(({ steps: [first] }) => [first?.h, first?.c]));
    const queue = [...stacks, ...runs.flatMap(({ steps }) => steps.flatMap(({ y, next }) => [y, next ?? y]))];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const index = writers.get(id);
      if (index === undefined || seen.has(id)) continue;
      seen.add(id);
      found.add(index);
      if (!products.has(id)) queue.push(...(graph.nodes[index] as AnyNode).inputs);
    }
  }
  return found;
}
