/** Least squares on some of the inputs, with a ridge towards weights that are known. */
import { diagonalMean, dot, solveCholesky } from "./cholesky.ts";
import { kernels } from "./kernels.ts";

/** One output's problem: the weights w that make |X·w − y|² + ridge·mean·|w − towards|² least. */
interface Problem {
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

/** The normal equations of some inputs, factored. */
export interface Factored {
  /** What stands on their diagonal beside the products. */
  readonly ridge: number;
  /** Solves them in place of the right-hand side. */
  solve(b: Float64Array): void;
}

/** Factors the equations of the inputs that are kept. Where the matrix is not positive definite the ridge grows tenfold until it is. */
export function factorKept(
  { products, size, ridge }: Pick<Problem, "products" | "size" | "ridge">,
  kept: readonly number[] | Uint32Array,
): Factored {
  const n = kept.length;
  const mean = diagonalMean(products, size) || 1;
  const a = new Float64Array(n * n);
  for (let share = ridge; ; share = Math.max(share * 10, 1e-12)) {
    for (let i = 0; i < n; i++) {
      const row = (kept[i] as number) * size;
      for (let j = i; j < n; j++) a[i * n + j] = products[row + (kept[j] as number)] as number;
      a[i * n + i] = (a[i * n + i] as number) + share * mean;
    }
    if (kernels.cholesky(a, n)) return { ridge: share * mean, solve: (b) => solveCholesky(a, n, b) };
  }
}

/**
 * The weights of the inputs that are kept, and zero for all others. Inputs that never fire keep `towards`. `factored`: their equations, where several
 * problems differ in targets alone.
 */
export function solveKept(
  problem: Problem,
  kept: readonly number[] | Uint32Array,
  factored = factorKept(problem, kept),
): Float64Array {
  const { products, size, target, towards } = problem;
  const weights = new Float64Array(size);
  const b = Float64Array.from(
    kept,
    (i) =>
      (target ? (target[i] as number) : dot(products, i * size, towards, 0, size)) +
      factored.ridge * (towards[i] as number),
  );
  factored.solve(b);
  for (const [k, i] of kept.entries()) weights[i] = b[k] as number;
  return weights;
}
