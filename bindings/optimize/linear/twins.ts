/** What `assembly/linear.ts` does, in JavaScript: the same bits, and what runs where an engine has no SIMD. */
import type { LinearKernels } from "./types.ts";

/** Rows of U that are taken from all later ones together. */
const BLOCK = 48;

export const twins: LinearKernels = {
  addProducts(p, q, depth, into, triangle) {
    const [height, width] = [p.length / depth, q.length / depth];
    const sums = new Float64Array(width);
    for (let i = 0; i < height; i++) {
      sums.fill(0);
      for (let k = 0; k < depth; k++) axpy(sums, 0, p[k * height + i] as number, q, k * width, width);
      for (let j = triangle ? i : 0; j < width; j++)
        into[i * width + j] = (into[i * width + j] as number) + (sums[j] as number);
    }
  },

  cholesky(a, n) {
    const row = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const count = n - i;
      const at = i * n + i;
      const own = i - (i % BLOCK);
      for (let first = 0; first < own; first += BLOCK) {
        row.fill(0, 0, count);
        for (let k = first; k < first + BLOCK; k++) axpy(row, 0, a[k * n + i] as number, a, k * n + i, count);
        axpy(a, at, -1, row, 0, count);
      }
      for (let k = own; k < i; k++) axpy(a, at, -(a[k * n + i] as number), a, k * n + i, count);
      const square = a[at] as number;
      if (!(square > 0 && square < Infinity)) return false;
      const root = Math.sqrt(square);
      for (let j = 0; j < count; j++) a[at + j] = (a[at + j] as number) / root;
      a[at] = root;
    }
    return true;
  },

  invert(u, n) {
    // Rows of W = (Uᵀ)⁻¹, of which a block at a time multiplies itself.
    const w = new Float64Array(n * n);
    const inverse = new Float64Array(n * n);
    const row = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const own = i - (i % BLOCK);
      for (let first = 0; first < own; first += BLOCK) {
        row.fill(0);
        for (let k = first; k < first + BLOCK; k++) axpy(row, 0, u[k * n + i] as number, w, k * n, own);
        axpy(w, i * n, -1, row, 0, own);
      }
      w[i * n + i] = 1;
      for (let k = own; k < i; k++) axpy(w, i * n, -(u[k * n + i] as number), w, k * n, i);
      for (let j = 0; j <= i; j++) w[i * n + j] = (w[i * n + j] as number) / (u[i * n + i] as number);
    }
    for (let first = 0; first < n; first += BLOCK)
      for (let i = 0; i < Math.min(first + BLOCK, n); i++) {
        row.fill(0);
        for (let k = first; k < Math.min(first + BLOCK, n); k++) axpy(row, 0, w[k * n + i] as number, w, k * n, n);
        axpy(inverse, i * n, 1, row, 0, n);
      }
    return inverse;
  },
};

/** y += by · x. */
function axpy(y: Float64Array, to: number, by: number, x: Float64Array, from: number, length: number): void {
  for (let j = 0; j < length; j++) y[to + j] = (y[to + j] as number) + by * (x[from + j] as number);
}
