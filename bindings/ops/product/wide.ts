/** Products whose numbers do not fit the int8 kernels: 16-bit activations, and weights with a zero point. */
import type { Activation } from "../../graph.ts";
import type { ParamBlocks } from "../../primitives/params.ts";
import { packLanes, packWideWeights, type Rounding, wideLayout } from "../../primitives/product/wide.ts";
import { activationRange, quantizeMultipliers } from "../../primitives/requantize/quantization.ts";
import { packRecords } from "../../primitives/requantize/requantize.ts";
import { elementCount } from "../../tensor.ts";
import { type Constrained, inputOf, outputOf } from "../constraints.ts";
import type { Lowering } from "../types.ts";
import { biasValues, inputZeroPoint, int8 } from "./weights.ts";

/** Where the windows of a product stand. */
export type Patches = Omit<ParamBlocks["Conv2d"], keyof ParamBlocks["Gemm"]>;

/** One convolution, or one group of it. Strides count elements. */
export interface WideProduct {
  /** The first output channel, and the first input channel. */
  readonly first: number;
  readonly firstInput: number;
  readonly m: number;
  readonly n: number;
  readonly xPixel: number;
  readonly y: { readonly first: number; readonly pixel: number; readonly line: number; readonly image: number };
  /** Weights `[n][k]`, less their zero points. */
  readonly w: Int16Array;
  readonly reals: ArrayLike<number>;
  readonly activation: Activation;
  readonly patches: Patches;
}

/** True where the int8 kernels do not do. */
export function isWide(node: Constrained): boolean {
  return (
    inputOf(node, 0).dtype === "int16" ||
    isPackedMatrix(node) ||
    weightZeroPoints(node).some((zeroPoint) => zeroPoint !== 0)
  );
}

/** int4 weights of a fully-connected layer: TFLite Micro has no rule for them, TensorFlow's rounds once. */
function isPackedMatrix(node: Constrained): boolean {
  const w = inputOf(node, 1);
  return w.storedBits === 4 && w.shape.length === 2;
}

/** Zero points of the weights; convolutions of int8 take none, whatever the file says. */
function weightZeroPoints(node: Constrained): readonly number[] {
  const { quantization, shape, unsigned } = inputOf(node, 1);
  return shape.length === 4 && !unsigned ? [] : (quantization?.zeroPoint ?? []);
}

/** How the reference rounds the node's sums. */
function roundingOf(node: Constrained): Rounding {
  if (isPackedMatrix(node)) return "once";
  return inputOf(node, 0).dtype === "int16" && node.inputs[2]?.dtype !== "int32" ? "upper" : "twice";
}

/** Weights of `channels` outputs less their zero points, `[channels][depth]`; `by` says where (channel, i) stands. */
export function centred(
  node: Constrained,
  first: number,
  channels: number,
  depth: number,
  by: "rows" | "columns" = "rows",
): Int16Array {
  const data = int8(inputOf(node, 1));
  const zeroPoints = weightZeroPoints(node);
  const total = by === "rows" ? 0 : elementCount(inputOf(node, 1).shape) / depth;
  const w = new Int16Array(channels * depth);
  for (let c = 0; c < channels; c++) {
    const zeroPoint = zeroPoints[zeroPoints.length === 1 ? 0 : first + c] ?? 0;
    for (let i = 0; i < depth; i++) {
      const from = by === "rows" ? (first + c) * depth + i : i * total + first + c;
      w[c * depth + i] = (data[from] as number) - zeroPoint;
    }
  }
  return w;
}

/** Records and what goes with them: one row of w for each of n channels from `first` on, `[n][k]`. */
function finishing(
  node: Constrained,
  to: Lowering,
  product: Pick<WideProduct, "first" | "m" | "n" | "w" | "reals" | "activation">,
) {
  const { first, m, n, w, reals, activation } = product;
  const [x, y] = [inputOf(node, 0), outputOf(node)];
  const k = w.length / n;
  const { scale = [1], zeroPoint = [0] } = y.quantization ?? {};
  const affine = { scale: scale[0] as number, zeroPoint: zeroPoint[0] ?? 0 };
  const output = { zeroPoint: affine.zeroPoint, ...activationRange(activation, y.dtype as "int8" | "int16", affine) };
  const multipliers = quantizeMultipliers(reals.length === 1 ? reals : Array.from(reals).slice(first, first + n));
  const bias = biasValues(node.inputs[2])?.slice(first, first + n);
  const rounding = roundingOf(node);
  const [least, most] =
    x.dtype === "int16" ? [-32768, 32767] : [-128 - inputZeroPoint(node), 127 - inputZeroPoint(node)];
  const { min, max } = boundsOf(w, n, bias, least, most);
  const bound = min.map((value, c) => Math.max(-value, max[c] as number));
  const lanes = y.dtype === "int16" || rounding === "once";
  const wide = rounding === "upper" && bound.some((value) => value >= 2 ** 31);
  const common = {
    ...{ bias: 0, biasBytes: 0, xBytes: x.dtype === "int16" ? 2 : 1, yBytes: y.dtype === "int16" ? 2 : 1 },
    ...{ lanes: lanes ? 1 : 0, yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
  };
  if (lanes) {
    const narrow = !wide && y.dtype === "int16";
    const records = packLanes(to.module, n, multipliers, { bias, most: bound }, rounding, narrow);
    return { fields: { ...common, q: to.place(records) }, wide };
  }
  const each = (values: Int32Array) => (values.length === n ? values : new Int32Array(n).fill(values[0] as number));
  const channels = {
    ...{ bias: bias === undefined ? new Int32Array(n) : Int32Array.from(bias, Number), min, max },
    ...{ multiplier: each(multipliers.multiplier), shift: each(multipliers.shift), sum: new Int32Array(n), zeros: 0 },
  };
  const { bytes } = packRecords(to.module, channels, output, { rows: m, depth: k }, to.packer);
  return { fields: { ...common, q: to.place(bytes) }, wide };
}

/** Bounds of the sums of w, `[n][k]`, with inputs from `least` to `most`. */
function boundsOf(w: Int16Array, n: number, bias: ArrayLike<number | bigint> | undefined, least: number, most: number) {
  const min = new Float64Array(n);
  const max = new Float64Array(n);
  const k = w.length / n;
  for (let c = 0; c < n; c++) {
    let positive = 0;
    let negative = 0;
    for (let i = c * k; i < (c + 1) * k; i++) {
      const value = w[i] as number;
      if (value > 0) positive += value;
      else negative -= value;
    }
    const start = Number(bias?.[c] ?? 0);
    min[c] = start + positive * least - negative * most;
    max[c] = start + positive * most - negative * least;
  }
  return { min, max };
}

/** A product over patches. */
export function lowerWide(node: Constrained, to: Lowering, product: WideProduct): void {
  const { firstInput, m, n, w, xPixel, y, patches } = product;
  const k = w.length / n;
  const { fields, wide } = finishing(node, to, product);
  const { bytes, wBytes } = packWideWeights(to.module, w, n, k);
  const pairs = Math.ceil(k / 2);
  const { mBlock, rows, scratchBytes } = wideLayout(m, pairs, 0);
  to.call({
    kernel: "productWide",
    params: {
      ...fields,
      ...patches,
      x: (to.inputs[0]?.address ?? 0) + firstInput * fields.xBytes,
      y: (to.outputs[0]?.address ?? 0) + y.first * fields.yBytes,
      ...{ w: to.place(bytes), wBytes, computed: 0, ...to.scratch(scratchBytes), m, n, pairs, mBlock, rows, spread: 1 },
      ...{ chunk: wide ? chunkOf(w) : 0, xStep: fields.xBytes, xPixel: xPixel * fields.xBytes },
      ...{ yPixel: y.pixel * fields.yBytes, yLine: y.line * fields.yBytes, yImage: y.image * fields.yBytes },
    },
    note: `${wide ? "64-bit" : "32-bit"} sums, ${m}x${n}x${k}`,
  });
}

/** Pairs of products of int16 with w that 32 bits hold. */
function chunkOf(w: Int16Array): number {
  const most = w.reduce((size, value) => Math.max(size, Math.abs(value)), 1);
  return Math.max(1, Math.floor((2 ** 31 - 1) / (2 * most * 32768)));
}

/** y as rows of pixels without gaps. */
export function dense(patches: Patches, channels: number, first = 0): WideProduct["y"] {
  const line = patches.outW * channels;
  return { first, pixel: channels, line, image: patches.outH * line };
}

/** A depthwise convolution, weights int8 `[k][outputs]` as they are. */
export function lowerDepthwiseWide(
  node: Constrained,
  to: Lowering,
  { batch, ...product }: Pick<WideProduct, "n" | "patches" | "reals" | "activation"> & { readonly batch: number },
): void {
  const { n, patches } = product;
  const k = patches.kH * patches.kW;
  const w = centred(node, 0, n, k, "columns");
  const m = batch * patches.outH * patches.outW;
  const { fields, wide } = finishing(node, to, { ...product, first: 0, m, w });
  to.call({
    kernel: "dwconvWide",
    params: {
      ...fields,
      ...patches,
      ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, w: to.inputs[1]?.address ?? 0, batch },
      ...{ multiplier: n / patches.inC, wZeroPoint: weightZeroPoints(node)[0] ?? 0, wide: wide ? 1 : 0 },
      ...to.scratch(SUMS_BYTES),
    },
    note: `depthwise of ${wide ? "64-bit" : "32-bit"} sums, ${patches.kH}x${patches.kW}`,
  });
}

const SUMS_BYTES = 64;
