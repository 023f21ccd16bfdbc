/** int8 pooling, MEAN and SOFTMAX, as TensorFlow Lite Micro's reference kernels compute them. */
import type { Affine, Range } from "../../bindings/primitives/requantize/quantization.ts";
import { broadcastIndex, indices } from "./binary.ts";
import * as fp from "./fixedpoint.ts";
import { clampInt8 } from "./unary.ts";

export interface PoolCase {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
  readonly kH: number;
  readonly kW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Each window's elements on the input go to `combine`. */
function pool(x: Int8Array, p: PoolCase, { lo, hi }: Range, combine: (window: number[]) => number): Int8Array {
  const y: number[] = [];
  for (const [n, row, column, c] of indices([p.batch, p.outH, p.outW, p.channels]) as Iterable<
    [number, number, number, number]
  >) {
    const window: number[] = [];
    for (let i = 0; i < p.kH; i++)
      for (let j = 0; j < p.kW; j++) {
        const h = row * p.strideH - p.padTop + i;
        const w = column * p.strideW - p.padLeft + j;
        if (h >= 0 && h < p.inH && w >= 0 && w < p.inW)
          window.push(x[((n * p.inH + h) * p.inW + w) * p.channels + c] as number);
      }
    y.push(Math.min(Math.max(combine(window), lo), hi));
  }
  return Int8Array.from(y);
}

export function averagePool(x: Int8Array, p: PoolCase, range: Range): Int8Array {
  return pool(x, p, range, (window) => {
    const sum = window.reduce((total, value) => total + value, 0);
    const half = Math.trunc(window.length / 2);
    return Math.trunc((sum > 0 ? sum + half : sum - half) / window.length);
  });
}

export function maxPool(x: Int8Array, p: PoolCase, range: Range): Int8Array {
  return pool(x, p, range, (window) => Math.max(...window));
}

/** QuantizedMeanOrSum: the multiplier takes 1/count in. */
export function mean(x: Int8Array, shape: readonly number[], axes: readonly number[], p: Affine, q: Affine): Int8Array {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const sums = new Int32Array(kept.reduce((product, n) => product * n, 1));
  let i = 0;
  for (const index of indices(shape)) {
    const at = broadcastIndex(kept, index);
    sums[at] = (sums[at] as number) + (x[i++] as number);
  }
  const count = x.length / sums.length;
  const { multiplier, shift } = fp.quantizeMultiplier(p.scale / q.scale);
  const extra = Math.min(Math.floor(Math.log2(count)), 32, 31 + shift);
  const readapted = Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count));
  return Int8Array.from(sums, (sum) =>
    clampInt8(fp.multiplyByQuantizedMultiplier(sum - p.zeroPoint * count, readapted, shift - extra) + q.zeroPoint),
  );
}

/** Softmax over rows; where the reference aborts (a sum of 512 or more) every output rounds to 0. */
export function softmax(x: Int8Array, depth: number, scale: number, beta: number): Int8Array {
  const real = Math.min(beta * scale * 2 ** 26, 2 ** 31 - 1);
  const { multiplier, shift } = fp.quantizeMultiplier(real);
  const least = -Math.floor((31 * 2 ** 26) / 2 ** shift);
  const y = new Int8Array(x.length);
  for (let row = 0; row < x.length; row += depth) {
    const values = [...x.subarray(row, row + depth)];
    const largest = Math.max(...values);
    const exps = values.map((value) => {
      const difference = value - largest;
      if (difference < least) return undefined;
      return fp.expOnNegativeValues(fp.saturatingRoundingDoublingHighMul(difference * 2 ** shift || 0, multiplier), 5);
    });
    const sum = exps.reduce<number>((total, e) => total + (e === undefined ? 0 : fp.roundingDivideByPOT(e, 12)), 0);
    const headroom = Math.clz32(sum);
    const scaleOfRow = fp.oneOverOnePlusX(Number((BigInt(sum) << BigInt(headroom)) - (1n << 31n)));
    const exponent = 12 - headroom + 31 - 8;
    for (const [i, e] of exps.entries())
      y[row + i] =
        e === undefined || exponent > 31
          ? -128
          : clampInt8(fp.roundingDivideByPOT(fp.saturatingRoundingDoublingHighMul(scaleOfRow, e), exponent) - 128);
  }
  return y;
}
