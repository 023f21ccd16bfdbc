/**
 * DequantizeLinear → operator → QuantizeLinear as one operator on integers, by onnxruntime's rule of rounding. Dequantizing
 * moves down through what only moves data, quantizing up, and both vanish where they meet. What has no integer form stays as
 * the file says.
 */
import type { AnyNode, TensorId } from "../../../graph.ts";
import { NONE } from "../../../graph.ts";
import type { Tensor } from "../../../tensor.ts";
import { moveDequantize } from "./moves.ts";
import { emit, type Integers, isByte, type Network, sameTarget, targetOf, tensorAt } from "./network.ts";
import { quantizedOf } from "./quantize.ts";

/** The nodes with what could be fused fused; `tensors` grows. `ends` are the graph's outputs. */
export function fuseIntegers(
  tensors: Tensor[],
  nodes: readonly AnyNode[],
  ends: readonly TensorId[],
  origins: ReadonlyMap<TensorId, TensorId>,
  slopedOf: Integers | undefined,
): readonly AnyNode[] {
  if (!nodes.some(({ kind }) => kind === "quantize" || kind === "dequantize")) return nodes;
  const readers = new Uint32Array(tensors.length);
  for (const id of [...nodes.flatMap(({ inputs }) => inputs), ...ends])
    if (id !== NONE) readers[id] = (readers[id] as number) + 1;
  const net: Network = {
    tensors,
    nodes: [],
    meaning: new Map(),
    raw: new Map(),
    origins,
    readers,
    producers: new Map(),
    slopedOf,
  };
  const fixed = new Set(ends);
  const same = new Map<TensorId, TensorId>();
  for (const file of nodes) {
    const node = { ...file, inputs: file.inputs.map((id) => same.get(id) ?? id) } as AnyNode;
    const [x, y] = [node.inputs[0] as TensorId, node.outputs[0] as TensorId];
    const integers = node.kind === "quantize" || node.kind === "cast" ? integersOf(net, node, x, y) : undefined;
    // an output of the graph keeps its own tensor
    if (integers !== undefined && fixed.has(y))
      emit(net, {
        kind: "reshape",
        where: node.where,
        inputs: [integers, shapeOf(net, y)],
        outputs: [y],
        attributes: {},
      });
    else if (integers !== undefined) same.set(y, integers);
    else if (!moveDequantize(net, node)) emit(net, node);
    if (node.kind === "dequantize" && targetOf(net, x)) net.meaning.set(y, x);
    if (node.kind === "cast" && isPlainCopy(net, x, y) && targetOf(net, x)) net.raw.set(y, x);
  }
  return net.nodes;
}

/** An integer tensor with what the node computes, made of the integers behind its input. */
function integersOf(net: Network, node: AnyNode, x: TensorId, y: TensorId): TensorId | undefined {
  const target = targetOf(net, y);
  if (target === undefined) return undefined;
  if (node.kind === "quantize")
    return isByte(target.dtype) && tensorAt(net, x).dtype === "float32" && node.attributes.rounding
      ? quantizedOf(net, x, target, node.attributes.rounding, node.where)
      : undefined;
  const raw = net.raw.get(x);
  const own = raw === undefined ? undefined : targetOf(net, raw);
  return own && sameTarget(own, target) ? raw : undefined;
}

/** A cast that only takes the quantization off. */
function isPlainCopy(net: Network, x: TensorId, y: TensorId): boolean {
  const [from, to] = [tensorAt(net, x), tensorAt(net, y)];
  return from.dtype === to.dtype && to.quantization === undefined;
}

function shapeOf(net: Network, id: TensorId): TensorId {
  const { shape } = tensorAt(net, id);
  const data = new Uint8Array(Int32Array.from(shape).buffer);
  net.tensors.push({ name: "", dtype: "int32", shape: [shape.length], data });
  return (net.tensors.length - 1) as TensorId;
}
