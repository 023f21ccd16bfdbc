/** Factors, solves and inverts symmetric positive definite matrices: float64, row-major `[n][n]`. */
import { ensure } from "../../errors.ts";

/** Columns that are factored together: their rows stay in the cache while all rows below pass by. */
const BLOCK = 48;

/**
 * The lower factor L of A = L·Lᵀ, in place of A's lower triangle; what stands above the diagonal stays as it is and is
 * never read. False, with A half overwritten, where A is not positive definite.
 */
export function cholesky(a: Float64Array, n: number): boolean {
  for (let first = 0; first < n; first += BLOCK) {
    const last = Math.min(first + BLOCK, n);
    for (let i = first; i < n; i++) {
      subtractRows(a, n, i, first, Math.min(last, i + 1));
      for (let j = first; j < last && j <= i; j++) {
        const value = (a[i * n + j] as number) - dot(a, i * n + first, a, j * n + first, j - first);
        if (j < i) a[i * n + j] = value / (a[j * n + j] as number);
        else if (value > 0 && value < Infinity) a[i * n + i] = Math.sqrt(value);
        else return false;
      }
    }
  }
  return true;
}

/** Row i, columns first to last, less the products of what lies left of `first`: four columns at a time. */
function subtractRows(a: Float64Array, n: number, i: number, first: number, last: number): void {
  const row = i * n;
  let j = first;
  for (; j + 4 <= last; j += 4) {
    const p = j * n;
    const q = p + n;
    const r = q + n;
    const s = r + n;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0; k < first; k++) {
      const x = a[row + k] as number;
      s0 += x * (a[p + k] as number);
      s1 += x * (a[q + k] as number);
      s2 += x * (a[r + k] as number);
      s3 += x * (a[s + k] as number);
    }
    a[row + j] = (a[row + j] as number) - s0;
    a[row + j + 1] = (a[row + j + 1] as number) - s1;
    a[row + j + 2] = (a[row + j + 2] as number) - s2;
    a[row + j + 3] = (a[row + j + 3] as number) - s3;
  }
  for (; j < last; j++) a[row + j] = (a[row + j] as number) - dot(a, row, a, j * n, first);
}

/** Σ x[i]·y[j] over `length` elements, from these places on. */
export function dot(x: Float64Array, i: number, y: Float64Array, j: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    s0 += (x[i + k] as number) * (y[j + k] as number);
    s1 += (x[i + k + 1] as number) * (y[j + k + 1] as number);
    s2 += (x[i + k + 2] as number) * (y[j + k + 2] as number);
    s3 += (x[i + k + 3] as number) * (y[j + k + 3] as number);
  }
  for (; k < length; k++) s0 += (x[i + k] as number) * (y[j + k] as number);
  return s0 + s1 + (s2 + s3);
}

/** Solves L·Lᵀ·x = b in place of b, which starts at `at`. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array, at = 0): void {
  for (let i = 0; i < n; i++) b[at + i] = ((b[at + i] as number) - dot(l, i * n, b, at, i)) / (l[i * n + i] as number);
  for (let i = n - 1; i >= 0; i--) {
    const x = (b[at + i] as number) / (l[i * n + i] as number);
    b[at + i] = x;
    for (let j = 0; j < i; j++) b[at + j] = (b[at + j] as number) - x * (l[i * n + j] as number);
  }
}

/** (L·Lᵀ)⁻¹, whole and symmetric. */
export function invertCholesky(l: Float64Array, n: number): Float64Array {
  // Rows of M = L⁻ᵀ: row j holds column j of L⁻¹, whose elements before j are zero.
  const m = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    m[j * n + j] = 1 / (l[j * n + j] as number);
    for (let i = j + 1; i < n; i++) m[j * n + i] = -dot(l, i * n + j, m, j * n + j, i - j) / (l[i * n + i] as number);
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const value = dot(m, i * n + i, m, j * n + i, n - i);
      inverse[i * n + j] = value;
      inverse[j * n + i] = value;
    }
  return inverse;
}

/**
 * The inverse of A, after `damping` times the mean of its diagonal was added to it, and ten times more as long as A is not
 * positive definite. Elements whose diagonal is zero (inputs that never fire) count as if they had this mean. A is left as it is.
 */
export function invertDamped(a: Float64Array, n: number, damping: number): Float64Array {
  const mean = diagonalMean(a, n) || 1;
  for (let added = damping; ; added *= 10) {
    const l = a.slice();
    for (let i = 0; i < n; i++) {
      const d = a[i * n + i] as number;
      l[i * n + i] = (d > 0 ? d : mean) + added * mean;
    }
    if (cholesky(l, n)) return invertCholesky(l, n);
  }
}

/**
 * The mean of the diagonal of XᵀX; what is below 0 there is a rounding of it.
 *
 * Errors: INVALID_INPUT where it is not finite, so that no damping ever makes the matrix positive definite.
 */
export function diagonalMean(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.max(a[i * n + i] as number, 0);
  ensure(sum < Infinity, "INVALID_INPUT", () => ({
    where: "data",
    expected: "examples for which all layers give finite numbers",
    received: "infinity or NaN",
    hint: "Check the data's preparation, and the model on one example.",
  }));
  return n > 0 ? sum / n : 0;
}
