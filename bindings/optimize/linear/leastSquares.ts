/** Least squares on some of the inputs, with a ridge towards weights that are known. */
import { cholesky, diagonalMean, solveCholesky } from "./cholesky.ts";

/** One output's problem: the weights w that make |X·w − y|² + ridge·mean·|w − towards|² least. */
export interface Problem {
  /** XᵀX `[size][size]`, whole. */
  readonly products: Float64Array;
  readonly size: number;
  /** Xᵀy `[size]`; X·towards where it is absent. */
  readonly target?: Float64Array;
  /** The weights that the ridge pulls to `[size]`. */
  readonly towards: Float64Array;
  /** Share of the mean of the diagonal of `products`. */
  readonly ridge: number;
}

/**
 * The weights of the inputs that are kept, and zero for all others. Inputs that never fire keep `towards`. Where the
 * matrix is not positive definite the ridge grows tenfold until it is.
 */
export function solveKept(problem: Problem, kept: readonly number[] | Uint32Array): Float64Array {
  const { products, size, target, towards, ridge } = problem;
  const n = kept.length;
  const weights = new Float64Array(size);
  const mean = diagonalMean(products, size) || 1;
  const a = new Float64Array(n * n);
  const b = new Float64Array(n);
  for (let added = ridge; n > 0; added = Math.max(added * 10, 1e-12)) {
    for (let i = 0; i < n; i++) {
      const row = (kept[i] as number) * size;
      for (let j = 0; j <= i; j++) a[i * n + j] = products[row + (kept[j] as number)] as number;
      a[i * n + i] = (a[i * n + i] as number) + added * mean;
      b[i] =
        (target ? (target[kept[i] as number] as number) : rowTimes(products, row, towards, size)) +
        added * mean * (towards[kept[i] as number] as number);
    }
    if (!cholesky(a, n)) continue;
    solveCholesky(a, n, b);
    for (let i = 0; i < n; i++) weights[kept[i] as number] = b[i] as number;
    break;
  }
  return weights;
}

function rowTimes(matrix: Float64Array, row: number, vector: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (matrix[row + i] as number) * (vector[i] as number);
  return sum;
}

/** (w − v)ᵀ·XᵀX·(w − v): the squared error of the outputs that w gives in place of v, summed over rows. */
export function squaredError(products: Float64Array, size: number, w: Float64Array, v: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const d = (w[i] as number) - (v[i] as number);
    if (d === 0) continue;
    let inner = 0;
    for (let j = 0; j < size; j++) inner += (products[i * size + j] as number) * ((w[j] as number) - (v[j] as number));
    sum += d * inner;
  }
  return sum;
}
