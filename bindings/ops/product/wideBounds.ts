/** What sums of wide products can be: bounds by the weights, and how many products 32 bits hold. */
import type { WeightStatistics } from "../../primitives/product/wide.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import { inputZeroPoint } from "./weights.ts";

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

/** Bounds of the sums of such weights, with inputs from `least` to `most`. */
export function boundsOf(
  { sums, positives }: WeightStatistics,
  bias: ArrayLike<number | bigint> | undefined,
  least: number,
  most: number,
) {
  const n = sums.length;
  const min = new Float64Array(n);
  const max = new Float64Array(n);
  for (let c = 0; c < n; c++) {
    const positive = positives[c] as number;
    const negative = positive - (sums[c] as number);
    const start = Number(bias?.[c] ?? 0);
    min[c] = start + positive * least - negative * most;
    max[c] = start + positive * most - negative * least;
  }
  return { min, max };
}

/** Pairs of products of int16 with any weights of nine bits that 32 bits hold. */
export const ANY_CHUNK = 64;

/** Pairs of products of int16 with such weights that 32 bits hold. */
export function chunkOf({ least, greatest }: WeightStatistics): number {
  const most = Math.max(1, -least, greatest);
  return Math.max(1, Math.floor((2 ** 31 - 1) / (2 * most * 32768)));
}
