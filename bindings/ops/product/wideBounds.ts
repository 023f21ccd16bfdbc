/** What sums of wide products can be: bounds by the weights, and how many products 32 bits hold. */
import { extremes } from "../../primitives/product/wide.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import { inputZeroPoint } from "./weights.ts";

/** The sum of the weights of each of n channels, `[n][k]`. */
export function sumsOf(w: Int16Array, n: number): Int32Array {
  const sums = new Int32Array(n);
  const k = w.length / n;
  for (let c = 0; c < n; c++) sums[c] = sumOf(w, c * k, (c + 1) * k);
  return sums;
}

/** Loops over weights are functions of a row: those are compiled after few calls. */
function sumOf(w: Int16Array, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) sum += w[i] as number;
  return sum;
}

/** The bias as int32, less the zero point times the sum of each channel's weights where these are given. */
export function foldedBias(
  bias: ArrayLike<number | bigint> | undefined,
  n: number,
  sums: Int32Array | undefined,
  zeroPoint: number,
): Int32Array {
  const folded = new Int32Array(n);
  for (let c = 0; c < n; c++) folded[c] = Number(bias?.[c] ?? 0) - (sums ? zeroPoint * (sums[c] as number) : 0);
  return folded;
}

/** Least and greatest value of x less its zero point. */
export function rangeOf(node: Constrained): readonly [number, number] {
  if (inputOf(node, 0).dtype === "int16") return [-32768, 32767];
  return [-128 - inputZeroPoint(node), 127 - inputZeroPoint(node)];
}

/** Bounds of sums of k products where nothing is known of weights or bias: none that 32 bits hold. */
export function anyBounds(n: number, bias: ArrayLike<number | bigint> | undefined, k: number) {
  const most = Float64Array.from({ length: n }, (_, c) => 2 ** 32 + k * 2 ** 31 + Math.abs(Number(bias?.[c] ?? 0)));
  return { min: most.map((value) => -value), max: most };
}

/** Bounds of the sums of w, `[n][k]`, whose rows have these sums, with inputs from `least` to `most`. */
export function boundsOf(
  w: Int16Array,
  sums: Int32Array,
  bias: ArrayLike<number | bigint> | undefined,
  least: number,
  most: number,
) {
  const n = sums.length;
  const min = new Float64Array(n);
  const max = new Float64Array(n);
  const k = w.length / n;
  for (let c = 0; c < n; c++) {
    const sum = sums[c] as number;
    const positive = positiveOf(w, c * k, (c + 1) * k);
    const start = Number(bias?.[c] ?? 0);
    min[c] = start + positive * least - (positive - sum) * most;
    max[c] = start + positive * most - (positive - sum) * least;
  }
  return { min, max };
}

/** The sum of what is over zero. */
function positiveOf(w: Int16Array, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) {
    const value = w[i] as number;
    if (value > 0) sum += value;
  }
  return sum;
}

/** Pairs of products of int16 with any weights of nine bits that 32 bits hold. */
export const ANY_CHUNK = 64;

/** Pairs of products of int16 with w that 32 bits hold. */
export function chunkOf(w: Int16Array): number {
  const [least, greatest] = extremes(w);
  const most = Math.max(1, -least, greatest);
  return Math.max(1, Math.floor((2 ** 31 - 1) / (2 * most * 32768)));
}
