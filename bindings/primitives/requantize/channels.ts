import { halves, type Multipliers, roundedToEven } from "./quantization.ts";
import { clamp, reference } from "./requantizeProof.ts";
import type { Channels, NearestFactors, Output, Packer } from "./types.ts";

/** int8 weights of `channels` outputs of `depth` products each: weight (c, k) stands at c·channelStride + k·depthStride. */
export interface Weights {
  readonly data: Int8Array;
  readonly channels: number;
  readonly depth: number;
  readonly channelStride: number;
  readonly depthStride: number;
}

/**
 * What requantization needs of each channel. The input's zero point is folded into the bias (modulo 2^32, as int32
 * accumulators wrap), and min and max are the unwrapped bounds of the accumulator over all int8 inputs. Biases and multipliers of
 * fewer channels are those of the others again, in turn.
 */
export function channelsOf(
  weights: Weights,
  bias: Int32Array | undefined,
  zeroPoint: number,
  multipliers: Multipliers | NearestFactors,
  packer: Packer,
): Channels {
  const n = weights.channels;
  const { sum, size, zeros } = packer.sumRows(rowsOf(weights), n, weights.depth);
  const folded = bias === undefined ? new Int32Array(n) : inTurn(bias, n);
  const min = new Float64Array(n);
  const max = new Float64Array(n);
  for (let c = 0; c < n; c++) {
    const total = sum[c] as number;
    const positive = ((size[c] as number) + total) / 2;
    const negative = positive - (size[c] as number);
    const start = (folded[c] as number) - zeroPoint * total;
    folded[c] = start;
    min[c] = start + positive * -128 + negative * 127;
    max[c] = start + positive * 127 + negative * -128;
  }
  return { bias: folded, ...factorsOf(multipliers, n), min, max, sum, zeros };
}

/** n values, these in turn. */
function inTurn<T extends Int32Array | Float32Array>(values: T, n: number): T {
  const all = new (values.constructor as new (length: number) => T)(n);
  for (let i = 0; i < n; i += values.length) all.set(values.subarray(0, n - i), i);
  return all;
}

/** One factor a channel, of one for all, one each, or these in turn. */
export function factorsOf(
  given: Multipliers | NearestFactors,
  n: number,
): Pick<Channels, "multiplier" | "shift" | "scale" | "offset"> {
  if ("scale" in given) {
    const offset = given.offset && inTurn(given.offset, n);
    return { multiplier: new Int32Array(n), shift: new Int32Array(n), scale: inTurn(given.scale, n), offset };
  }
  return { multiplier: inTurn(given.multiplier, n), shift: inTurn(given.shift, n) };
}

/**
 * Settled channels by factors and offsets of float32 that give what these multipliers give when they are rounded once; where
 * there is no proof, by the nearest factor, which is off by less than a ten-thousandth of a step.
 */
export function byProofs(channels: Channels, exact: Multipliers, output: Output, packer: Packer): Channels {
  const n = channels.bias.length;
  const { multiplier, shift } = factorsOf(exact, n);
  for (let c = 0; c < n; c++)
    if (channels.min[c] === channels.max[c]) {
      multiplier[c] = channels.multiplier[c] as number;
      shift[c] = channels.shift[c] as number;
    }
  const { a, b } = packer.prove("once", { ...channels, multiplier, shift }, output);
  const nearest = (c: number) => (multiplier[c] as number) * 2 ** ((shift[c] as number) - 31);
  const scale = a.map((each, c) => (Number.isNaN(each) ? nearest(c) : each));
  const offset = b.map((each) => (Number.isNaN(each) ? 0 : each - output.zeroPoint));
  return { ...channels, scale, offset, rule: "once" };
}

/** The weights channel by channel, copied where they do not stand so. */
function rowsOf({ data, channels, depth, channelStride, depthStride }: Weights): Int8Array {
  if (depthStride === 1 && channelStride === depth) return data;
  const rows = new Int8Array(channels * depth);
  for (let k = 0; k < depth; k++)
    for (let c = 0, at = k * depthStride; c < channels; c++, at += channelStride)
      rows[c * depth + k] = data[at] as number;
  return rows;
}

/**
 * Channels whose output is the same for every input, as pruning and dead RELUs leave them: their weights become zeros
 * (which sparse packing then leaves out) and their requantization 0.5·(2·value), which every form can hold. Changes
 * `channels`; returns the weights, copied where they change, and how many are zero.
 */
export function settleConstants(weights: Weights, channels: Channels, output: Output) {
  let { data } = weights;
  let { zeros } = channels;
  for (let c = 0; c < weights.channels; c++) {
    const value = constantOf(channels, c, output);
    if (value === undefined) continue;
    if ((channels.min[c] as number) !== (channels.max[c] as number)) {
      if (data === weights.data) data = data.slice();
      for (let k = 0, at = c * weights.channelStride; k < weights.depth; k++, at += weights.depthStride) {
        if (data[at] !== 0) zeros++;
        data[at] = 0;
      }
    }
    const acc = 2 * (value - output.zeroPoint);
    channels.bias[c] = acc;
    channels.min[c] = acc;
    channels.max[c] = acc;
    channels.sum[c] = 0;
    channels.multiplier[c] = 2 ** 30;
    channels.shift[c] = 0;
    if (channels.scale) channels.scale[c] = 0.5;
  }
  return { data, zeros };
}

/** The one output of channel c, if it has only one. Most have more, which is seen at once. */
function constantOf(channels: Channels, c: number, output: Output): number | undefined {
  const min = channels.min[c] as number;
  const max = channels.max[c] as number;
  const factor = channels.scale?.[c];
  if (channels.offset) return undefined;
  if (factor !== undefined) {
    const middle = (output.lo + output.hi) / 2 - output.zeroPoint;
    if (output.lo < output.hi && min * factor < middle - 1 && max * factor > middle + 1) return undefined;
    if (max - min >= 2 ** 24 || min < -(2 ** 31) || max >= 2 ** 31) return undefined;
    const least = clamp(roundedToEven(Math.fround(Math.fround(min) * factor)) + output.zeroPoint, output);
    const most = clamp(roundedToEven(Math.fround(Math.fround(max) * factor)) + output.zeroPoint, output);
    return least === most ? least : undefined;
  }
  const multiplier = channels.multiplier[c] as number;
  const shift = channels.shift[c] as number;
  const middle = (output.lo + output.hi) / 2 - output.zeroPoint;
  if (shift <= 0) {
    const scale = multiplier * (halves()[31 - shift] ?? 0);
    if (min * scale < middle && max * scale > middle && (max - min) * scale > 2) return undefined;
  }
  const step = { multiplier, shift, min, max };
  if (min === max) return clamp(reference(channels.bias[c] as number, step, output.zeroPoint), output);
  // Beyond 2^30 accumulators could wrap; and outputs more than 300 apart before clamping are seldom on one side.
  if (min < -(2 ** 30) || max >= 2 ** 30 || shift > 0) return undefined;
  const least = clamp(reference(min, step, output.zeroPoint), output);
  return least === clamp(reference(max, step, output.zeroPoint), output) ? least : undefined;
}
