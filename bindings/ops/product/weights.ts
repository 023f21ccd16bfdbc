/** What convolutions and fully-connected layers check and pack alike. */
import type { Activation, Rounding } from "../../graph.ts";
import { byProofs, channelsOf, settleConstants, type Weights } from "../../primitives/requantize/channels.ts";
import {
  type Affine,
  activationRange,
  type Multipliers,
  quantizeMultipliers,
  type Range,
} from "../../primitives/requantize/quantization.ts";
import { packRecords } from "../../primitives/requantize/requantize.ts";
import type { Channels, NearestFactors, Output, Packer } from "../../primitives/requantize/types.ts";
import { type DType, scaleOf, type Tensor, zeroOf } from "../../tensor.ts";
import {
  type Constrained,
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireBias,
  requireChannelScales,
  requireDType,
  requireRatio,
  requireSymmetric,
} from "../constraints.ts";
import type { Lowering } from "../types.ts";

/**
 * C2: x and y both int8 or both int16, per tensor, the zero point of int16 x is 0. C3: weights int8, one scale or one per output channel along `axis`,
 * or a matrix of int16 with zero point 0 that is computed, where x is int16.
 * C4: bias absent or int32 `[channels]`, of int16 also int64. Returns the type of y.
 */
export function requireWeights(node: Constrained, channels: number, axis: number): DType {
  const x = inputOf(node, 0);
  const w = inputOf(node, 1);
  const bias = node.inputs[2];
  const y = outputOf(node);
  const dtype = requireDType(node, "C2", x, "int8", "int16");
  requireDType(node, "C2", y, dtype);
  requireAffine(node, "C2", x);
  requireAffine(node, "C2", y);
  // differences of 17 bits are no numbers of the kernels
  requireSymmetric(node, "C2", x);
  // two tensors that a run computes, as attention multiplies them
  const isPair = dtype === "int16" && w.data === undefined && w.shape.length === 2;
  requireDType(node, "C3", w, "int8", ...(isPair ? (["int16"] as const) : []));
  requireSymmetric(node, "C3", w);
  requireChannelScales(node, "C3", w, channels, axis);
  const { zeroPoint = [] } = w.quantization ?? {};
  const one = zeroPoint.length < 2 || zeroPoint.every((each) => each === zeroPoint[0]);
  constrain(
    node,
    "C3",
    one || (w.data !== undefined && (!(w.unsigned && w.shape.length === 4) || roundingOf(node) !== undefined)),
    () => ({ expected: "one zero point of the weights", received: `${zeroPoint.length} that differ` }),
    "UNSUPPORTED",
  );
  if (!(realOf(node, greatest(w.quantization?.scale ?? [])) < SURELY_RATIO))
    for (const ratio of reals(node)) requireRatio(node, "C3", ratio);
  if (bias === undefined) return dtype;
  if (dtype === "int16") requireDType(node, "C4", bias, "int64", "int32");
  else requireDType(node, "C4", bias, "int32");
  requireBias(node, "C4", bias, channels);
  return dtype;
}

/** Ratios below are taken without a look. */
const SURELY_RATIO = 2 ** 28;

/** The greatest of scales, which several passes ask for. */
function greatest(scales: readonly number[]): number {
  let most = GREATEST.get(scales);
  if (most === undefined) {
    most = 0;
    for (let i = 0; i < scales.length; i++) most = Math.max(most, Math.abs(scales[i] as number));
    GREATEST.set(scales, most);
  }
  return most;
}
const GREATEST = new WeakMap<readonly number[], number>();

/** s_x·s/s_y, whatever TFLite's rounding makes of it. */
const realOf = (node: Constrained, scale: number) => (scaleOf(inputOf(node, 0)) * scale) / scaleOf(outputOf(node));

/** s_x·s_w/s_y of each channel, in double precision as TFLite computes it; of legacy uint8 its product of scales is a float. */
export function reals(node: Constrained): Float64Array {
  const [sx, sy] = [scaleOf(inputOf(node, 0)), scaleOf(outputOf(node))];
  const sw = inputOf(node, 1).quantization?.scale ?? [];
  const ratios = new Float64Array(sw.length);
  const legacy = inputOf(node, 0).unsigned === true;
  for (let c = 0; c < sw.length; c++) {
    const product = sx * (sw[c] as number);
    ratios[c] = (legacy ? Math.fround(product) : product) / sy;
  }
  return ratios;
}

/** How the node's result is rounded, where that is another rule than TensorFlow Lite's. */
export function roundingOf({ attributes }: Constrained): Rounding | undefined {
  return attributes && "rounding" in attributes ? (attributes.rounding as Rounding | undefined) : undefined;
}

/** onnxruntime's factor of each channel, rounded to float32 after each step. */
function onnxFactors(node: Constrained): Float32Array {
  const { fround } = Math;
  const [sx, sy] = [fround(scaleOf(inputOf(node, 0))), fround(scaleOf(outputOf(node)))];
  const factors = new Float32Array(inputOf(node, 1).quantization?.scale ?? []);
  for (let c = 0; c < factors.length; c++) factors[c] = fround(sx * (factors[c] as number)) / sy;
  return factors;
}

/** The factors of n channels from `first` on, or of all, by the node's rule; those in double precision where they are at hand. */
export function factorsOfNode(
  node: Constrained,
  first: number,
  n: number,
  given?: ArrayLike<number>,
): Multipliers | NearestFactors {
  const rounding = roundingOf(node);
  if (rounding) {
    const all = onnxFactors(node);
    const scale = all.length === 1 ? all : all.slice(first, first + n);
    return rounding.offsets ? { scale, offset: rounding.offsets.slice(first, first + n) } : { scale };
  }
  if (node.attributes && "once" in node.attributes) {
    return part(node.attributes.once as Multipliers, first, n);
  }
  const real = given ?? reals(node);
  return quantizeMultipliers(real.length === 1 ? real : Array.prototype.slice.call(real, first, first + n));
}

/** The n channels from `first` on as they are, or by proofs where the node is of int8 and rounded once, as `liteRounding` leaves it. */
export function roundedChannels(
  { attributes }: Constrained,
  channels: Channels,
  output: Output,
  { first, n, packer }: { readonly first: number; readonly n: number; readonly packer: Packer },
): Channels {
  if (!(attributes && "once" in attributes)) return channels;
  const { exact } = attributes.once as { readonly exact?: Multipliers };
  return exact ? byProofs(channels, part(exact, first, n), output, packer) : channels;
}

/** Those of n channels from `first` on, or the one of all. */
function part(all: Multipliers, first: number, n: number): Multipliers {
  if (all.multiplier.length === 1) return all;
  return { multiplier: all.multiplier.slice(first, first + n), shift: all.shift.slice(first, first + n) };
}

/** A constant's bytes as int8. */
export function int8(tensor: Tensor): Int8Array {
  const { buffer, byteOffset, byteLength } = tensor.data ?? new Uint8Array(0);
  return new Int8Array(buffer, byteOffset, byteLength);
}

/** A constant's bytes as int32; copied, since a file need not align them. */
export function int32(tensor: Tensor | undefined): Int32Array | undefined {
  return tensor?.data && new Int32Array(tensor.data.slice().buffer);
}

/** A constant bias, of 32 or 64 bits. */
export function biasValues(tensor: Tensor | undefined): Int32Array | BigInt64Array | undefined {
  if (tensor?.data === undefined) return undefined;
  return tensor.dtype === "int64" ? new BigInt64Array(tensor.data.slice().buffer) : int32(tensor);
}

/** Scale and zero point of a node's output; 1 and 0 of what is not quantized. */
export function outputAffine(node: Constrained): Affine {
  const y = outputOf(node);
  return { scale: y.quantization === undefined ? 1 : scaleOf(y), zeroPoint: zeroOf(y) };
}

/** The clamp and zero point of a node's output. */
export function outputOfNode(node: Constrained, activation: Activation): Output {
  const affine = outputAffine(node);
  return { zeroPoint: affine.zeroPoint, ...within(node, affine, activationRange(activation, "int8", affine)) };
}

/** The part of a range that the node's own clamp leaves. */
export function within(node: Constrained, { zeroPoint }: Affine, { lo, hi }: Range): Range {
  const rounding = roundingOf(node);
  if (rounding === undefined) return { lo, hi };
  return { lo: Math.max(lo, zeroPoint + rounding.lo), hi: Math.min(hi, zeroPoint + rounding.hi) };
}

/** The input's zero point. */
export function inputZeroPoint(node: Constrained): number {
  return zeroOf(inputOf(node, 0));
}

/**
 * Packs the requantize records of `weights`, whose channels begin at `first` of the node's, are the same ones `repeat` times, and have
 * `rows` outputs each, and places them. Returns the weights to pack, those of channels that do not depend on the input being zeros, and how
 * many are zero.
 */
export function placeRecords(
  node: Constrained,
  to: Lowering,
  weights: Weights,
  output: Output,
  rows: number,
  { first = 0, repeat = 1 }: { readonly first?: number; readonly repeat?: number } = {},
): { readonly q: number; readonly forms: string; readonly data: Int8Array; readonly zeros: number } {
  const own = weights.channels / repeat;
  const factors = factorsOfNode(node, first, own);
  const bias = int32(node.inputs[2])?.subarray(first, first + own);
  const channels = channelsOf(weights, bias, inputZeroPoint(node), factors, to.packer);
  const { data, zeros } = settleConstants(weights, channels, output);
  const settled = roundedChannels(node, channels, output, { first, n: own, packer: to.packer });
  const { bytes, forms } = packRecords(to.module, settled, output, { rows, depth: weights.depth }, to.packer);
  return { q: to.place(bytes), forms, data, zeros };
}
