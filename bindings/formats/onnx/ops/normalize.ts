/** Normalizations, as the formulas that they are. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { BOOL, FLOAT as float } from "../types.ts";
import { real } from "./cast.ts";
import { isTraining } from "./conv.ts";
import { axisIn, channelled, entries, optional, reshapedTo } from "./move.ts";

function meanOver(n: OnnxNode, x: TensorId, axes: readonly number[]): TensorId {
  return n.add("mean", [x, n.b.integers(axes)], { keepDims: true }, float)[0] as TensorId;
}

/** (x − mean) / sqrt(variance + epsilon)·scale + bias over axes, where scale and bias are given. */
export function normalized(
  n: OnnxNode,
  x: TensorId,
  axes: readonly number[],
  epsilon: number,
  scale?: TensorId,
  bias?: TensorId,
): TensorId {
  const { shape } = n.b.tensor(x);
  const depth = elementCount(shape.slice(-axes.length));
  if (depth > 0 && axes.length > 0 && axes.every((axis, i) => axis === shape.length - axes.length + i)) {
    const fits = [scale, bias].every((id) => id === undefined || elementCount(n.b.tensor(id).shape) === depth);
    const given = fits ? [scale, bias] : [];
    const inputs = given.some((id) => id !== undefined) ? [x, ...given] : [x];
    const attributes = { dimensions: axes.length, epsilon };
    const [y] = n.add("layerNorm", inputs, attributes, float);
    return fits ? (y as TensorId) : scaled(n, y as TensorId, scale, bias);
  }
  const centred = real(n, "sub", x, meanOver(n, x, axes));
  const variance = meanOver(n, real(n, "mul", centred, centred), axes);
  const [deviation] = n.add("sqrt", [real(n, "add", variance, n.b.float(epsilon))], {}, float);
  return scaled(n, real(n, "div", centred, deviation as TensorId), scale, bias);
}

/** y·scale + bias, where they are given. */
function scaled(n: OnnxNode, y: TensorId, scale: TensorId | undefined, bias: TensorId | undefined): TensorId {
  const product = scale === undefined ? y : real(n, "mul", y, scale);
  return bias === undefined ? product : real(n, "add", product, bias);
}

function layerNormalization(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const first = axisIn(n, -1, rank);
  const axes = x.shape.map((_, i) => i).slice(first);
  const id = n.plain(x);
  if (n.outputs[1]) n.setPlain(1, meanOver(n, id, axes));
  if (n.outputs[2]) {
    const centred = real(n, "sub", id, meanOver(n, id, axes));
    const variance = meanOver(n, real(n, "mul", centred, centred), axes);
    const [root] = n.add("sqrt", [real(n, "add", variance, n.b.float(n.float("epsilon", 1e-5)))], {}, float);
    n.setPlain(2, real(n, "div", n.b.float(1), root as TensorId));
  }
  n.setPlain(0, normalized(n, id, axes, n.float("epsilon", 1e-5), optional(n, 1), optional(n, 2)));
}

/** x / sqrt(mean(x²) + epsilon)·scale over axes. */
export function rootMeanSquared(
  n: OnnxNode,
  x: TensorId,
  axes: readonly number[],
  epsilon: number,
  scale: TensorId | undefined,
): TensorId {
  const square = meanOver(n, real(n, "mul", x, x), axes);
  const [root] = n.add("sqrt", [real(n, "add", square, n.b.float(epsilon))], {}, float);
  return scaled(n, real(n, "div", x, root as TensorId), scale, undefined);
}

/** The same over the axes from `axis` on. */
function rmsNormalization(n: OnnxNode): void {
  const x = n.input(0);
  const axes = x.shape.map((_, i) => i).slice(axisIn(n, -1, x.shape.length));
  n.setPlain(0, rootMeanSquared(n, n.plain(x), axes, n.float("epsilon", 1e-5), optional(n, 1)));
}

/** x + skip (+ bias), normalized over the last dimension. */
function skipLayerNormalization(n: OnnxNode): void {
  const x = n.input(0);
  let sum = real(n, "add", n.plain(x), n.plain(n.input(1)));
  const bias = optional(n, 4);
  if (bias !== undefined) sum = real(n, "add", sum, bias);
  const axes = [x.shape.length - 1];
  n.setPlain(0, normalized(n, sum, axes, n.float("epsilon", 1e-12), optional(n, 2), optional(n, 3)));
  if (n.outputs[3]) n.setPlain(3, sum);
}

/** Over groups of channels and all of the picture; scale and bias by channel, or by group in older opsets. */
function groupNormalization(n: OnnxNode, groups: number): void {
  const x = n.input(0);
  const [batch, channels, ...sizes] = channelled(n, x.shape);
  const grouped = reshapedTo(n, n.plain(x), [batch, groups, (channels / groups) * elementCount(sizes)]);
  const y = reshapedTo(n, normalized(n, grouped, [2], n.float("epsilon", 1e-5)), x.shape);
  const perChannel = (i: number): TensorId => {
    const id = n.plain(n.input(i));
    const count = elementCount(n.input(i).shape);
    const shape = sizes.map(() => 1);
    if (count === channels) return reshapedTo(n, id, [channels, ...shape]);
    const wide = n.add("tile", [reshapedTo(n, id, [count, 1]), n.b.integers([1, channels / count])], {}, float);
    return reshapedTo(n, wide[0] as TensorId, [channels, ...shape]);
  };
  n.setPlain(0, scaled(n, y, perChannel(1), perChannel(2)));
}

/** BatchNormalization by numbers that are computed, or by those of the batch itself, which move the running ones. */
export function computedNormalization(n: OnnxNode): void {
  const x = n.input(0);
  // before opset 9 every place of a picture may have numbers of its own
  const isSpatial = n.int("spatial", 1) !== 0;
  const id = isSpatial ? n.last(x) : n.plain(x);
  const axes = x.shape.slice(1).map((_, d) => d);
  let [mean, variance] = [n.plain(n.input(3)), n.plain(n.input(4))];
  const isOfBatch = isTraining(n);
  if (isOfBatch) {
    const momentum = n.float("momentum", 0.9);
    const moved = (i: number, own: TensorId) => {
      const before = real(n, "mul", n.plain(n.input(i)), n.b.float(momentum));
      const y = real(n, "add", before, real(n, "mul", own, n.b.float(1 - momentum)));
      n.setPlain(i - 2, reshapedTo(n, y, [x.shape[1] as number]));
      return own;
    };
    mean = moved(3, meanOver(n, id, axes));
    const centred = real(n, "sub", id, mean);
    variance = moved(4, meanOver(n, real(n, "mul", centred, centred), axes));
  }
  const [root] = n.add("sqrt", [real(n, "add", variance, n.b.float(n.float("epsilon", 1e-5)))], {}, float);
  if (isOfBatch && n.outputs.length > 3) {
    const inverse = real(n, "div", n.b.float(1), root as TensorId);
    for (const [i, own] of [mean, inverse].entries()) n.setPlain(3 + i, reshapedTo(n, own, [x.shape[1] as number]));
  }
  const y = real(n, "div", real(n, "sub", id, mean), root as TensorId);
  const z = scaled(n, y, n.plain(n.input(1)), n.plain(n.input(2)));
  if (isSpatial) n.setLast(0, z, x.shape);
  else n.setPlain(0, z);
}

/** x / (Σ|x|^p)^(1/p) along an axis. */
function lpNormalization(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisIn(n, -1, x.shape.length);
  const id = n.plain(x);
  const isOne = n.int("p", 2) === 1;
  const term = isOne ? (n.add("abs", [id], {}, float)[0] as TensorId) : real(n, "mul", id, id);
  let norm = n.add("sum", [term, n.b.integers([axis])], { keepDims: true }, float)[0] as TensorId;
  if (!isOne) norm = n.add("sqrt", [norm], {}, float)[0] as TensorId;
  // where all is 0 it stays 0
  const [isNone] = n.add("equal", [norm, n.b.float(0)], {}, BOOL);
  const own = n.add("selectV2", [isNone, n.b.float(1), norm], {}, float)[0] as TensorId;
  n.setPlain(0, real(n, "div", id, own));
}

/** x / (bias + alpha/size·Σ x²)^beta, summed over neighbouring channels: slices of the padded squares. */
function localResponse(n: OnnxNode): void {
  const x = n.input(0);
  const size = n.int("size", 1);
  const id = n.last(x);
  const { shape } = n.b.tensor(id);
  const last = shape.length - 1;
  const before = Math.floor((size - 1) / 2);
  const pads = shape.flatMap((_, d) => (d === last ? [before, size - 1 - before] : [0, 0]));
  const inputs = [real(n, "mul", id, id), n.b.integers(pads, [shape.length, 2]), n.b.float(0)];
  const [padded] = n.add("pad", inputs, {}, float);
  const slices = Array.from({ length: entries(n, size * 4096) / 4096 }, (_, i) => {
    const begins = n.b.integers(shape.map((_, d) => (d === last ? i : 0)));
    return n.add("slice", [padded, begins, n.b.integers(shape)], {}, float)[0] as TensorId;
  });
  const sum = slices.reduce((a, b) => real(n, "add", a, b));
  const base = real(
    n,
    "add",
    real(n, "mul", sum, n.b.float(n.float("alpha", 1e-4) / size)),
    n.b.float(n.float("bias", 1)),
  );
  const [power] = n.add("pow", [base, n.b.float(n.float("beta", 0.75))], {}, float);
  n.setLast(0, real(n, "div", id, power as TensorId), x.shape);
}

export const NORMALIZATIONS: Conversions = {
  LRN: localResponse,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  "com.microsoft.SkipLayerNormalization": skipLayerNormalization,
  InstanceNormalization: (n) => groupNormalization(n, n.input(0).shape[1] as number),
  GroupNormalization: (n) => groupNormalization(n, n.int("num_groups", 1)),
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: (n) => {
    // before opset 9 each picture by itself, and each channel unless it says otherwise
    const old = n.int("across_channels", 0) === 0 ? [2, 3] : [1, 2, 3];
    const axes = n.ints("axes") ?? (n.opset < 9 ? old : [0, 2, 3]);
    if (n.int("normalize_variance", 1) === 0) n.refuse("a normalized variance", "normalize_variance 0");
    n.setPlain(0, normalized(n, n.plain(n.input(0)), axes, 1e-9));
  },
};
