/** Weights of layers as integers with scales, and the bias at the accumulators' scale. */

import { roundHalfAway } from "../../primitives/requantize/quantization.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";
import { CHANNEL_AXIS, fromRows, type Layer, rowsOf } from "../layers.ts";
import type { Scales } from "./options.ts";

/** A layer's weights as they are stored. */
export interface QuantizedWeights {
  readonly bits: 8 | 4;
  /** Integers `[channels][depth]`, symmetric: ±127 or ±7. */
  readonly rows: Int8Array;
  /** One scale, or one for each channel. */
  readonly scale: readonly number[];
  /** Real values; what correction has added to them is in it. */
  readonly bias: Float32Array;
}

/** The largest integer of so many bits; symmetric. */
export const LARGEST: { readonly [B in 8 | 4]: number } = { 8: 127, 4: 7 };

/** A bias takes at most so many steps of the accumulator's scale, which leaves room for the sums. */
const BIAS_STEPS = 2 ** 29;
/** Channels without weights get a scale at which their bias has so many. */
const STEPS_ALONE = 2 ** 20;

/** The largest |w| of each row. */
export function largestOf(rows: Float32Array, depth: number): Float64Array {
  const largest = new Float64Array(rows.length / depth);
  for (let i = 0; i < rows.length; i++) {
    const c = Math.floor(i / depth);
    largest[c] = Math.max(largest[c] as number, Math.abs(rows[i] as number));
  }
  return largest;
}

/**
 * Scales of largest |w| / 127 or / 7. Scales of a channel whose weights are so small that its bias would not fit 32 bits grow
 * until it does.
 */
export function scalesOf(
  rows: Float32Array,
  depth: number,
  bits: 8 | 4,
  scales: Scales,
  bias: { readonly values: Float32Array; readonly xScale: number },
): Float64Array {
  const largest = largestOf(rows, depth);
  const all = largest.reduce((a, b) => Math.max(a, b), 0);
  const own = largest.map((value, c) => {
    const steps = Math.abs(bias.values[c] as number) / bias.xScale;
    const weights = (scales === "tensor" ? all : value) / LARGEST[bits];
    return Math.fround(Math.max(weights || steps / STEPS_ALONE, steps / BIAS_STEPS) || 1);
  });
  return scales === "channel" ? own : Float64Array.of(own.reduce((a, b) => Math.max(a, b)));
}

/** Each weight to the nearest integer. */
export function roundNearest(rows: Float32Array, depth: number, scale: ArrayLike<number>, bits: 8 | 4): Int8Array {
  const most = LARGEST[bits];
  return Int8Array.from(rows, (w, i) => {
    const s = scale[scale.length === 1 ? 0 : Math.floor(i / depth)] as number;
    return Math.min(Math.max(roundHalfAway(w / s), -most), most);
  });
}

/** A layer's weights with their scales, each to the nearest integer; `xScale` is that of its input, Infinity of floats. */
export function nearestWeights(
  layer: Layer,
  tensor: Tensor,
  bias: Float32Array,
  bits: 8 | 4,
  scales: Scales,
  xScale: number,
): QuantizedWeights {
  const rows = rowsOf(layer, tensor);
  const scale = scalesOf(rows, layer.depth, bits, scales, { values: bias, xScale });
  return { bits, rows: roundNearest(rows, layer.depth, scale, bits), scale: [...scale], bias };
}

/** The real values that the integers stand for, `[channels][depth]`. */
export function realRows({ rows, scale }: QuantizedWeights, depth: number): Float32Array {
  return Float32Array.from(rows, (q, i) => q * (scale[scale.length === 1 ? 0 : Math.floor(i / depth)] as number));
}

/** The weights as a tensor of the graph. */
export function weightTensor(layer: Layer, tensor: Tensor, { bits, rows, scale }: QuantizedWeights): Tensor {
  const values = fromRows(layer, rows);
  return {
    name: tensor.name,
    shape: tensor.shape,
    dtype: bits === 4 ? "int4" : "int8",
    data: bits === 4 ? packNibbles(values) : bytesOf(values),
    quantization: { scale, zeroPoint: scale.map(() => 0), axis: CHANNEL_AXIS[layer.node.kind] },
  };
}

/** Two elements to a byte, the first in the low half. */
export function packNibbles(values: Int8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++)
    bytes[i >> 1] = (bytes[i >> 1] as number) | (((values[i] as number) & 15) << (4 * (i & 1)));
  return bytes;
}

/** The bias at the scale of input times weights: int32, for int16 activations int64. */
export function biasTensor(
  name: string,
  { scale, bias }: QuantizedWeights,
  xScale: number,
  dtype: "int32" | "int64",
): Tensor {
  const at = (c: number) => xScale * (scale[scale.length === 1 ? 0 : c] as number);
  const integers = Array.from(bias, (value, c) => roundHalfAway(value / at(c)));
  const values =
    dtype === "int32"
      ? Int32Array.from(integers, (q) => Math.min(Math.max(q, -(2 ** 31)), 2 ** 31 - 1))
      : BigInt64Array.from(integers, BigInt);
  return {
    name,
    dtype,
    shape: [bias.length],
    data: bytesOf(values),
    quantization: {
      scale: scale.map((_, c) => Math.fround(at(c))),
      zeroPoint: scale.map(() => 0),
      axis: 0,
    },
  };
}
