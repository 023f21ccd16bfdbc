import { type Graph, NONE, type TensorId, tensorOf } from "../graph.ts";
import { sameScales } from "../tensor.ts";

/** How often each tensor is read, the graph's outputs counted as readers. */
export function countReaders(graph: Graph): Uint32Array {
  const readers = new Uint32Array(graph.tensors.length);
  const count = (id: TensorId) => {
    if (id !== NONE) readers[id] = (readers[id] as number) + 1;
  };
  for (const node of graph.nodes) for (const id of node.inputs) count(id);
  for (const { tensor } of graph.outputs) count(tensor);
  return readers;
}

/** The number of the node that computes each tensor which one does. */
export function writersOf(graph: Graph): Map<TensorId, number> {
  return new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((id) => [id, i] as const)));
}

/** Scale and zero point of two tensors are the same, or both have none. */
export function sameQuantization(graph: Graph, a: TensorId, b: TensorId): boolean {
  const [p, q] = [tensorOf(graph, a), tensorOf(graph, b)];
  return p.dtype === q.dtype && sameScales(p.quantization, q.quantization);
}
