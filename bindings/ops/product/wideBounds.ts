/** What sums of wide products can be: bounds by the weights, and how many products 32 bits hold. */
import { type Constrained, inputOf } from "../constraints.ts";
import { inputZeroPoint } from "./weights.ts";

/** The bias as int32, less the zero point times the sum of each channel's weights where these are given. */
export function foldedBias(
  bias: ArrayLike<number | bigint> | undefined,
  n: number,
  w: Int16Array | undefined,
  zeroPoint: number,
): Int32Array {
  const folded = Int32Array.from({ length: n }, (_, c) => Number(bias?.[c] ?? 0));
  if (w === undefined) return folded;
  const k = w.length / n;
  return folded.map(
    (value, c) => value - zeroPoint * w.subarray(c * k, (c + 1) * k).reduce((sum, each) => sum + each, 0),
  );
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

/** Bounds of the sums of w, `[n][k]`, with inputs from `least` to `most`. */
export function boundsOf(
  w: Int16Array,
  n: number,
  bias: ArrayLike<number | bigint> | undefined,
  least: number,
  most: number,
) {
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

/** Pairs of products of int16 with any weights of nine bits that 32 bits hold. */
export const ANY_CHUNK = 64;

/** Pairs of products of int16 with w that 32 bits hold. */
export function chunkOf(w: Int16Array): number {
  const most = w.reduce((size, value) => Math.max(size, Math.abs(value)), 1);
  return Math.max(1, Math.floor((2 ** 31 - 1) / (2 * most * 32768)));
}
