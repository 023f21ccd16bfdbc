/** Kernels of float64 matrices, row-major without gaps. */

export interface LinearKernels {
  /**
   * Adds PᵀQ to `into` `[height][width]`; P is `[depth][height]`, Q `[depth][width]`. A triangle is of one matrix with itself, and what is below its
   * diagonal stays as it is.
   */
  addProducts(p: Float64Array, q: Float64Array, depth: number, into: Float64Array, triangle: boolean): void;
  /**
   * U of A = Uᵀ·U `[n][n]`, in place of A's upper triangle; what is below it is neither read nor written. False, with A half overwritten, where A is
   * not positive definite.
   */
  cholesky(a: Float64Array, n: number): boolean;
  /** (Uᵀ·U)⁻¹ `[n][n]`, whole. */
  invert(u: Float64Array, n: number): Float64Array;
}
