/** Computed sizes that few models have: of images, of diagonals, of segments, and of a dimension behind others. */
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { OPEN_LENGTH } from "../move/moving.ts";
import { bytesOfNumbers } from "../values.ts";
import { limit } from "./bounded.ts";
import { cutterOf, ROOMY, rowsFor } from "./cutting.ts";
import { type Element, elementsOf } from "./origins.ts";
import { randomNumbers } from "./philox.ts";
import { isOpen, MEETING } from "./rowwise.ts";

type Writers = ReadonlyMap<TensorId, AnyNode>;
type Rarer = (node: AnyNode, x: Tensor, tensors: Tensor[], writers: Writers) => readonly AnyNode[] | undefined;

/** Elements of what is made whole before it is cut. */
const MOST = 2 ** 22;

const EACH = { axis: 0, batchDims: 0 };

/** Rows that meet tensors of more dimensions, as positions meet lengths: a dimension of the result is open that is not the first. */
const meeting: Rarer = (node, _, tensors) => {
  const shapes = node.inputs.map((id) => tensors[id]?.shape ?? []);
  const [id, ...others] = new Set(node.inputs.filter((each) => tensors[each]?.open !== undefined));
  const most = Math.max(...shapes.map(({ length }) => length));
  if (id === undefined || others.length > 0 || !isOpen(tensors[id] as Tensor)) return undefined;
  const { shape: own } = tensors[id] as Tensor;
  const isBeside = node.inputs.every((each, i) => each === id || (shapes[i]?.at(-own.length) ?? 1) === 1);
  const shape = Array.from({ length: most }, (_, d) => Math.max(...shapes.map((each) => each.at(d - most) ?? 1)));
  if (own.length === most || !isBeside || shapes.some((each) => each.includes(0)) || elementCount(shape) > MOST)
    return undefined;
  const cutter = cutterOf(node.where, tensors);
  const rows = cutter.counts.rowsOf(id);
  const output = node.outputs[0] as TensorId;
  const whole = cutter.counts.append(node.kind, node.inputs, node.attributes, tensors[output] as Tensor);
  cutter.close();
  const room = own[0] as number;
  return cutter.along(whole, shape, most - own.length, { id: rows, room }, output);
};

/** A vector of open length as the diagonal of a matrix. */
const matrixDiag: Rarer = (node, x, tensors) => {
  if (!isOpen(x) || x.shape.length !== 1) return undefined;
  const [source, output] = [node.inputs[0], node.outputs[0]] as [TensorId, TensorId];
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const rows = counts.rowsOf(source);
  const divisor = counts.two("maximum", rows, counts.int(1));
  const places = counts.places(OPEN_LENGTH);
  const row = counts.two("floorDiv", places, divisor);
  const isDiagonal = counts.append("equal", [row, counts.two("floorMod", places, divisor)], {}, "bool");
  const found = counts.append("gather", [source, counts.within(row, x.shape[0] as number)], EACH, x);
  cutter.close();
  const zero = cutter.constant(x, bytesOfNumbers(x.dtype, [0]));
  const flat = counts.append("selectV2", [isDiagonal, found, zero], {}, x);
  return cutter.flatly(flat, [OPEN_LENGTH, 1], [rows, rows], output, OPEN_LENGTH);
};

/** As many segments as a run says. */
const segments: Rarer = (node, x, tensors, writers) => {
  const [asked] = elementsOf(node.inputs[2] as TensorId, tensors, writers);
  if (typeof asked !== "object" || node.inputs.some((id) => tensors[id]?.open !== undefined)) return undefined;
  const inner = elementCount(x.shape.slice((tensors[node.inputs[1] as TensorId] as Tensor).shape.length));
  const cutter = cutterOf(node.where, tensors);
  const rows = cutter.size(asked, rowsFor(inner), ROOMY * rowsFor(inner));
  const output = node.outputs[0] as TensorId;
  const inputs = [...node.inputs.slice(0, 2), cutter.counts.int(rows.room)];
  const whole = cutter.counts.append(node.kind, inputs, {}, tensors[output] as Tensor);
  return cutter.rows(whole, inner, rows, output);
};

/** Images of computed size between their four pixels, float32 and int8: what reference_ops does, as arithmetic on places. */
const resizeBilinear: Rarer = (node, x, tensors, writers) => {
  const [source, sizes] = node.inputs as readonly [TensorId, TensorId];
  const asked = elementsOf(sizes, tensors, writers);
  const isReal = x.dtype === "float32";
  const fits = (isReal || (x.dtype === "int8" && x.unsigned !== true)) && x.shape.length === 4;
  if (node.kind !== "resizeBilinear" || asked.length !== 2 || asked.every((each) => typeof each === "number"))
    return undefined;
  if (!fits || x.open !== undefined || elementCount(x.shape) === 0) return undefined;
  const { alignCorners, halfPixelCenters } = node.attributes;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const { two, int } = counts;
  const [batch, inH, inW, channels] = x.shape as readonly [number, number, number, number];
  const number = isReal ? "float32" : "int32";
  const literal = (value: number) =>
    cutter.constant({ ...x, dtype: number } as Tensor, bytesOfNumbers(number, [value]));
  const does = (kind: OpKind, a: TensorId, b: TensorId) => counts.append(kind, [a, b], { activation: "none" }, number);
  const cast = (id: TensorId, to: "float32" | "int32" | "int8") => counts.append("cast", [id], {}, to);
  const held = (element: Element) => two("minimum", two("maximum", cutter.scalar(element), int(1)), int(65536));

  /** Of places along a dimension: the pixels before and behind, and how much of the second. */
  const along = (at: TensorId, input: number, output: TensorId) => {
    const corner = two("sub", output, int(1));
    const isCorners = counts.append("less", [int(1), output], {}, "bool");
    const choose = (corners: TensorId, plain: TensorId) =>
      alignCorners ? counts.append("selectV2", [isCorners, corners, plain], {}, number) : plain;
    const last = two("maximum", corner, int(1));
    if (isReal) {
      const part = (whole: number, by: TensorId) => does("div", literal(whole), cast(by, "float32"));
      const scale = choose(part(input - 1, last), part(input, output));
      const place = cast(at, "float32");
      const middle = halfPixelCenters ? does("add", place, literal(0.5)) : place;
      const scaled = does("mul", middle, scale);
      const from = halfPixelCenters ? does("sub", scaled, literal(0.5)) : scaled;
      const lower = does("maximum", counts.append("floor", [from], {}, number), literal(0));
      const upper = does("minimum", counts.append("ceil", [from], {}, number), literal(input - 1));
      const share = does("sub", from, lower);
      return { from: cast(lower, "int32"), to: cast(upper, "int32"), share, rest: does("sub", literal(1), share) };
    }
    const part = (whole: number, by: TensorId) => two("div", two("add", int(1024 * whole), two("div", by, int(2))), by);
    const scale = choose(part(input - 1, last), part(input, output));
    const scaled = two("mul", at, scale);
    const from = halfPixelCenters ? two("sub", two("add", scaled, two("div", scale, int(2))), int(512)) : scaled;
    const lower = two("maximum", two("floorDiv", from, int(1024)), int(0));
    const upper = two("minimum", two("floorDiv", two("add", from, int(1023)), int(1024)), int(input - 1));
    const share = two("sub", from, counts.times(lower, 1024));
    return { from: lower, to: upper, share, rest: two("sub", int(1024), share) };
  };

  const room = Math.max(OPEN_LENGTH, 4 * elementCount(x.shape));
  const [height, width] = asked.map(held) as [TensorId, TensorId];
  const places = counts.places(room);
  const pixel = two("floorDiv", places, int(channels));
  const channel = two("sub", places, counts.times(pixel, channels));
  const line = two("floorDiv", pixel, width);
  const y = along(two("floorMod", line, height), inH, height);
  const across = along(two("floorMod", pixel, width), inW, width);
  const image = counts.within(two("floorDiv", line, height), batch);
  const flat = counts.append("reshape", [source, counts.ints([1], [-1])], { shape: [-1] }, x);
  const read = (row: TensorId, column: TensorId) => {
    const lineAt = two("add", counts.times(image, inH), row);
    const pixelAt = two("add", counts.times(lineAt, inW), column);
    const at = counts.within(two("add", counts.times(pixelAt, channels), channel), elementCount(x.shape));
    const found = counts.append("gather", [flat, at], EACH, x);
    return isReal ? found : cast(found, "int32");
  };
  const times = (value: TensorId, a: TensorId, b: TensorId) => does("mul", does("mul", value, a), b);
  const parts = [
    times(read(y.from, across.from), y.rest, across.rest),
    times(read(y.to, across.from), y.share, across.rest),
    times(read(y.from, across.to), y.rest, across.share),
    times(read(y.to, across.to), y.share, across.share),
  ];
  const blend = parts.reduce((sum, part) => does("add", sum, part));
  const output = node.outputs[0] as TensorId;
  let whole = blend;
  if (!isReal) {
    const isAbove = counts.append("less", [int(0), blend], {}, "bool");
    const half = counts.append("selectV2", [isAbove, int(2 ** 19), int(-(2 ** 19))]);
    whole = cast(two("div", two("add", blend, half), int(2 ** 20)), "int8");
  }
  return cutter.flatly(whole, [room, 1, 1, 1], [int(batch), height, width, int(channels)], output, room);
};

/** A tensor of open length as rows of so many elements. */
function rowsOfLength(node: AnyNode, x: Tensor, sizes: readonly number[], tensors: Tensor[]) {
  const [room, inner] = [elementCount(x.shape), elementCount(sizes)];
  const rows = Math.floor(room / inner);
  if (!(inner > 0 && rows > 0) || x.length === undefined) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const flat = counts.append("reshape", [node.inputs[0] as TensorId, counts.ints([1], [-1])], { shape: [-1] }, x);
  cutter.close();
  const some = counts.append("slice", [flat, counts.ints([1], [0]), counts.ints([1], [rows * inner])], {}, x);
  const shape = [rows, ...sizes];
  const whole = counts.append("reshape", [some, counts.ints([shape.length], shape)], { shape }, x);
  const count = counts.two("div", x.length as TensorId, counts.int(inner));
  if (rows * inner < room) limit(count, rows, tensors);
  return cutter.rows(whole, inner, { id: count, room: rows }, node.outputs[0] as TensorId);
}

/** Places in open rows: in those that are not there nothing is. */
const where: Rarer = (node, x, tensors) => {
  if (!isOpen(x)) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const closed = cutter.masked(node.inputs[0] as TensorId, x, 0);
  return [...cutter.counts.taken(), { ...node, inputs: [closed] }];
};

/** Open rows in the shape that they have, or one whose rows are as large: however many there are. */
const reshape: Rarer = (node, x, tensors, writers) => {
  const [source, shape] = node.inputs as readonly [TensorId, TensorId?];
  if (node.kind !== "reshape" || shape === undefined) return undefined;
  const [first, ...rest] = elementsOf(shape, tensors, writers);
  const sizes = rest.filter((each) => typeof each === "number");
  if (x.open === "length" && (first === -1 || typeof first === "object") && sizes.length === rest.length)
    return rowsOfLength(node, x, sizes, tensors);
  if (!isOpen(x) || tensors[shape]?.data !== undefined) return undefined;
  const isWhole = sizes.length === rest.length && elementCount(sizes) === elementCount(x.shape.slice(1));
  if (typeof first !== "object" || !isWhole) return undefined;
  const { counts } = cutterOf(node.where, tensors);
  return [{ ...node, inputs: [source, counts.ints([1 + sizes.length], [-1, ...sizes])] }];
};

/** The first of open rows, as many as a run says and there are. */
const slice: Rarer = (node, x, tensors, writers) => {
  const [source, begin, size] = node.inputs as readonly [TensorId, TensorId, TensorId];
  if (!isOpen(x)) return undefined;
  const [[first, ...begins], [asked, ...sizes]] = [begin, size].map((id) => elementsOf(id, tensors, writers)) as [
    readonly Element[],
    readonly Element[],
  ];
  const [from, to] = [begins, sizes].map((list) => list.filter((each) => typeof each === "number"));
  const rank = x.shape.length;
  if (first !== 0 || typeof asked !== "object" || from?.length !== rank - 1 || to?.length !== rank - 1)
    return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const all = counts.rowsOf(source);
  const some = cutter.scalar(asked);
  const isRest = counts.append("less", [some, counts.int(0)], {}, "bool");
  const rows = counts.append("selectV2", [isRest, all, counts.two("minimum", some, all)]);
  const room = x.shape[0] as number;
  const inputs = [source, counts.ints([rank], [0, ...from]), counts.ints([rank], [room, ...to])];
  const whole = counts.append("slice", inputs, {}, tensors[node.outputs[0] as TensorId] as Tensor);
  cutter.close();
  const inner = elementCount(to.map((each, d) => (each < 0 ? (x.shape[d + 1] as number) - (from[d] as number) : each)));
  return cutter.rows(whole, inner, { id: rows, room }, node.outputs[0] as TensorId);
};

/** Open rows from a begin to an end that may count from the last row, or one of them. */
const stridedSlice: Rarer = (node, x, tensors, writers) => {
  if (node.kind !== "stridedSlice" || !isOpen(x)) return undefined;
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset = false } = node.attributes;
  const [source, ...lists] = node.inputs as readonly [TensorId, ...TensorId[]];
  const [begins = [], ends = [], strides = []] = lists.map((id) => elementsOf(id, tensors, writers));
  const masked = (mask: number, list: readonly Element[]) => list.map((each, d) => ((mask >> d) & 1 ? 0 : each));
  const [begin, ...from] = masked(beginMask, begins);
  const [end, ...to] = masked(endMask | shrinkAxisMask, ends);
  const [step] = strides;
  const isWhole = (beginMask & endMask & ~shrinkAxisMask & 1) === 1;
  const isPlain = ellipsisMask === 0 && newAxisMask === 0 && !offset && step === 1 && !isWhole;
  const known = [from, to].map((list) => list.filter((each) => typeof each === "number"));
  if (!isPlain || begin === undefined || end === undefined || known.some((list) => list.length !== from.length))
    return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const room = x.shape[0] as number;
  const rows = counts.rowsOf(source);
  const place = (element: Element) => {
    const at = cutter.scalar(element);
    const isBack = counts.append("less", [at, counts.int(0)], {}, "bool");
    const forward = counts.append("selectV2", [isBack, counts.two("add", at, rows), at]);
    return counts.two("minimum", counts.two("maximum", forward, counts.int(0)), rows);
  };
  const isOne = (shrinkAxisMask & 1) === 1;
  const first = (beginMask & 1) === 1 && !isOne ? counts.int(0) : place(begin);
  const size = [1 + from.length];
  const zeros = known.map((list) => counts.ints(size, [0, ...list])) as [TensorId, TensorId];
  const rest = {
    ...node.attributes,
    beginMask: beginMask | 1,
    endMask: endMask | 1,
    shrinkAxisMask: shrinkAxisMask & ~1,
  };
  const inputs = [source, ...zeros, lists[2] as TensorId];
  const part = from.length === 0 ? source : counts.append("stridedSlice", inputs, rest, x);
  const output = node.outputs[0] as TensorId;
  if (isOne) {
    counts.append("gather", [part, counts.within(first, room)], EACH, x, output);
    return counts.taken();
  }
  const last = (endMask & 1) === 1 ? rows : place(end);
  const count = counts.two("maximum", counts.two("sub", last, first), counts.int(0));
  const places = counts.within(counts.two("add", counts.places(room), first), room);
  tensors[output] = { ...(tensors[output] as Tensor), rows: count };
  counts.prefix(counts.append("gather", [part, places], EACH, x), count, output);
  return counts.taken();
};

/** Of a vector of open length: what is not there counts for nothing. */
const softmax: Rarer = (node, x, tensors) => {
  if (!isOpen(x) || x.shape.length !== 1 || x.dtype !== "float32") return undefined;
  const [source, output] = [node.inputs[0], node.outputs[0]] as [TensorId, TensorId];
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const rows = counts.rowsOf(source);
  const whole = counts.append(node.kind, [cutter.masked(source, x, -Infinity)], node.attributes, x);
  return cutter.rows(whole, 1, { id: rows, room: x.shape[0] as number }, output);
};

export const RARER: { readonly [K in OpKind]?: Rarer } = {
  ...Object.fromEntries([...MEETING].map((kind) => [kind, meeting])),
  matrixDiag,
  random: randomNumbers,
  reshape,
  resizeBilinear,
  slice,
  softmax,
  stridedSlice,
  unsortedSegmentMax: segments,
  unsortedSegmentMin: segments,
  unsortedSegmentProd: segments,
  unsortedSegmentSum: segments,
  where,
};
