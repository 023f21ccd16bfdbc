/** What moves data and keeps it: transposes, shapes, concatenations, slices, paddings. */
import type { TensorId } from "../../../graph.ts";
import { BITS, elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, permuted, reorder, toLast, toPlain, type Value } from "../layout.ts";

/** An axis from −rank on, as one from 0. */
export function axisOf(n: OnnxNode, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) n.refuse(`an axis of ${rank} dimensions`, `${axis}`);
  return positive;
}

/** The tensor's type with its quantization. */
export function typeOf(n: OnnxNode, id: TensorId) {
  const { dtype, quantization } = n.b.tensor(id);
  return { dtype, ...(quantization ? { quantization } : {}) };
}

/** Axes from an input (newer opsets) or an attribute. */
export function axesOf(n: OnnxNode, i: number): readonly number[] | undefined {
  return n.numbers(i) ?? n.ints("axes");
}

function transpose(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const order = n.ints("perm") ?? x.shape.map((_, i) => rank - 1 - i);
  if (new Set(order).size !== rank || order.some((axis) => axis < 0 || axis >= rank))
    n.refuse(`each of ${rank} axes once`, `[${order.join(",")}]`);
  const shape = reorder(x.shape, order);
  // a transpose of what stands with channels last need not go by ONNX's order
  if (x.twins.plain === undefined && x.twins.last !== undefined) {
    const fromLast = order.map((axis) => lastAxis(axis, rank));
    const isIdentity = fromLast.every((axis, i) => axis === i);
    const id = x.twins.last;
    if (isIdentity) return n.setPlain(0, id);
    const lastShape = reorder(x.shape, toLast(rank));
    return n.setPlain(0, permuted(n.b, n.where, id, lastShape, fromLast));
  }
  const id = n.plain(x);
  // the result is channels first of what stands channels last: keep that as the twin that it is
  if (rank >= 3 && order.every((axis, i) => axis === toPlain(rank)[i])) return n.set(0, { shape, twins: { last: id } });
  n.setPlain(0, permuted(n.b, n.where, id, x.shape, order));
}

/** The value's tensor in another shape, in ONNX's order. */
function reshapeTo(n: OnnxNode, x: Value, shape: readonly number[]): void {
  const id = n.plain(x);
  const [y] = n.b.add("reshape", n.where, [id, n.b.integers(shape)], {}, [typeOf(n, id)], n.outputs[0]);
  n.setPlain(0, y as TensorId);
}

function reshape(n: OnnxNode): void {
  const x = n.input(0);
  const wanted = n.numbers(1) ?? n.ints("shape") ?? n.refuse("a shape", "none");
  const keepsZero = n.int("allowzero", 0) !== 0;
  const shape = wanted.map((size, i) => (size === 0 && !keepsZero ? (x.shape[i] ?? 0) : size));
  reshapeTo(n, x, shape);
}

function flatten(n: OnnxNode): void {
  const x = n.input(0);
  const given = n.int("axis", 1);
  const axis = given < 0 ? given + x.shape.length : given;
  reshapeTo(n, x, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))]);
}

function squeeze(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axes = axesOf(n, 1)?.map((axis) => axisOf(n, axis, rank));
  const gone = (size: number, i: number) => (axes === undefined ? size === 1 : axes.includes(i));
  if (x.shape.some((size, i) => gone(size, i) && size !== 1))
    n.refuse("dimensions of size 1", `[${x.shape.join(",")}]`);
  reshapeTo(
    n,
    x,
    x.shape.filter((size, i) => !gone(size, i)),
  );
}

function unsqueeze(n: OnnxNode): void {
  const x = n.input(0);
  const given = axesOf(n, 1) ?? n.refuse("axes", "none");
  const rank = x.shape.length + given.length;
  const axes = new Set(given.map((axis) => axisOf(n, axis, rank)));
  if (axes.size !== given.length) n.refuse("each axis once", `[${given.join(",")}]`);
  const sizes = [...x.shape];
  reshapeTo(
    n,
    x,
    Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (sizes.shift() as number))),
  );
}

function concat(n: OnnxNode): void {
  const values = n.inputs.map((_, i) => n.input(i));
  const rank = values[0]?.shape.length ?? 0;
  const axis = axisOf(n, n.int("axis", n.opset < 4 ? 1 : 0), rank);
  const { ids, isLast } = operands(n, values);
  const attributes = { axis: isLast ? lastAxis(axis, rank) : axis, activation: "none" as const };
  const [y] = n.b.add("concat", n.where, ids, attributes, [typeOf(n, ids[0] as TensorId)], n.outputs[0]);
  setIn(n, isLast, y as TensorId);
}

function pad(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const mode = n.string("mode", "constant");
  const list = n.numbers(1) ?? n.ints("pads") ?? n.refuse("paddings", "none");
  const axes = n.numbers(3)?.map((axis) => axisOf(n, axis, rank)) ?? x.shape.map((_, i) => i);
  if (list.length !== 2 * axes.length) n.refuse(`${axes.length} pairs of paddings`, `${list.length} numbers`);
  const pairs = x.shape.map(() => [0, 0] as [number, number]);
  for (const [i, axis] of axes.entries()) pairs[axis] = [list[i] as number, list[i + axes.length] as number];
  const { ids, isLast } = operands(n, [x]);
  const [id = -1 as TensorId] = ids;
  const ordered = isLast ? reorder(pairs, toLast(rank)) : pairs;
  const type = typeOf(n, id);
  const cropped = crop(n, id, ordered);
  const added = n.b.integers(
    ordered.flat().map((size) => Math.max(0, size)),
    [rank, 2],
  );
  if (mode !== "constant") n.refuse("mode constant", mode);
  const value = n.numbers(2)?.[0] ?? n.float("value", 0);
  const fill = new DataView(new ArrayBuffer(BITS[type.dtype] / 8));
  if (type.dtype === "float32") fill.setFloat32(0, value, true);
  else if (fill.byteLength === 8) fill.setBigInt64(0, BigInt(value), true);
  else for (let i = 0; i < fill.byteLength; i++) fill.setUint8(i, (value >> (8 * i)) & 255);
  const constant = n.b.constant(type.dtype, [], new Uint8Array(fill.buffer), type.quantization);
  const [y] = n.b.add("pad", n.where, [cropped, added, constant], {}, [type], n.outputs[0]);
  setIn(n, isLast, y as TensorId);
}

/** Negative paddings cut off. */
function crop(n: OnnxNode, id: TensorId, pairs: readonly (readonly [number, number])[]): TensorId {
  if (pairs.every(([before, after]) => before >= 0 && after >= 0)) return id;
  return n.refuse("paddings from 0", JSON.stringify(pairs));
}

/** What a value is, for an operator that keeps it. */
function identity(n: OnnxNode): void {
  const { shape, twins, integers, dtype } = n.input(0);
  n.set(0, { shape, twins, dtype, ...(integers ? { integers } : {}) });
}

export const MOVES: Conversions = {
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Pad: pad,
  Identity: identity,
  Dropout: identity,
};
