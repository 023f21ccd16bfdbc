/**
 * Windows that the pool kernels have not: of three dimensions, dilated, counted with their padding, with the places of the
 * maxima. They are taken axis by axis, each as the maximum or sum of as many strided slices as the window is long.
 */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, type Value } from "../layout.ts";
import { BOOL, FLOAT, INT64, NONE } from "../types.ts";
import { outputSizes, type Windows } from "../window.ts";
import { poolWindows } from "./conv.ts";
import { channelled, entries, typeOf } from "./move.ts";

/** The least value of a type. */
const LEAST: { readonly [dtype: string]: number | undefined } = {
  float32: Number.NEGATIVE_INFINITY,
  int8: -128,
  uint8: 0,
  int16: -32768,
  int32: -2147483648,
};

/** x with `value` around it along an axis. */
function padded(n: OnnxNode, x: TensorId, axis: number, before: number, after: number, value: number): TensorId {
  const { shape, dtype } = n.b.tensor(x);
  if (before === 0 && after === 0) return x;
  const pairs = shape.flatMap((_, d) => (d === axis ? [before, after] : [0, 0]));
  const fill =
    dtype === "float32"
      ? n.b.float(value)
      : (n.add("cast", [n.b.integers([value], [])], {}, [{ dtype }])[0] as TensorId);
  const inputs = [x, n.b.integers(pairs, [shape.length, 2]), fill];
  return n.add("pad", inputs, {}, [typeOf(n, x)])[0] as TensorId;
}

/** `count` elements along some axes, from offsets with steps. */
function strided(n: OnnxNode, x: TensorId, cuts: ReadonlyMap<number, readonly [number, number, number]>): TensorId {
  const { shape } = n.b.tensor(x);
  const list = (pick: (size: number, d: number) => number) => n.b.integers(shape.map(pick));
  const begin = list((_, d) => cuts.get(d)?.[0] ?? 0);
  const end = list((size, d) => {
    const cut = cuts.get(d);
    return cut === undefined ? size : cut[0] + (cut[1] - 1) * cut[2] + 1;
  });
  const step = list((_, d) => cuts.get(d)?.[2] ?? 1);
  const attributes = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  return n.add("stridedSlice", [x, begin, end, step], attributes, [typeOf(n, x)])[0] as TensorId;
}

function requireFew(n: OnnxNode, slices: number): void {
  if (!(slices <= MOST_SLICES)) n.refuse(`windows of at most ${MOST_SLICES} places`, `${slices}`);
}

/** One axis after the other: padded, and its slices joined. */
function along(
  n: OnnxNode,
  id: TensorId,
  axes: readonly number[],
  windows: Windows,
  value: number,
  join: Join,
): TensorId {
  const outputs = outputSizes(
    axes.map((axis) => n.b.tensor(id).shape[axis] as number),
    windows,
  );
  requireFew(n, Math.max(...windows.kernel));
  return axes.reduce<TensorId>((x, axis, i) => {
    const [kernel, stride, dilation] = [
      windows.kernel[i] as number,
      windows.stride[i] as number,
      windows.dilation[i] as number,
    ];
    const from = padded(n, x, axis, windows.before[i] as number, Math.max(0, windows.after[i] as number), value);
    const cut = (k: number) => strided(n, from, new Map([[axis, [k * dilation, outputs[i] as number, stride]]]));
    return Array.from({ length: kernel }, (_, k) => cut(k)).reduce(join);
  }, id);
}

/** Slices that a window along one axis may be made of. */
const MOST_SLICES = 4096;

type Join = (a: TensorId, b: TensorId) => TensorId;

/** Greatest values of windows of any kind. */
function maximaOf(n: OnnxNode, x: Value, windows: Windows): void {
  const { ids, isLast } = operands(n, [x]);
  const id = ids[0] as TensorId;
  const rank = x.shape.length;
  const axes = windows.kernel.map((_, i) => (isLast ? lastAxis(i + 2, rank) : i + 2));
  const type = typeOf(n, id);
  const least = LEAST[x.dtype] ?? n.refuse("a type with a least value", x.dtype);
  const join: Join = (a, b) => n.add("maximum", [a, b], {}, [type])[0] as TensorId;
  setIn(n, isLast, along(n, id, axes, windows, least, join));
}

/** Maxima and where in x they stand, counted over all of x; of equals the first. */
function maximaWithPlaces(n: OnnxNode, x: Value, windows: Windows): void {
  const sizes = x.shape.slice(2);
  const outputs = outputSizes(sizes, windows);
  const least = LEAST[x.dtype] ?? n.refuse("a type with a least value", x.dtype);
  const from = sizes.reduce<TensorId>(
    (id, _, i) => padded(n, id, i + 2, windows.before[i] as number, Math.max(0, windows.after[i] as number), least),
    n.plain(x),
  );
  const [batch, channels] = channelled(n, x.shape);
  const shape = [batch, channels, ...outputs];
  const isColumns = n.int("storage_order", 0) !== 0;
  const strideOf = (d: number) => (isColumns ? elementCount(sizes.slice(0, d)) : elementCount(sizes.slice(d + 1)));
  const type = typeOf(n, n.plain(x));
  requireFew(n, elementCount(windows.kernel));
  let best: TensorId | undefined;
  let places: TensorId | undefined;
  for (let k = 0; k < elementCount(windows.kernel); k++) {
    const offsets = windows.kernel.map(
      (_, d) => Math.floor(k / elementCount(windows.kernel.slice(d + 1))) % (windows.kernel[d] as number),
    );
    const cuts = new Map(
      offsets.map(
        (offset, d) =>
          [
            d + 2,
            [offset * (windows.dilation[d] as number), outputs[d] as number, windows.stride[d] as number],
          ] as const,
      ),
    );
    const value = strided(n, from, cuts);
    const at = BigInt64Array.from({ length: entries(n, elementCount(shape)) }, (_, i) => {
      const image = Math.floor(i / elementCount(outputs));
      let place = image * elementCount(sizes);
      for (const [d, offset] of offsets.entries()) {
        const o = Math.floor(i / elementCount(outputs.slice(d + 1))) % (outputs[d] as number);
        const p =
          o * (windows.stride[d] as number) + offset * (windows.dilation[d] as number) - (windows.before[d] as number);
        place += p * strideOf(d);
      }
      return BigInt(place);
    });
    const own = n.b.constant("int64", shape, at);
    if (best === undefined || places === undefined) {
      best = value;
      places = own;
      continue;
    }
    const isMore = n.add("greater", [value, best], {}, BOOL)[0] as TensorId;
    places = n.add("selectV2", [isMore, own, places], {}, INT64)[0] as TensorId;
    best = n.add("maximum", [best, value], {}, [type])[0] as TensorId;
  }
  n.setPlain(0, best as TensorId);
  n.setPlain(1, places as TensorId);
}

/** Sums of windows of any kind on a tensor in ONNX's order. */
export function sums(n: OnnxNode, id: TensorId, windows: Windows): TensorId {
  const add: Join = (a, b) => n.add("add", [a, b], NONE, FLOAT)[0] as TensorId;
  const axes = windows.kernel.map((_, i) => i + 2);
  return along(n, id, axes, windows, 0, add);
}

/** Means of windows of any kind; `isPadCounted`: of the window's size where it stands on padding that the file states. */
function meansIn(n: OnnxNode, x: Value, windows: Windows, isPadCounted: boolean): void {
  const { ids, isLast } = operands(n, [x]);
  setIn(n, isLast, meansOf(n, x, ids[0] as TensorId, isLast, windows, isPadCounted));
}

/** The same of a tensor of x in one order, which the result is in too. */
export function meansOf(
  n: OnnxNode,
  x: Pick<Value, "shape">,
  id: TensorId,
  isLast: boolean,
  windows: Windows,
  isPadCounted: boolean,
): TensorId {
  const rank = x.shape.length;
  const axes = windows.kernel.map((_, i) => (isLast ? lastAxis(i + 2, rank) : i + 2));
  const add: Join = (a, b) => n.add("add", [a, b], NONE, FLOAT)[0] as TensorId;
  const sum = along(n, id, axes, windows, 0, add);
  const sizes = x.shape.slice(2);
  const outputs = outputSizes(sizes, windows);
  // how many of a window count is a product over the axes; the sum is divided once, as onnxruntime does it
  const each = axes.map((_, i) => {
    const [before, after] = isPadCounted ? [windows.before[i] as number, windows.counted[i] as number] : [0, 0];
    const [lo, hi] = [-before, (sizes[i] as number) + after];
    const kernel = windows.kernel[i] as number;
    return Array.from({ length: entries(n, (outputs[i] as number) * kernel) / kernel }, (_, o) => {
      const first = o * (windows.stride[i] as number) - (windows.before[i] as number);
      const positions = Array.from({ length: kernel }, (_, k) => first + k * (windows.dilation[i] as number));
      return Math.max(1, positions.filter((p) => p >= lo && p < hi).length);
    });
  });
  entries(n, elementCount(outputs));
  const counts = each.reduce<readonly number[]>((all, own) => all.flatMap((a) => own.map((b) => a * b)), [1]);
  const shape = x.shape.map((_, d) => each[axes.indexOf(d)]?.length ?? 1);
  const divisor = n.b.constant("float32", shape, Float32Array.from(counts));
  return n.add("div", [sum, divisor], NONE, FLOAT)[0] as TensorId;
}

/** MaxPool of any windows, with places where they are asked for. */
export function maxima(n: OnnxNode): void {
  const x = n.input(0);
  (n.outputs[1] ? maximaWithPlaces : maximaOf)(n, x, poolWindows(n, x));
}

/** AveragePool of any windows. */
export function means(n: OnnxNode): void {
  const x = n.input(0);
  const windows = poolWindows(n, x);
  const isPadded = [...windows.before, ...windows.after].some((pad) => pad > 0);
  meansIn(n, x, windows, isPadded && n.int("count_include_pad", 0) !== 0);
}
