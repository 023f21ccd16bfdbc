import type { Channels, Output } from "./requantize.ts";
import { clamp, reference } from "./requantize-proof.ts";

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
 * accumulators wrap), and min and max are the unwrapped bounds of the accumulator over all int8 inputs.
 */
export function channelsOf(
  weights: Weights,
  bias: Int32Array | undefined,
  zeroPoint: number,
  multipliers: readonly { readonly multiplier: number; readonly shift: number }[],
): Channels {
  const { data, channels: n, depth, channelStride, depthStride } = weights;
  const result: Channels = {
    bias: new Int32Array(n),
    multiplier: new Int32Array(n),
    shift: new Int32Array(n),
    min: new Float64Array(n),
    max: new Float64Array(n),
    sum: new Int32Array(n),
  };
  for (let c = 0; c < n; c++) {
    let sum = 0;
    let size = 0;
    for (let k = 0, at = c * channelStride; k < depth; k++, at += depthStride) {
      const w = data[at] as number;
      sum += w;
      size += Math.abs(w);
    }
    const positive = (size + sum) / 2;
    const negative = (sum - size) / 2;
    const start = (bias?.[c] ?? 0) - zeroPoint * sum;
    const { multiplier, shift } = multipliers[multipliers.length === 1 ? 0 : c] as (typeof multipliers)[number];
    result.bias[c] = start;
    result.multiplier[c] = multiplier;
    result.shift[c] = shift;
    result.min[c] = start + positive * -128 + negative * 127;
    result.max[c] = start + positive * 127 + negative * -128;
    result.sum[c] = sum;
  }
  return result;
}

/** How many elements are zero. */
export function zeros(data: Int8Array): number {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) count++;
  return count;
}

/**
 * Channels whose output is the same for every input, as pruning and dead RELUs leave them: their weights become zeros
 * (which sparse packing then leaves out) and their requantization 0.5·(2·value), which every form can hold. Changes
 * `channels`; returns the weights, copied where they change.
 */
export function settleConstants(weights: Weights, channels: Channels, output: Output): Weights {
  let data = weights.data;
  for (let c = 0; c < weights.channels; c++) {
    const value = constantOf(channels, c, output);
    if (value === undefined) continue;
    if ((channels.min[c] as number) !== (channels.max[c] as number)) {
      if (data === weights.data) data = data.slice();
      for (let k = 0, at = c * weights.channelStride; k < weights.depth; k++, at += weights.depthStride) data[at] = 0;
    }
    const acc = 2 * (value - output.zeroPoint);
    channels.bias[c] = acc;
    channels.min[c] = acc;
    channels.max[c] = acc;
    channels.sum[c] = 0;
    channels.multiplier[c] = 2 ** 30;
    channels.shift[c] = 0;
  }
  return data === weights.data ? weights : { ...weights, data };
}

/** The one output of channel c, if it has only one. */
function constantOf(channels: Channels, c: number, output: Output): number | undefined {
  const min = channels.min[c] as number;
  const max = channels.max[c] as number;
  const multiplier = channels.multiplier[c] as number;
  const shift = channels.shift[c] as number;
  const step = { multiplier, shift, min, max };
  if (min === max) return clamp(reference(channels.bias[c] as number, step, output.zeroPoint), output);
  // Beyond 2^30 accumulators could wrap; and outputs more than 300 apart before clamping are seldom on one side.
  if (min < -(2 ** 30) || max >= 2 ** 30 || shift > 0) return undefined;
  const scale = multiplier * 2 ** (shift - 31);
  const middle = (output.lo + output.hi) / 2 - output.zeroPoint;
  if (min * scale < middle && max * scale > middle && (max - min) * scale > 2) return undefined;
  const least = clamp(reference(min, step, output.zeroPoint), output);
  return least === clamp(reference(max, step, output.zeroPoint), output) ? least : undefined;
}
