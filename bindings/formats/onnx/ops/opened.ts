/**
 * Operators given values whose length depends on data, in forms that change it: the best of so many, values behind each other. Detectors have these where the boxes of all classes or levels come together.
 */
import type { TensorId } from "../../../graph.ts";
import { BITS, elementCount } from "../../../tensor.ts";
import { asValue, type Conversions, type OnnxNode } from "../convert.ts";
import type { Open, Value } from "../layout.ts";
import { boundary } from "../open.ts";
import { BOOL, FLOAT, INT32, NONE } from "../types.ts";
import { mostOf } from "./bounds.ts";
import { once, placesOf } from "./found.ts";
import { axisIn, cast, entries, longs, reshapedTo, typeOf } from "./move.ts";
import { closed, give, numbersIn, SIZES } from "./openSizes.ts";
import { fromBeginning } from "./slice.ts";
import { captured } from "./stated.ts";

/** Which of so many entries count. */
function countsOf(n: OnnxNode, size: number, count: TensorId): TensorId {
  const places = new Int32Array(entries(n, size));
  for (let i = 0; i < size; i++) places[i] = i;
  return n.add("less", [n.b.constant("int32", [size], places), count], {}, BOOL)[0] as TensorId;
}

/** Entries at places that are open. */
function gather(n: OnnxNode): void {
  const [x, { open }] = [n.input(0), n.input(1)];
  const axis = axisIn(n, 0, x.shape.length);
  if (open === undefined || elementCount(x.shape.slice(0, axis)) !== 1) return closed(n)(n);
  const inner = open.inner * elementCount(x.shape.slice(axis + 1));
  give(n, 0, n.plain(captured(n, closed(n))), { count: open.count, inner });
}

/** Parts at places that are open, of what may itself be. */
function gatherNd(n: OnnxNode): void {
  const [{ shape }, { open, shape: places }] = [n.input(0), n.input(1)];
  const depth = places.at(-1) as number;
  if (open === undefined || n.int("batch_dims", 0) !== 0 || open.inner % depth !== 0) return closed(n)(n);
  const inner = (open.inner / depth) * elementCount(shape.slice(depth));
  give(n, 0, n.plain(captured(n, closed(n))), { count: open.count, inner });
}

/** The best of the entries that count. */
function topK(n: OnnxNode): void {
  const x = n.input(0);
  const open = x.open as Open;
  const axis = axisIn(n, -1, x.shape.length);
  const size = x.shape[axis] as number;
  if (x.dtype !== "float32" || axis !== boundary(n, x, open)) return closed(n)(n);
  const k = cast(n, reshapedTo(n, n.plain(n.input(1)), []), "int32");
  const [count] = n.add("minimum", [open.count, k], {}, INT32) as [TensorId];
  const sign = n.int("largest", 1) === 0 ? 1 : -1;
  const least = n.b.float(sign * Number.POSITIVE_INFINITY);
  const counts = reshapedTo(
    n,
    countsOf(n, size, open.count),
    x.shape.map((_, d) => (d === axis ? size : 1)),
  );
  const [masked] = n.add("selectV2", [counts, n.plain(x), least], {}, FLOAT) as [TensorId];
  const most = Math.min(mostOf(n, k) ?? size, size);
  const value = asValue(n.b, "", masked);
  const inner = elementCount(x.shape.slice(axis + 1));
  closed(n)({
    ...n,
    input: (i) => (i === 0 ? value : n.input(i)),
    number: (i, otherwise) => (i === 1 ? most : n.number(i, otherwise)),
    setPlain: (i, id) => n.outputs[i] && give(n, i, id, { count, inner }),
  });
}

/** Which entries of parts behind each other count, and how many do: once for the parts of several values. */
const joinedIn = /* @__PURE__ */ once<string, { readonly places: TensorId; readonly count: TensorId }>();

function joinedCounts(n: OnnxNode, parts: readonly { readonly size: number; readonly count: TensorId | undefined }[]) {
  return joinedIn(n.b, parts.map(({ size, count }) => `${size} ${count}`).join(), () => {
    const all = parts.map(({ size, count }) =>
      count === undefined
        ? n.b.constant("bool", [size], new Uint8Array(entries(n, size)).fill(1))
        : countsOf(n, size, count),
    );
    const total = parts.reduce((sum, { size }) => sum + size, 0);
    const [mask] = n.add("concat", all, { axis: 0, ...NONE }, BOOL) as [TensorId];
    const [rows, count] = placesOf(n, mask);
    return { places: reshapedTo(n, rows, [total]), count };
  });
}

/** Behind each other along what is open: those that count of all. */
function concat(n: OnnxNode): void {
  const values = n.inputs.map((_, i) => n.input(i));
  const axis = axisIn(n, 0, values[0]?.shape.length ?? 0);
  const first = values.find((value) => value.open !== undefined);
  if (first?.open === undefined) return closed(n)(n);
  const { open } = first;
  if (values.length === 1) return give(n, 0, n.plain(first), open);
  const joined = n.plain(captured(n, closed(n)));
  const { shape: sizes } = n.b.tensor(joined);
  const inner = elementCount(sizes.slice(axis + 1));
  const k = boundary(n, first, open);
  if (k !== axis) {
    const isOne = values.every((value) => value.open?.count === open.count);
    if (!isOne || axis < k) n.refuse("parts of one length", "parts of several computed ones");
    return give(n, 0, joined, { count: open.count, inner: elementCount(sizes.slice(k + 1)) });
  }
  for (const value of values) if (value.open) boundary(n, value, { ...value.open, inner });
  const parts = values.map((value) => ({ size: value.shape[axis] as number, count: value.open?.count }));
  const { places, count } = joinedCounts(n, parts);
  const [y] = n.add("gather", [joined, places], { axis, batchDims: 0 }, [typeOf(n, joined)]) as [TensorId];
  give(n, 0, y, { count, inner });
}

/** The lowest number: no box of an infinite score below it stays. */
const LOWEST = -3.4e38;

/** The best of the boxes that count. */
function nonMaxSuppression(n: OnnxNode): void {
  const scores = n.input(1);
  const open = scores.open ?? n.input(0).open;
  if (open === undefined) return closed(n)(n);
  const size = scores.shape[2] as number;
  if (elementCount(scores.shape) !== size)
    n.refuse("one batch and class of a computed number of boxes", `${scores.shape}`);
  const counts = reshapedTo(n, countsOf(n, size, open.count), scores.shape);
  const none = n.b.float(Number.NEGATIVE_INFINITY);
  const [masked] = n.add("selectV2", [counts, n.plain(scores), none], {}, FLOAT) as [TensorId];
  const inputs = [
    { ...n.input(0), open: undefined } as unknown as Value,
    asValue(n.b, "", masked),
    n.inputs[2],
    n.inputs[3],
    n.inputs[4] ?? asValue(n.b, "", n.b.float(LOWEST)),
  ];
  closed(n)({ ...n, inputs, input: (i) => inputs[i] ?? n.input(i) });
}

/** Input i, of entries beyond those that count another value. */
function masked(n: OnnxNode, i: number, otherwise: TensorId): TensorId {
  const x = n.input(i);
  const id = n.plain(x);
  const k = boundary(n, x, x.open as Open);
  const size = x.shape[k] as number;
  const mask = reshapedTo(
    n,
    countsOf(n, size, (x.open as Open).count),
    x.shape.map((_, d) => (d === k ? size : 1)),
  );
  return n.add("selectV2", [mask, id, otherwise], {}, [typeOf(n, id)])[0] as TensorId;
}

const zeroOf = (n: OnnxNode, id: TensorId): TensorId => {
  const { dtype } = n.b.tensor(id);
  return n.b.constant(dtype, [], new Uint8Array(BITS[dtype] / 8));
};

/** Places of what is not 0 among the entries that count. */
function nonZero(n: OnnxNode): void {
  const id = n.plain(n.input(0));
  const value = asValue(n.b, "", masked(n, 0, zeroOf(n, id)));
  closed(n)({ ...n, inputs: [value], input: () => value });
}

/** Entries that do not count go behind the last one, which is cut off again. */
function scatterElements(n: OnnxNode): void {
  const [x, indices] = [n.input(0), n.input(1)];
  const axis = axisIn(n, 0, x.shape.length);
  if (indices.open === undefined || boundary(n, indices, indices.open) !== axis) return closed(n)(n);
  const size = x.shape[axis] as number;
  const [id, at] = [n.plain(x), fromBeginning(n, n.plain(indices), longs(n, [size], []))];
  const row = x.shape.map((own, d) => (d === axis ? 1 : own));
  const [none] = n.add("broadcastTo", [zeroOf(n, id), n.b.integers(row)], {}, [typeOf(n, id)]);
  const [all] = n.add("concat", [id, none], { axis, ...NONE }, [typeOf(n, id)]) as [TensorId];
  const places = asValue(n.b, "", masked({ ...n, plain: () => at } as OnnxNode, 1, longs(n, [size], [])));
  const inputs = [asValue(n.b, "", all), places, { ...n.input(2), open: undefined } as unknown as Value];
  const y = n.plain(
    captured({ ...n, inputs }, (own) => closed(n)({ ...own, inputs, input: (i) => inputs[i] as Value })),
  );
  const cut = n.add("slice", [y, n.b.integers(x.shape.map(() => 0)), n.b.integers(x.shape)], {}, [typeOf(n, id)]);
  if (x.open) give(n, 0, cut[0] as TensorId, x.open);
  else n.set(0, { shape: x.shape, twins: { plain: cut[0] as TensorId }, isWhole: true });
}

/** Values at the places of a mask, as `masked_scatter` has them: those that do not count go into a part behind the last one. */
function scatterNd(n: OnnxNode): void {
  const [x, indices, updates] = [n.input(0), n.input(1), n.input(2)];
  const depth = indices.shape.at(-1) as number;
  const isRows = indices.shape.length === 2 && depth > 0 && x.open === undefined;
  if (indices.open === undefined || !isRows || boundary(n, indices, indices.open) !== 0) return closed(n)(n);
  const id = n.plain(x);
  const [size, ...rest] = x.shape as [number, ...number[]];
  const [none] = n.add("broadcastTo", [zeroOf(n, id), n.b.integers([1, ...rest])], {}, [typeOf(n, id)]);
  const [all] = n.add("concat", [id, none], { axis: 0, ...NONE }, [typeOf(n, id)]) as [TensorId];
  const away = longs(n, [size, ...new Array(depth - 1).fill(0)], [1, depth]);
  const at = fromBeginning(n, n.plain(indices), longs(n, x.shape.slice(0, depth)));
  const places = masked({ ...n, plain: () => at } as OnnxNode, 1, away);
  const count = Math.min(indices.shape[0] as number, updates.shape[0] as number);
  const first = (part: TensorId) => {
    const { shape } = n.b.tensor(part);
    if (shape[0] === count) return part;
    const sizes = n.b.integers([count, ...shape.slice(1)]);
    return n.add("slice", [part, n.b.integers(shape.map(() => 0)), sizes], {}, [typeOf(n, part)])[0] as TensorId;
  };
  const inputs = [all, first(places), first(n.plain(updates))].map((each) => asValue(n.b, "", each));
  const y = n.plain(
    captured({ ...n, inputs }, (own) => closed(n)({ ...own, inputs, input: (i) => inputs[i] as Value })),
  );
  const cut = n.add("slice", [y, n.b.integers(x.shape.map(() => 0)), n.b.integers(x.shape)], {}, [typeOf(n, id)]);
  n.set(0, { shape: x.shape, twins: { plain: cut[0] as TensorId }, isWhole: true });
}

/** What counts, and a value after it up to a number of entries that is known. */
function pad(n: OnnxNode): void {
  const [x, link] = [n.input(0), numbersIn(n.inputs[1])];
  const { open, shape } = x;
  const k = open === undefined ? 0 : boundary(n, x, open);
  const isEnd = link?.isRest && link.open.count === open?.count && link.at === shape.length + k;
  const others = link?.sizes.filter((size, i) => size !== 0 && i !== link.at);
  if (!isEnd || others?.length || n.inputs[3] || n.string("mode", "constant") !== "constant") return closed(n)(n);
  const id = n.plain(x);
  const fill = n.inputs[2] ? reshapedTo(n, n.plain(n.input(2)), []) : zeroOf(n, id);
  const left = link.sizes[link.at] as number;
  const part = (size: number) => n.b.integers(shape.map((own, d) => (d === k ? size : own)));
  const type = [typeOf(n, id)];
  const all = [masked(n, 0, fill), ...(left > 0 ? n.add("broadcastTo", [fill, part(left)], {}, type) : [])];
  const [y] =
    left > 0
      ? n.add("concat", all, { axis: k, ...NONE }, type)
      : n.add("slice", [all[0], n.b.integers(shape.map(() => 0)), part((shape[k] as number) + left)], {}, type);
  n.set(0, { shape: n.b.tensor(y as TensorId).shape, twins: { plain: y as TensorId }, isWhole: true });
}

/** What is known of sizes goes first. */
const OPEN: Conversions = {
  Pad: pad,
  NonZero: nonZero,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  Gather: gather,
  GatherND: gatherNd,
  TopK: topK,
  Concat: concat,
  NonMaxSuppression: nonMaxSuppression,
};

export const OPENED: Conversions = {
  ...SIZES,
  ...Object.fromEntries(
    Object.entries(OPEN).map(([name, conversion]) => [
      name,
      (n: OnnxNode) => {
        const isSizes = n.inputs.some((value) => value?.link?.is === "sizes");
        (isSizes ? (SIZES[name] ?? conversion) : conversion)?.(n);
      },
    ]),
  ),
};
