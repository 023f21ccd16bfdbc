/** Heads of attention beside each other, and parts of them. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT as float } from "../types.ts";
import { reshapedTo, sized } from "./move.ts";

/** `[B,S,H·d]` as `[B,H,S,d]`. */
export function heads(n: OnnxNode, x: TensorId, count: number): TensorId {
  const [batch, length, width] = sized(n, n.b.tensor(x).shape, 3);
  const shape = [batch, length, count, width / count];
  return permuted(n.b, n.where, reshapedTo(n, x, shape), shape, [0, 2, 1, 3]);
}

/** `[B,H,S,d]` as `[B,S,H·d]`. */
export function joined(n: OnnxNode, x: TensorId): TensorId {
  const { shape } = n.b.tensor(x);
  const [batch, count, length, width] = sized(n, shape, 4);
  return reshapedTo(n, permuted(n.b, n.where, x, shape, [0, 2, 1, 3]), [batch, length, count * width]);
}

/** A part of the last dimension. */
export function columns(n: OnnxNode, x: TensorId, from: number, size: number): TensorId {
  return stretch(n, x, n.b.tensor(x).shape.length - 1, from, size);
}

/** `size` entries of an axis. */
export function stretch(n: OnnxNode, x: TensorId, axis: number, from: number, size: number): TensorId {
  const { shape, dtype } = n.b.tensor(x);
  const begins = n.b.integers(shape.map((_, d) => (d === axis ? from : 0)));
  const sizes = n.b.integers(shape.map((all, d) => (d === axis ? size : all)));
  return n.add("slice", [x, begins, sizes], {}, [{ dtype }])[0] as TensorId;
}

/** Zeros of a shape. */
export const zeros = (n: OnnxNode, ...shape: readonly number[]): TensorId =>
  n.b.constant("float32", shape, new Float32Array(elementCount(shape)));

/** Tensors one after the other along an axis. */
export function joint(n: OnnxNode, parts: readonly TensorId[], axis: number): TensorId {
  return n.add("concat", parts, { axis, activation: "none" }, float)[0] as TensorId;
}
