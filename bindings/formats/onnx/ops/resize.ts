/** Resize and Upsample, one axis after the other: each output is a sum of weighed inputs along that axis. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis } from "../layout.ts";
import { isDequantized } from "../quantized.ts";
import { FLOAT, NONE } from "../types.ts";
import { axisOf, entries, typeOf } from "./move.ts";

/** How an axis is resized. */
interface Axis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** The part of x that is resized, from 0 to 1. */
  readonly region: readonly [number, number];
}

const f32 = Math.fround;

/** Where output i stands among the inputs, in float32 as onnxruntime computes it. */
function coordinate(n: OnnxNode, mode: string, i: number, { from, to, scale: exact, region }: Axis): number {
  const scale = f32(exact);
  const halfPixel = f32(f32((i + 0.5) / scale) - 0.5);
  switch (mode) {
    case "half_pixel":
      return halfPixel;
    case "half_pixel_symmetric": {
      const adjustment = f32(to / f32(scale * from));
      const offset = f32(f32(from / 2) * f32(1 - adjustment));
      return f32(offset + (i + 0.5) / scale - 0.5);
    }
    case "pytorch_half_pixel":
      return to > 1 ? halfPixel : 0;
    case "align_corners":
      return to > 1 ? f32((i * (from - 1)) / (to - 1)) : 0;
    case "asymmetric":
      return f32(i / scale);
    case "tf_half_pixel_for_nn":
      return f32((i + 0.5) / scale);
    case "tf_crop_and_resize": {
      const [start, end] = region;
      if (to <= 1) return f32(0.5 * f32(start + end) * (from - 1));
      const step = f32(f32(f32(i * f32(end - start)) * (from - 1)) / (to - 1));
      return f32(f32(start * (from - 1)) + step);
    }
    default:
      return n.refuse("a known coordinate_transformation_mode", mode);
  }
}

/** The input that is nearest. */
function nearest(n: OnnxNode, mode: string, x: number): number {
  switch (mode) {
    case "round_prefer_floor":
      return Math.ceil(x - 0.5);
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    default:
      return n.refuse("a known nearest_mode", mode);
  }
}

/** How far an input counts, and its weight at a distance of d. */
const KERNELS = {
  linear: { reach: 1, weight: (d: number) => Math.max(0, 1 - d) },
  cubic: {
    reach: 2,
    weight: (d: number, a: number) => {
      if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    },
  },
} as const;

/** Elements that one may be made of: each is an operator of its own. */
const MOST_TAPS = 4096;

/** Indices and weights of every tap of every output along an axis; with antialias the kernel is as wide as x is shrunk. */
export function tapsOf(n: OnnxNode, mode: "linear" | "cubic", transformation: string, axis: Axis) {
  const { reach, weight } = KERNELS[mode];
  const a = n.float("cubic_coeff_a", -0.75);
  const excludes = n.int("exclude_outside", 0) !== 0;
  const wide = n.int("antialias", 0) === 0 ? 1 : Math.max(1, 1 / axis.scale);
  const count = Math.ceil(2 * reach * wide) + (wide > 1 ? 1 : 0);
  if (!(count <= MOST_TAPS))
    n.refuse(`sizes that shrink so far that at most ${MOST_TAPS} elements make one`, `${count}`);
  entries(n, count * axis.to);
  const taps = Array.from({ length: count }, () => ({
    indices: new Int32Array(axis.to),
    weights: new Float32Array(axis.to),
  }));
  for (let i = 0; i < axis.to; i++) {
    const x = coordinate(n, transformation, i, axis);
    const first = wide > 1 ? Math.ceil(x - reach * wide) : Math.floor(x) - reach + 1;
    const own = taps.map((_, t) => weight(Math.abs(first + t - x) / wide, a));
    const inside = taps.map((_, t) => first + t >= 0 && first + t < axis.from);
    const counted = own.map((w, t) => (excludes && !inside[t] ? 0 : w));
    const total = excludes || wide > 1 ? counted.reduce((sum, w) => sum + w, 0) : 1;
    for (const [t, tap] of taps.entries()) {
      tap.indices[i] = Math.min(Math.max(first + t, 0), axis.from - 1);
      tap.weights[i] = (counted[t] as number) / total;
    }
  }
  return taps;
}

/** The axes that change, from scales or sizes. */
export function changesOf(n: OnnxNode): readonly Axis[] {
  const { shape } = n.input(0);
  const isUpsample = n.operator === "Upsample";
  const scalesAt = isUpsample || n.opset < 11 ? 1 : 2;
  const axes = (n.ints("axes") ?? shape.map((_, i) => i)).map((axis) => axisOf(n, axis, shape.length));
  const filled = (i: number) => (n.inputs[i] === undefined ? [] : (n.numbers(i) ?? []));
  const oldest = [1, 1, n.float("height_scale", 1), n.float("width_scale", 1)];
  const scales = n.floats("scales") ?? (isUpsample && n.opset < 7 ? oldest : filled(scalesAt));
  const sizes = scalesAt === 2 ? filled(3) : [];
  if (sizes.length > 0 && sizes.length !== axes.length) n.refuse(`${axes.length} sizes`, `${sizes.length}`);
  const isCrop = n.string("coordinate_transformation_mode", "") === "tf_crop_and_resize";
  const region = isCrop ? filled(1) : [];
  const policy = n.string("keep_aspect_ratio_policy", "stretch");
  const ratios = sizes.map((size, i) => size / (shape[axes[i] as number] as number));
  const kept =
    policy === "not_larger" ? Math.min(...ratios) : policy === "not_smaller" ? Math.max(...ratios) : undefined;
  const changes = axes.flatMap((axis, i) => {
    const from = shape[axis] as number;
    const scale = sizes.length > 0 ? (kept ?? (ratios[i] as number)) : (scales[i] ?? 1);
    const to =
      sizes.length === 0
        ? Math.floor(f32(from * scale))
        : kept === undefined
          ? (sizes[i] as number)
          : Math.floor(kept * from + 0.5);
    entries(n, to);
    const part = [region[i] ?? 0, region[i + axes.length] ?? 1] as const;
    // with antialias onnxruntime leaves an axis that keeps its size as it is, whatever its scale, and one of scale 1 whatever its region
    const isSame = to === from && (scale === 1 || n.int("antialias", 0) !== 0);
    return isSame ? [] : [{ axis, from, to, scale, region: part }];
  });
  // onnxruntime copies what keeps all its sizes, whatever the scales are
  return isCrop || changes.some(({ from, to }) => from !== to) ? changes : [];
}

/** Any resizing. Images between quantizations are summed in onnxruntime's order, so that ties fall as they do there. */
export function resize(n: OnnxNode): void {
  resized(n, isDequantized(n, n.input(0)));
}

/** The same with all images in that order. */
export function resizeInOrder(n: OnnxNode): void {
  resized(n, true);
}

function resized(n: OnnxNode, isInOrder: boolean): void {
  const x = n.input(0);
  const mode = n.string("mode", "nearest");
  const isOld = n.operator === "Upsample" || n.opset < 11;
  const transformation = isOld ? "asymmetric" : n.string("coordinate_transformation_mode", "half_pixel");
  const { ids, isLast } = operands(n, [x]);
  const rank = x.shape.length;
  let y = ids[0] as TensorId;
  const all = changesOf(n);
  const axes = all
    .map((change) => ({ ...change, axis: isLast ? lastAxis(change.axis, rank) : change.axis }))
    .sort((a, b) => a.axis - b.axis);
  const isLinear = mode === "linear" && transformation !== "tf_crop_and_resize" && n.int("antialias", 0) === 0;
  if (isLinear && isInOrder && (all.length === 2 || all.length === 3))
    return setIn(n, isLast, multilinear(n, y, transformation, axes));
  for (const change of all) {
    const axis = isLast ? lastAxis(change.axis, rank) : change.axis;
    if (mode === "nearest") {
      // before opset 11 axes that shrink take the next pixel
      const rounding = isOld ? (change.scale < 1 ? "ceil" : "floor") : n.string("nearest_mode", "round_prefer_floor");
      const indices = Array.from({ length: entries(n, change.to) }, (_, i) => {
        const at = nearest(n, rounding, coordinate(n, transformation, i, change));
        return Math.min(Math.max(at, 0), change.from - 1);
      });
      y = along(n, y, axis, n.b.integers(indices));
    } else if (mode === "linear" || mode === "cubic" || mode === "bilinear") {
      if (x.dtype !== "float32") n.refuse("float32", x.dtype);
      y = weigh(n, y, axis, tapsOf(n, mode === "cubic" ? "cubic" : "linear", transformation, change), rank);
    } else n.refuse("mode nearest, linear or cubic", mode);
  }
  if (transformation === "tf_crop_and_resize")
    for (const change of all) y = extrapolated(n, y, isLast ? lastAxis(change.axis, rank) : change.axis, change);
  setIn(n, isLast, y);
}

/** The value for what a region has beyond x. */
function extrapolated(n: OnnxNode, y: TensorId, axis: number, change: Axis): TensorId {
  const beyond = Uint8Array.from({ length: entries(n, change.to) }, (_, i) => {
    const x = coordinate(n, "tf_crop_and_resize", i, change);
    return x < 0 || x > change.from - 1 ? 1 : 0;
  });
  if (!beyond.includes(1)) return y;
  const { dtype, shape } = n.b.tensor(y);
  const mask = n.b.constant(
    "bool",
    shape.map((_, d) => (d === axis ? change.to : 1)),
    beyond,
  );
  const [value] = n.add("cast", [n.b.float(n.float("extrapolation_value", 0))], {}, [{ dtype }]);
  return n.add("selectV2", [mask, value, y], {}, [typeOf(n, y)])[0] as TensorId;
}

/** Elements along an axis by index. */
export function along(n: OnnxNode, x: TensorId, axis: number, indices: TensorId): TensorId {
  return n.add("gather", [x, indices], { axis, batchDims: 0 }, [typeOf(n, x)])[0] as TensorId;
}

/** A neighbour of each output along an axis, and how much it counts. */
interface Side {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

/** Neighbours of each output along an axis and their weights in float32, as onnxruntime has them. */
function neighbours(n: OnnxNode, transformation: string, axis: Axis): readonly Side[] {
  const { fround } = Math;
  const most = axis.from - 1;
  const places = Array.from({ length: entries(n, axis.to) }, (_, i) =>
    fround(Math.min(Math.max(coordinate(n, transformation, i, axis), 0), most)),
  );
  const first = places.map((x) => Math.min(Math.floor(x), most));
  const second = first.map((i) => Math.min(i + 1, most));
  const weight = (other: readonly number[]) =>
    places.map((x, i) => (first[i] === second[i] ? 0.5 : fround(Math.abs(x - (other[i] as number)))));
  return [
    { indices: first, weights: weight(second) },
    { indices: second, weights: weight(first) },
  ];
}

/** The neighbours of each output along two or three axes, the last one's side by side, in onnxruntime's order. */
function multilinear(n: OnnxNode, x: TensorId, transformation: string, axes: readonly Axis[]): TensorId {
  const { shape } = n.b.tensor(x);
  const sides = axes.map((axis) => neighbours(n, transformation, axis));
  const sizes = shape.map((_, d) => axes.find(({ axis }) => axis === d)?.to ?? 1);
  entries(n, elementCount(sizes));
  let total: TensorId | undefined;
  const visit = (d: number, chosen: TensorId, taken: readonly Side[]): void => {
    const [axis, side] = [axes[d], sides[d]];
    if (axis !== undefined && side !== undefined) {
      for (const each of side) visit(d + 1, along(n, chosen, axis.axis, n.b.integers(each.indices)), [...taken, each]);
      return;
    }
    const weights = outer(taken.map((each) => each.weights));
    const [part] = n.add("mul", [chosen, n.b.constant("float32", sizes, weights)], NONE, FLOAT);
    [total] = total === undefined ? [part] : n.add("add", [total, part], NONE, FLOAT);
  };
  visit(0, x, []);
  return total as TensorId;
}

/** The weights of all places of several axes: products of theirs, rounded after each, the last axis first. */
function outer(lists: readonly ArrayLike<number>[]): Float32Array {
  return lists.reduceRight<Float32Array>((inner, own) => {
    const all = new Float32Array(own.length * inner.length);
    for (let i = 0; i < own.length; i++) {
      const weight = f32(own[i] as number);
      for (let k = 0; k < inner.length; k++) all[i * inner.length + k] = (inner[k] as number) * weight;
    }
    return all;
  }, Float32Array.of(1));
}

/** The sum of taps, each with its weights along the axis. */
function weigh(n: OnnxNode, x: TensorId, axis: number, taps: ReturnType<typeof tapsOf>, rank: number): TensorId {
  let total: TensorId | undefined;
  for (const { indices, weights } of taps) {
    const shape = Array.from({ length: rank }, (_, i) => (i === axis ? weights.length : 1));
    const chosen = along(n, x, axis, n.b.integers([...indices]));
    const [part] = n.add("mul", [chosen, n.b.constant("float32", shape, weights)], NONE, FLOAT);
    total = total === undefined ? (part as TensorId) : (n.add("add", [total, part], NONE, FLOAT)[0] as TensorId);
  }
  return total as TensorId;
}
