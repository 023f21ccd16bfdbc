/** Packing for `assembly/product/wide.ts`: weights of 16 bits, biases of 64. */
import type { ModuleName } from "../modules.ts";
import { quantizeMultipliers } from "../requantize/quantization.ts";
import { roundUp } from "./panels.ts";

/** Columns of a panel. */
const NR = 8;

/** Weights `[n][k]` of 16 bits as the module takes them: as they are, or `[n/8][k/2][8][2]`, zero beyond n and k. */
export function packWideWeights(module: ModuleName, w: Int16Array, n: number, k: number): Uint8Array {
  if (module === "scalar") return new Uint8Array(w.slice().buffer);
  const pairs = Math.ceil(k / 2);
  const packed = new Int16Array(roundUp(n, NR) * pairs * 2);
  for (let column = 0; column < n; column++) {
    const base = Math.floor(column / NR) * pairs * NR * 2 + (column % NR) * 2;
    for (let i = 0; i < k; i++) packed[base + (i >> 1) * NR * 2 + (i & 1)] = w[column * k + i] as number;
  }
  return new Uint8Array(packed.buffer);
}

/** Pairs of k whose sums fit in int32 for any x of `xSize` bytes. */
export function flushAfter(w: Int16Array, xSize: 1 | 2): number {
  let most = 1;
  for (const value of w) if (Math.abs(value) > most) most = Math.abs(value);
  return Math.max(1, Math.floor((2 ** 31 - 1) / (2 * most * (xSize === 2 ? 32768 : 128))));
}

/** Bytes of a row of k in scratch. */
export const wideScratch = (k: number): number => roundUp(k, 2) * 2;

/** i64 biases with the input's zero point folded in: bias[c] − zeroPoint·Σw[c]. `sum` says the sums of weights. */
export function foldBias(
  bias: ArrayLike<number | bigint> | undefined,
  sums: Float64Array,
  zeroPoint: number,
): Uint8Array {
  const folded = BigInt64Array.from(sums, (sum, c) => BigInt(bias?.[c] ?? 0) - BigInt(zeroPoint * sum));
  return new Uint8Array(folded.buffer);
}

/** Multipliers and shifts, one for each of n outputs. */
export function multipliersOf(reals: ArrayLike<number>, n: number) {
  const { multiplier, shift } = quantizeMultipliers(reals);
  const each = (values: Int32Array) =>
    new Uint8Array((values.length === 1 ? new Int32Array(n).fill(values[0] as number) : values.slice()).buffer);
  return { multiplier: each(multiplier), shift: each(shift) };
}
