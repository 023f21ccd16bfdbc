/** What moves data and keeps it: transposes, shapes, concatenations, slices, paddings. */
import type { TensorId } from "../../../graph.ts";
import { BITS, type Dimensions, dimensions, elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, permuted, reorder, toLast, toPlain, type Value } from "../layout.ts";

/** An axis from −rank on, as one from 0. */
export function axisOf(n: OnnxNode, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) n.refuse(`an axis of ${rank} dimensions`, `${axis}`);
  return positive;
}

/** The attribute `axis`, as one from 0. */
export const axisIn = (n: OnnxNode, otherwise: number, rank: number): number =>
  axisOf(n, n.int("axis", otherwise), rank);

/** The sizes of a shape of so many dimensions; UNSUPPORTED for another number of them. */
export function sized<N extends keyof Dimensions>(n: OnnxNode, shape: readonly number[], count: N): Dimensions[N] {
  if (shape.length !== count) n.refuse(`${count} dimensions`, listText(shape));
  return dimensions(shape, count);
}

/** The sizes of `[N,C,…]`, or of weights `[O,C,…]`; UNSUPPORTED for fewer than two dimensions. */
export function channelled(n: OnnxNode, shape: readonly number[]): readonly [number, number, ...number[]] {
  if (shape.length < 2) n.refuse("batches of channels", listText(shape));
  return shape as readonly number[] as readonly [number, number, ...number[]];
}

/** The tensor's type with its quantization. */
export function typeOf(n: OnnxNode, id: TensorId) {
  const { dtype, quantization } = n.b.tensor(id);
  return { dtype, ...(quantization ? { quantization } : {}) };
}

/** Axes from an input (newer opsets) or an attribute. */
function axesOf(n: OnnxNode, i: number): readonly number[] | undefined {
  return n.numbers(i) ?? n.ints("axes");
}

function transpose(n: OnnxNode): void {
  const x = n.input(0);
  if (x.link?.is === "rows") {
    const { rows, open } = x.link;
    return n.set(0, { shape: n.b.tensor(rows).shape, twins: { plain: rows }, open });
  }
  const rank = x.shape.length;
  const order = n.ints("perm") ?? x.shape.map((_, i) => rank - 1 - i);
  if (new Set(order).size !== rank || order.some((axis) => axis < 0 || axis >= rank))
    n.refuse(`each of ${rank} axes once`, listText(order));
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

/** The tensor as another type. */
export function cast(n: OnnxNode, id: TensorId, dtype: "int32" | "int64" | "float32"): TensorId {
  return n.b.tensor(id).dtype === dtype ? id : (n.add("cast", [id], {}, [{ dtype }])[0] as TensorId);
}

/** int64 constants. */
export function longs(
  n: OnnxNode,
  values: readonly (number | bigint)[],
  shape: readonly number[] = [values.length],
): TensorId {
  return n.b.constant("int64", shape, BigInt64Array.from(values as readonly number[], BigInt));
}

/** The tensor of input i in ONNX's order; undefined where it is left out. */
export const optional = (n: OnnxNode, i: number): TensorId | undefined =>
  n.inputs[i] === undefined ? undefined : n.plain(n.input(i));

/** A constant that is true or false. */
export const truth = (n: OnnxNode, value: boolean): TensorId => n.b.constant("bool", [], Uint8Array.of(value ? 1 : 0));

/** Entries that a table made when importing may have. */
const MOST_ENTRIES = 1 << 24;

/** How many entries a table has; refused where that is more than one may have. */
export function entries(n: OnnxNode, count: number): number {
  if (!(count >= 0 && count <= MOST_ENTRIES)) n.refuse(`tables of 0 to ${MOST_ENTRIES} entries`, `${count}`);
  return count;
}

/** A tensor in another shape. */
export function reshapedTo(n: OnnxNode, id: TensorId, shape: readonly number[]): TensorId {
  return n.add("reshape", [id, n.b.integers(shape)], {}, [typeOf(n, id)])[0] as TensorId;
}

/** The value's tensor in another shape, in ONNX's order. */
function reshapeTo(n: OnnxNode, x: Value, shape: readonly number[]): void {
  const id = n.plain(x);
  const [y] = n.add("reshape", [id, n.b.integers(shape)], {}, [typeOf(n, id)], n.outputs[0]);
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
  if (x.shape.some((size, i) => gone(size, i) && size !== 1)) n.refuse("dimensions of size 1", listText(x.shape));
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
  if (axes.size !== given.length) n.refuse("each axis once", listText(given));
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
  const axis = axisIn(n, n.opset < 4 ? 1 : 0, rank);
  const { ids, isLast } = operands(n, values);
  const attributes = { axis: isLast ? lastAxis(axis, rank) : axis, activation: "none" as const };
  const [y] = n.add("concat", ids, attributes, [typeOf(n, ids[0] as TensorId)], n.outputs[0]);
  setIn(n, isLast, y as TensorId);
}

/** Ranges with steps; bounds beyond the ends are held inside. */
function slice(n: OnnxNode): void {
  const isComputed = (i: number) => n.inputs[i] !== undefined && n.b.tensor(n.plain(n.input(i))).data === undefined;
  if (isComputed(1) || isComputed(2)) return n.rarely("computed slice", n);
  const x = n.input(0);
  const rank = x.shape.length;
  const starts = n.numbers(1) ?? n.ints("starts") ?? [];
  const ends = n.numbers(2) ?? n.ints("ends") ?? [];
  const axes = (n.numbers(3) ?? n.ints("axes") ?? starts.map((_, i) => i)).map((axis) => axisOf(n, axis, rank));
  const steps = n.numbers(4) ?? starts.map(() => 1);
  const ranges = x.shape.map((size) => ({ begin: 0, end: size, step: 1 }));
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis] as number;
    const step = steps[i] as number;
    const inside = (value: number, lo: number, hi: number) =>
      Math.min(Math.max(value < 0 ? value + size : value, lo), hi);
    const [lo, hi] = step > 0 ? [0, size] : [-1, size - 1];
    ranges[axis] = {
      begin: inside(starts[i] as number, lo < 0 ? 0 : 0, hi),
      end: inside(ends[i] as number, lo, hi),
      step,
    };
  }
  const { ids, isLast } = operands(n, [x]);
  const id = ids[0] as TensorId;
  const own = isLast ? reorder(ranges, toLast(rank)) : ranges;
  // an end before the first element of a backward range is no number of stridedSlice's: it is left out
  const endMask = own.reduce((mask, { end }, i) => (end < 0 ? mask | (1 << i) : mask), 0);
  const attributes = { beginMask: 0, endMask, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  const list = (key: "begin" | "end" | "step") => n.b.integers(own.map((each) => each[key]));
  const inputs = [id, list("begin"), list("end"), list("step")];
  const [y] = n.add("stridedSlice", inputs, attributes, [typeOf(n, id)], n.outputs[0]);
  setIn(n, isLast, y as TensorId);
}

function split(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axis = axisIn(n, 0, rank);
  const count = n.outputs.length;
  const size = x.shape[axis] as number;
  const each = Math.ceil(size / count);
  const given = n.numbers(1) ?? n.ints("split");
  const sizes = given ?? n.outputs.map((_, i) => Math.max(0, Math.min(each, size - i * each)));
  const { ids, isLast } = operands(n, [x]);
  const id = ids[0] as TensorId;
  const inputs = [id, n.b.integers(sizes), n.b.integers([isLast ? lastAxis(axis, rank) : axis], [])];
  const types = n.outputs.map(() => typeOf(n, id));
  for (const [i, y] of n.add("splitV", inputs, {}, types).entries()) setIn(n, isLast, y, i);
}

function gather(n: OnnxNode): void {
  const [x, indices] = [n.input(0), n.input(1)];
  const axis = axisIn(n, 0, x.shape.length);
  const id = n.plain(x);
  const inputs = [id, positive(n, 1, x.shape[axis] as number)];
  const [y] = n.add("gather", inputs, { axis, batchDims: 0 }, [typeOf(n, id)], n.outputs[0]);
  if (indices.shape.length > 8) n.refuse("indices of at most 8 dimensions", `${indices.shape.length}`);
  n.setPlain(0, y as TensorId);
}

/** Indices counted from the end, from the beginning. */
function positive(n: OnnxNode, i: number, size: number): TensorId {
  const value = n.input(i);
  const id = n.plain(value);
  const { dtype } = n.b.tensor(id);
  if (n.b.isConstant(id)) {
    const numbers = (n.numbers(i) ?? []).map((index) => (index < 0 ? index + size : index));
    return n.b.integers(numbers, value.shape);
  }
  if (size < 1) return id;
  const limit = n.b.constant(dtype, [], dtype === "int64" ? BigInt64Array.of(BigInt(size)) : Int32Array.of(size));
  return n.add("floorMod", [id, limit], {}, [{ dtype }])[0] as TensorId;
}

/** What a value is, for an operator that keeps it. */
function identity(n: OnnxNode): void {
  const { shape, twins, dtype, items } = n.input(0);
  n.set(0, { shape, twins, dtype, ...(items && { items }) });
}

/** Dropout drops nothing when it infers: its mask is all true, before opset 12 all false, before 10 as numbers, as onnxruntime has it. */
function dropout(n: OnnxNode): void {
  if (n.inputs[2] && n.number(2, 0) !== 0 && n.number(1, 0.5) !== 0) n.refuse("inference", "training_mode");
  identity(n);
  if (!n.outputs[1]) return;
  const { shape, dtype: own } = n.input(0);
  const dtype = n.opset < 10 ? own : "bool";
  const bytes = new Uint8Array(entries(n, elementCount(shape)) * (BITS[dtype] / 8));
  n.setPlain(1, n.b.constant(dtype, shape, bytes.fill(n.opset < 12 ? 0 : 1)));
}

export const MOVES: Conversions = {
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Identity: identity,
  Dropout: dropout,
};
