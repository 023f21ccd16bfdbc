import type { Channels } from "./requantize.ts";

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
    let positive = 0;
    let negative = 0;
    for (let k = 0, at = c * channelStride; k < depth; k++, at += depthStride) {
      const w = data[at] as number;
      if (w > 0) positive += w;
      else negative += w;
    }
    const sum = positive + negative;
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
