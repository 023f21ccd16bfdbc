/** Flattened pictures: the order in which a dense layer reads them is that of its weights. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import { dimensions, elementCount, type Tensor, typedCopy } from "../../tensor.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";

/**
 * TRANSPOSE, then RESHAPE into rows, then a dense layer, as networks of ONNX flatten `[N,H,W,C]` by channels: the dense layer's weights take the
 * order of what is transposed, which then goes. The network computes the same.
 */
export function foldFlatten(graph: Graph): Graph {
  const readers = countReaders(graph);
  const makers = new Map(graph.nodes.map((node) => [node.outputs[0] as TensorId, node] as const));
  const tensors: Tensor[] = [...graph.tensors];
  const from = new Map<TensorId, TensorId>();
  const weights = new Map<AnyNode, TensorId>();
  for (const node of graph.nodes) {
    const [rows = NONE, w = NONE] = node.inputs;
    if (node.kind !== "fullyConnected" || !isFloatConstant(tensors[w])) continue;
    const reshape = makers.get(rows);
    const flat = reshape?.inputs[0] ?? NONE;
    const transpose = makers.get(flat);
    if (reshape?.kind !== "reshape" || transpose?.kind !== "transpose") continue;
    if (readers[rows] !== 1 || readers[flat] !== 1) continue;
    const [x = NONE, axes = NONE] = transpose.inputs;
    const { data, dtype } = tensorOf(graph, axes);
    const { shape } = tensorOf(graph, x);
    const [outputs, inputs] = dimensions(tensorOf(graph, w).shape, 2);
    const order = data === undefined ? [] : Array.from(typedCopy(dtype, data), Number);
    if (order[0] !== 0 || order.length !== shape.length || elementCount(shape.slice(1)) !== inputs) continue;
    if (order.some((axis) => axis < 0)) continue;
    const places = placesOf(
      shape.slice(1),
      order.slice(1).map((axis) => axis - 1),
    );
    const old = floatsOf(tensorOf(graph, w));
    const own = new Float32Array(old.length);
    for (let o = 0; o < outputs; o++)
      for (const [i, place] of places.entries()) own[o * inputs + place] = old[o * inputs + i] as number;
    weights.set(node, (tensors.push({ ...tensorOf(graph, w), data: new Uint8Array(own.buffer) }) - 1) as TensorId);
    from.set(flat, x);
  }
  if (weights.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node): readonly AnyNode[] => {
    if (from.has(node.outputs[0] as TensorId)) return [];
    const [x = NONE, , ...rest] = node.inputs;
    const w = weights.get(node);
    if (w !== undefined) return [{ ...node, inputs: [x, w, ...rest] } as AnyNode];
    const source = node.kind === "reshape" ? from.get(x) : undefined;
    return [source === undefined ? node : ({ ...node, inputs: [source, ...node.inputs.slice(1)] } as AnyNode)];
  });
  return { ...graph, tensors, nodes };
}

/** Of each element of the transposed array, in its order, the place in the array of `sizes` that it comes from. */
function placesOf(sizes: readonly number[], order: readonly number[]): readonly number[] {
  const strides = sizes.map((_, axis) => elementCount(sizes.slice(axis + 1)));
  return order.reduce<readonly number[]>(
    (starts, axis) =>
      starts.flatMap((start) => Array.from({ length: sizes[axis] ?? 1 }, (_, i) => start + i * (strides[axis] ?? 1))),
    [0],
  );
}
