/**
 * Weights rounded one after the other, the error of each taken up by those that are still to come (GPTQ, Frantar et al. 2022):
 * the layer's outputs, not its weights, come near the float ones.
 */

import { roundHalfAway } from "../../primitives/requantize/quantization.ts";
import { invertDamped } from "../linear/cholesky.ts";
import { kernels } from "../linear/kernels.ts";
import { LARGEST } from "./weights.ts";

/** Share of the mean diagonal that is added to it. */
const DAMPING = 0.01;
/** Factors of the largest weight that are tried for a scale. */
const FACTORS = Array.from({ length: 61 }, (_, i) => 0.4 + i / 100);

/** One group of a layer: rows `[outputs][depth]` with inputs whose products with each other are XᵀX `[depth][depth]`. */
export interface Rows {
  readonly weights: Float32Array;
  readonly depth: number;
  readonly products: Float64Array;
}

/** The inputs' sums of squares, which the diagonal of XᵀX is. */
export const squaresOf = (products: Float64Array, depth: number): Float64Array =>
  Float64Array.from({ length: depth }, (_, i) => products[i * depth + i] as number);

/**
 * For each row the scale, of 61 from 0.4 to 1 times the given one, whose rounding errors, weighted by the inputs' squares, are
 * least.
 */
export function leastErrorScales(
  { weights, depth, squares }: Pick<Rows, "weights" | "depth"> & { readonly squares: Float64Array },
  largest: ArrayLike<number>,
  bits: 8 | 4,
): Float64Array {
  const most = LARGEST[bits];
  return Float64Array.from({ length: weights.length / depth }, (_, o) => {
    const base = largest[o] as number;
    let [best, least] = [base, Infinity];
    for (const factor of FACTORS) {
      const scale = Math.fround(base * factor);
      let error = 0;
      for (let i = 0; i < depth; i++) {
        const w = weights[o * depth + i] as number;
        const q = Math.min(Math.max(roundHalfAway(w / scale), -most), most);
        error += (squares[i] as number) * (w - q * scale) ** 2;
      }
      if (error < least) [best, least] = [scale, error];
    }
    return best;
  });
}

/** The integers `[outputs][depth]`: inputs by falling squares, errors spread by the factor of the inverse of XᵀX. */
export function gptq({ weights, depth, products }: Rows, scale: ArrayLike<number>, bits: 8 | 4): Int8Array {
  const most = LARGEST[bits];
  const outputs = weights.length / depth;
  const square = (i: number) => products[i * depth + i] as number;
  const order = Array.from({ length: depth }, (_, i) => i).sort((a, b) => square(b) - square(a) || a - b);
  const sorted = new Float64Array(depth * depth);
  for (let i = 0; i < depth; i++)
    for (let j = 0; j < depth; j++)
      sorted[i * depth + j] = products[(order[i] as number) * depth + (order[j] as number)] as number;
  const factor = invertDamped(sorted, depth, DAMPING);
  // H⁻¹ = Uᵀ·U: row k of U says how the error of input k is spread.
  const spread = kernels.cholesky(factor, depth);
  const integers = new Int8Array(weights.length);
  const row = new Float64Array(depth);
  for (let o = 0; o < outputs; o++) {
    const s = scale[scale.length === 1 ? 0 : o] as number;
    for (let i = 0; i < depth; i++) row[i] = weights[o * depth + (order[i] as number)] as number;
    for (let k = 0; k < depth; k++) {
      const w = row[k] as number;
      const q = Math.min(Math.max(roundHalfAway(w / s), -most), most);
      integers[o * depth + (order[k] as number)] = q;
      if (!spread) continue;
      const error = (w - q * s) / (factor[k * depth + k] as number);
      if (error !== 0)
        for (let j = k + 1; j < depth; j++) row[j] = (row[j] as number) - error * (factor[k * depth + j] as number);
    }
  }
  return integers;
}
