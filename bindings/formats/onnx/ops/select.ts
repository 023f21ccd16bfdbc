/** What chooses elements or puts them somewhere: the greatest, one-hot rows, triangles, gathering and scattering. */
import type { TensorId } from "../../../graph.ts";
import { BITS, elementCount, listText, type Tensor } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { INT64 as int64, NONE } from "../types.ts";
import { axisIn, cast, entries, longs, reshapedTo, sized, typeOf } from "./move.ts";
import { fromBeginning } from "./slice.ts";

/** The order of dimensions that brings an axis to the end, and back. */
export function axisLast(rank: number, axis: number): readonly number[] {
  return Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
}

/** The k greatest or least along an axis, with their places. */
/** Turned round: −x, or of whole numbers −1 − x, which cannot overflow. The least are the greatest of that. */
function opposite(n: OnnxNode, id: TensorId): TensorId {
  const type = typeOf(n, id);
  if (type.dtype === "float32") return n.add("neg", [id], {}, [type])[0] as TensorId;
  const ones = n.add("cast", [n.b.integers([-1], [])], {}, [type])[0] as TensorId;
  return n.add("bitwiseXor", [id, ones], {}, [type])[0] as TensorId;
}

/** A vector in rising order, and the places that its elements come from, int32; of equals the first comes first. */
export function sorted(n: OnnxNode, id: TensorId): readonly [TensorId, TensorId] {
  const { shape } = n.b.tensor(id);
  const inputs = [opposite(n, id), n.b.integers(shape, [])];
  const [values, places] = n.add("topK", inputs, {}, [typeOf(n, id), { dtype: "int32" }]);
  return [opposite(n, values as TensorId), places as TensorId];
}

function topK(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axis = axisIn(n, -1, rank);
  const k = n.number(1, n.int("k", 1));
  if (k < 0 || k > (x.shape[axis] as number)) n.refuse(`a k from 0 to ${x.shape[axis]}`, `${k}`);
  const isLeast = n.int("largest", 1) === 0;
  const order = axisLast(rank, axis);
  const type = typeOf(n, n.plain(x));
  const turned = (id: TensorId): TensorId => (isLeast ? opposite(n, id) : id);
  const moved = permuted(n.b, n.where, turned(n.plain(x)), x.shape, order);
  const [values, places] = n.add("topK", [moved, n.b.integers([k], [])], {}, [type, { dtype: "int32" }]);
  const shape = n.b.tensor(values as TensorId).shape;
  n.setPlain(0, permuted(n.b, n.where, turned(values as TensorId), shape, order));
  n.setPlain(1, permuted(n.b, n.where, cast(n, places as TensorId, "int64"), shape, order));
}

/** indices, depth, values [off, on]. */
function oneHot(n: OnnxNode): void {
  const depth = entries(n, Math.trunc(n.number(1, 0)));
  const rank = n.input(0).shape.length + 1;
  const axis = axisIn(n, -1, rank);
  const id = n.plain(n.input(2));
  const type = typeOf(n, id);
  const value = (i: number) => n.add("slice", [id, n.b.integers([i]), n.b.integers([1])], {}, [type])[0] as TensorId;
  const indices = fromBeginning(n, n.plain(n.input(0)), longs(n, [depth], []));
  const inputs = [indices, n.b.integers([depth], []), value(1), value(0)];
  n.setPlain(0, n.add("oneHot", inputs, { axis }, [type], n.outputs[0])[0] as TensorId);
}

/** The upper or lower triangle of matrices, 0 elsewhere. */
function trilu(n: OnnxNode): void {
  const x = n.input(0);
  const [rows, columns] = sized(n, x.shape.slice(-2), 2);
  const k = n.number(1, 0);
  const isUpper = n.int("upper", 1) !== 0;
  const kept = Uint8Array.from({ length: entries(n, rows * columns) }, (_, i) => {
    const distance = (i % columns) - Math.floor(i / columns);
    return (isUpper ? distance >= k : distance <= k) ? 1 : 0;
  });
  const id = n.plain(x);
  const type = typeOf(n, id);
  if (rows * columns === 0) return n.setPlain(0, id);
  const zero = n.add("cast", [n.b.integers([0], [])], {}, [{ dtype: type.dtype }])[0];
  const inputs = [n.b.constant("bool", [rows, columns], kept), id, zero];
  n.setPlain(0, n.add("selectV2", inputs, {}, [type], n.outputs[0])[0] as TensorId);
}

/** Tuples `[…, rank]` that name the element at every place of indices, with the index itself at `axis`. */
function places(n: OnnxNode, indices: TensorId, axis: number, limit: number): TensorId {
  const { shape } = n.b.tensor(indices);
  const own = fromBeginning(n, indices, longs(n, [limit], []));
  const rank = shape.length;
  const columns = shape.map((_, d) => {
    if (d === axis) return reshapedTo(n, own, [...shape, 1]);
    const inner = elementCount(shape.slice(d + 1));
    const size = shape[d] as number;
    return longs(
      n,
      Array.from({ length: entries(n, elementCount(shape)) }, (_, i) => Math.floor(i / inner) % size),
      [...shape, 1],
    );
  });
  return n.add("concat", columns, { axis: rank, ...NONE }, int64)[0] as TensorId;
}

function gatherElements(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisIn(n, 0, x.shape.length);
  const id = n.plain(x);
  const at = places(n, n.plain(n.input(1)), axis, x.shape[axis] as number);
  n.setPlain(0, n.add("gatherNd", [id, at], {}, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

/** What an update does to what is there. */
function modeOf(n: OnnxNode) {
  const reduction = n.string("reduction", "none");
  const modes = { none: "set", add: "add", mul: "mul", min: "min", max: "max" } as const;
  return modes[reduction as "none"] ?? n.refuse("a known reduction", reduction);
}

function scatter(n: OnnxNode, at: TensorId): void {
  const id = n.plain(n.input(0));
  const inputs = [id, at, n.plain(n.input(2))];
  const attributes = { mode: modeOf(n) };
  n.setPlain(0, n.add("scatterUpdate", inputs, attributes, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

function scatterElements(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisIn(n, 0, x.shape.length);
  const known = scatteredConstant(n, axis);
  if (known !== undefined) return n.setPlain(0, known);
  scatter(n, places(n, n.plain(n.input(1)), axis, x.shape[axis] as number));
}

/** Elements of a table that is put together when importing, as of shapes. */
const MOST_SCATTERED = 65536;

/** The result where all is constant, as PyTorch writes shapes. */
function scatteredConstant(n: OnnxNode, axis: number): TensorId | undefined {
  const [x, at, updates] = [0, 1, 2].map((i) => n.b.tensor(n.plain(n.input(i)))) as [Tensor, Tensor, Tensor];
  const count = elementCount(at.shape);
  if (x.data === undefined || updates.data === undefined || at.data === undefined) return undefined;
  const isPlain =
    n.string("reduction", "none") === "none" && `${at.shape}` === `${updates.shape}` && x.dtype === updates.dtype;
  if (!isPlain || Math.max(count, elementCount(x.shape)) > MOST_SCATTERED) return undefined;
  const width = BITS[x.dtype] / 8;
  const bytes = x.data.slice();
  for (const [i, index] of (n.numbers(1) ?? []).entries()) {
    const size = x.shape[axis] as number;
    const place = x.shape.reduce((all, own, d) => {
      const digit = Math.floor(i / elementCount(at.shape.slice(d + 1))) % (at.shape[d] as number);
      return all * own + (d === axis ? (index < 0 ? index + size : index) : digit);
    }, 0);
    if (index < -size || index >= size || place * width >= bytes.length) n.refuse(`indices of ${size}`, `${index}`);
    bytes.set(updates.data.subarray(i * width, (i + 1) * width), place * width);
  }
  return n.b.constant(x.dtype, x.shape, bytes);
}

/** Tuples of indices, counted from the beginning. */
export function tuples(n: OnnxNode, indices: TensorId, sizes: readonly number[]): TensorId {
  return fromBeginning(n, indices, longs(n, sizes));
}

function scatterNd(n: OnnxNode): void {
  const depth = n.input(1).shape.at(-1) ?? 0;
  scatter(n, tuples(n, n.plain(n.input(1)), n.input(0).shape.slice(0, depth)));
}

/** Parts by tuples; of the first `batch_dims` dimensions each batch its own. */
function gatherNd(n: OnnxNode): void {
  const [x, indices] = [n.input(0), n.input(1)];
  const batchDims = n.int("batch_dims", 0);
  const depth = indices.shape.at(-1) ?? 0;
  const id = n.plain(x);
  let at = tuples(n, n.plain(indices), x.shape.slice(batchDims, batchDims + depth));
  if (batchDims > 0) {
    const shape = indices.shape.slice(0, -1);
    const columns = x.shape.slice(0, batchDims).map((size, d) => {
      const inner = elementCount(shape.slice(d + 1));
      return longs(
        n,
        Array.from({ length: entries(n, elementCount(shape)) }, (_, i) => Math.floor(i / inner) % size),
        [...shape, 1],
      );
    });
    at = n.add("concat", [...columns, at], { axis: shape.length, ...NONE }, int64)[0] as TensorId;
  }
  n.setPlain(0, n.add("gatherNd", [id, at], {}, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

function reverseSequence(n: OnnxNode): void {
  const id = n.plain(n.input(0));
  const attributes = { sequenceAxis: n.int("time_axis", 0), batchAxis: n.int("batch_axis", 1) };
  const inputs = [id, n.plain(n.input(1))];
  n.setPlain(0, n.add("reverseSequence", inputs, attributes, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

/** Ones on a diagonal. */
function eyeLike(n: OnnxNode): void {
  const { shape, dtype } = n.input(0);
  const [rows, columns] = sized(n, shape, 2);
  const k = n.int("k", 0);
  const ones = Float32Array.from({ length: entries(n, rows * columns) }, (_, i) =>
    (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
  );
  const to = n.attribute("dtype") === undefined ? dtype : n.typeOf(n.int("dtype", 1));
  const id = n.b.constant("float32", shape, ones);
  n.setPlain(0, to === "float32" ? id : (n.add("cast", [id], {}, [{ dtype: to }])[0] as TensorId));
}

/** Blocks of channels become blocks of pixels: DCR or CRD order. */
function depthToSpace(n: OnnxNode): void {
  const x = n.input(0);
  const block = n.int("blocksize", 1);
  const [batch, channels, height, width] = sized(n, x.shape, 4);
  const inner = channels / block / block;
  if (!Number.isInteger(inner)) n.refuse("channels that the block divides", listText(x.shape));
  const id = n.last(x);
  const shape = [batch, inner, height * block, width * block];
  const type = typeOf(n, id);
  if (n.string("mode", "DCR") === "DCR") {
    const [y] = n.add("depthToSpace", [id], { block }, [type], n.outputs[0]);
    return n.setLast(0, y as TensorId, shape);
  }
  const split = [batch, height, width, inner, block, block];
  const order = [0, 1, 4, 2, 5, 3];
  const y = permuted(n.b, n.where, reshapedTo(n, id, split), split, order);
  n.setLast(0, reshapedTo(n, y, [batch, height * block, width * block, inner]), shape);
}

function spaceToDepth(n: OnnxNode): void {
  const x = n.input(0);
  const block = n.int("blocksize", 1);
  const [batch, channels, height, width] = sized(n, x.shape, 4);
  const id = n.last(x);
  let [y] = n.add("spaceToDepth", [id], { block }, [typeOf(n, id)], n.outputs[0]) as [TensorId];
  if (n.string("mode", "DCR") !== "DCR") {
    const { shape } = n.b.tensor(y);
    const split = [elementCount(shape.slice(0, 3)), block * block, channels];
    y = reshapedTo(n, permuted(n.b, n.where, reshapedTo(n, y, split), split, [0, 2, 1]), shape);
  }
  n.setLast(0, y, [batch, channels * block * block, height / block, width / block]);
}

export const SELECTIONS: Conversions = {
  TopK: topK,
  OneHot: oneHot,
  Trilu: trilu,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
  ReverseSequence: reverseSequence,
  EyeLike: eyeLike,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
