/** Operators that find as many as there are: places that are not 0, slices that a condition keeps, the best boxes. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Builder } from "../builder.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import type { Open } from "../layout.ts";
import { BOOL, FLOAT, INT32, INT64, NONE } from "../types.ts";
import { real } from "./cast.ts";
import { axisIn, cast, entries, longs, reshapedTo, typeOf } from "./move.ts";

/** What is made once for a key while a model is read. */
export function once<K, V>(): (b: Builder, key: K, make: () => V) => V {
  const all = new WeakMap<Builder, Map<K, V>>();
  return (b, key, make) => {
    const made = all.get(b) ?? new Map<K, V>();
    all.set(b, made);
    const value = made.get(key) ?? make();
    made.set(key, value);
    return value;
  };
}

/** What was found in tensors: where a mask chooses of several values, these are of one length. */
const foundIn = /* @__PURE__ */ once<TensorId, readonly [TensorId, TensorId]>();

/** Rows of places of what is not 0 in x, zeros after them, and how many there are. */
export function placesOf(n: OnnxNode, x: TensorId): readonly [TensorId, TensorId] {
  return foundIn(n.b, x, () => {
    const [rows, count] = n.add("nonZero", [x], { form: "rows" }, [{ dtype: "int64" }, { dtype: "int32" }]);
    return [rows as TensorId, count as TensorId];
  });
}

/** Input 0, a constant: every coordinate of what is not 0 in a row of its own. */
function placesOfConstant(n: OnnxNode, shape: readonly number[]): TensorId {
  const found = (n.numbers(0) ?? []).flatMap((value, i) => (value === 0 ? [] : [i]));
  const rows = shape.map((size, d) => {
    const inner = elementCount(shape.slice(d + 1));
    return found.map((at) => Math.floor(at / inner) % size);
  });
  return longs(n, rows.flat(), [shape.length, found.length]);
}

/** `[rank, n]`; what transposes it, as PyTorch does, gets the rows themselves. */
function nonZero(n: OnnxNode): void {
  const x = n.plain(n.input(0));
  const { shape, data } = n.b.tensor(x);
  if (data !== undefined) return n.setPlain(0, placesOfConstant(n, shape));
  const name = n.outputs[0] ?? "";
  const readers = n.scope.readers(name);
  const isTurned = readers.length > 0 && readers.every(({ operator }) => operator === "Transpose");
  if (n.scope.isOutput(name) || !(isTurned || shape.length === 1)) {
    const [y] = n.add("nonZero", [x], { form: "columns" }, INT64, name);
    return n.setPlain(0, y as TensorId);
  }
  const [rows, count] = placesOf(n, x);
  if (shape.length === 1) {
    const plain = reshapedTo(n, rows, [1, shape[0] as number]);
    return n.set(0, { shape: n.b.tensor(plain).shape, twins: { plain }, open: { count, inner: 1 } });
  }
  const all = [shape.length, elementCount(shape)];
  n.set(0, { shape: all, dtype: "int64", twins: {}, link: { is: "rows", rows, open: { count, inner: shape.length } } });
}

/** Slices where a condition is true. */
function compress(n: OnnxNode): void {
  const x = n.input(0);
  const isFlat = n.attribute("axis") === undefined;
  const axis = isFlat ? 0 : axisIn(n, 0, x.shape.length);
  const id = isFlat ? reshapedTo(n, n.plain(x), [elementCount(x.shape)]) : n.plain(x);
  const { shape } = n.b.tensor(id);
  const choose = (indices: TensorId): TensorId =>
    n.add("gather", [id, indices], { axis, batchDims: 0 }, [typeOf(n, id)])[0] as TensorId;
  const condition = n.plain(n.input(1));
  if (n.b.tensor(condition).data !== undefined)
    return n.setPlain(0, choose(n.b.integers((n.numbers(1) ?? []).flatMap((value, i) => (value === 0 ? [] : [i])))));
  if (elementCount(shape.slice(0, axis)) !== 1) n.refuse("a constant condition", "a computed one within batches");
  if ((n.input(1).shape[0] as number) > (shape[axis] as number))
    n.refuse(`a condition of ${shape[axis]}`, "a longer one");
  const [rows, count] = placesOf(n, condition);
  const y = choose(reshapedTo(n, rows, [n.input(1).shape[0] as number]));
  const open: Open = { count, inner: elementCount(shape.slice(axis + 1)) };
  n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: y }, open });
}

/** Column i of `[…, 4]`. */
const column = (n: OnnxNode, boxes: TensorId, i: number): TensorId =>
  n.add("gather", [boxes, n.b.integers([i])], { axis: 2, batchDims: 0 }, FLOAT)[0] as TensorId;

/** Boxes by their middle and size as boxes by their corners. */
function corners(n: OnnxNode, boxes: TensorId): TensorId {
  const [x, y, w, h] = [0, 1, 2, 3].map((i) => column(n, boxes, i)) as [TensorId, TensorId, TensorId, TensorId];
  const half = (size: TensorId) => real(n, "mul", size, n.b.float(0.5));
  const sides = [
    real(n, "sub", y, half(h)),
    real(n, "sub", x, half(w)),
    real(n, "add", y, half(h)),
    real(n, "add", x, half(w)),
  ];
  return n.add("concat", sides, { axis: 2, ...NONE }, FLOAT)[0] as TensorId;
}

/** Where boxes without an area stand in place of their own: far from all others, and apart. */
const APART = -(2 ** 24);

/**
 * The boxes, those without an area with one elsewhere: no other overlaps it. The kernel takes a box out of the list when it overlaps itself,
 * as the reference of TensorFlow Lite does, and would find one without an area for ever.
 */
function withAreas(n: OnnxNode, boxes: TensorId): TensorId {
  const [batches = 0, count = 0] = n.b.tensor(boxes).shape;
  const [top, left, bottom, right] = [0, 1, 2, 3].map((i) =>
    reshapedTo(n, column(n, boxes, i), [batches, count, 1]),
  ) as [TensorId, TensorId, TensorId, TensorId];
  const side = (a: TensorId, b: TensorId) => n.add("abs", [real(n, "sub", a, b)], {}, FLOAT)[0] as TensorId;
  const area = real(n, "mul", side(bottom, top), side(right, left));
  const both = [n.add("greater", [area, n.b.float(0)], {}, BOOL), n.add("less", [area, n.b.float(Infinity)], {}, BOOL)];
  const [hasOne] = n.add("logicalAnd", both.flat(), {}, BOOL) as [TensorId];
  const places = Float32Array.from({ length: entries(n, count * 4) }, (_, i) => APART + 4 * (i >> 2) + ((i >> 1) & 1));
  const elsewhere = n.b.constant("float32", [1, count, 4], places);
  return n.add("selectV2", [hasOne, boxes, elsewhere], {}, FLOAT)[0] as TensorId;
}

/** The next float32 after a threshold from 0 on: what must be more than it is at least that. */
function above(threshold: number): number {
  const bits = new Uint32Array(Float32Array.of(Math.max(threshold, 0)).buffer);
  bits[0] = (bits[0] as number) + 1;
  return new Float32Array(bits.buffer)[0] as number;
}

/** Batch, class and place of the boxes that stay, `[n, 3]`. */
function nonMaxSuppression(n: OnnxNode): void {
  const [boxes, scores] = [n.input(0), n.input(1)];
  const [batches = 0, count = 0] = boxes.shape;
  const [, classes = 0] = scores.shape;
  if (boxes.shape.length !== 3 || `${scores.shape}` !== `${batches},${classes},${count}`)
    n.refuse("boxes [B,N,4] and scores [B,C,N]", `${listText(boxes.shape)} and ${listText(scores.shape)}`);
  const most = Math.max(0, Math.min(n.number(2, 0), count));
  const overlap = n.b.float(above(n.number(3, 0)));
  const least =
    n.inputs[4] === undefined ? n.b.float(Number.NEGATIVE_INFINITY) : reshapedTo(n, n.plain(n.input(4)), []);
  const plain = n.plain(boxes);
  const all = withAreas(n, n.int("center_point_box", 0) === 1 ? corners(n, plain) : plain);
  const groups = batches * classes;
  entries(n, groups * most);
  if (groups * most === 0) return n.setPlain(0, longs(n, [], [0, 3]));
  if (groups > 4096) n.refuse("at most 4096 batches and classes", `${groups}`);
  const part = (id: TensorId, begin: readonly number[], size: readonly number[], shape: readonly number[]) =>
    reshapedTo(n, n.add("slice", [id, n.b.integers(begin), n.b.integers(size)], {}, FLOAT)[0] as TensorId, shape);
  const iota = n.b.integers([...Array(most).keys()]);
  const found: TensorId[] = [];
  const inside: TensorId[] = [];
  let total: TensorId = n.b.integers([0], []);
  for (let g = 0; g < groups; g++) {
    const [b, c] = [Math.floor(g / classes), g % classes];
    const own = [
      part(all, [b, 0, 0], [1, count, 4], [count, 4]),
      part(n.plain(scores), [b, c, 0], [1, 1, count], [count]),
      n.b.integers([most], []),
      overlap,
      least,
    ];
    const types = [{ dtype: "int32" }, { dtype: "int32" }] as const;
    const [places, length] = n.add("nonMaxSuppressionV4", own, { inOrder: true }, types) as [TensorId, TensorId];
    const columns = [b, c].map((value) => longs(n, new Array(most).fill(value), [most, 1]));
    columns.push(reshapedTo(n, cast(n, places, "int64"), [most, 1]));
    found.push(n.add("concat", columns, { axis: 1, ...NONE }, INT64)[0] as TensorId);
    inside.push(n.add("less", [iota, length], {}, BOOL)[0] as TensorId);
    total = g === 0 ? length : (n.add("add", [total, length], NONE, INT32)[0] as TensorId);
  }
  let plainRows = found[0] as TensorId;
  if (groups > 1) {
    const [rows] = n.add("concat", found, { axis: 0, ...NONE }, INT64);
    const [mask] = n.add("concat", inside, { axis: 0, ...NONE }, BOOL);
    const kept = reshapedTo(n, placesOf(n, mask as TensorId)[0], [groups * most]);
    [plainRows] = n.add("gather", [rows, kept], { axis: 0, batchDims: 0 }, INT64) as [TensorId];
  }
  n.set(0, { shape: [groups * most, 3], twins: { plain: plainRows }, open: { count: total, inner: 3 } });
}

export const FOUND: Conversions = { NonZero: nonZero, Compress: compress, NonMaxSuppression: nonMaxSuppression };
