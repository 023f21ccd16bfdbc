/** Solves and inverts symmetric positive definite matrices: float64, row-major `[n][n]`. */
import { ensure } from "../../errors.ts";
import { kernels } from "./kernels.ts";

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

/** Solves Uᵀ·U·x = b in place of b. */
export function solveCholesky(u: Float64Array, n: number, b: Float64Array): void {
  solveForward(u, n, b);
  solveBack(u, n, b);
}

/** Solves Uᵀ·x = b in place of b: four rows at a time, so that b passes by a quarter as often. */
export function solveForward(u: Float64Array, n: number, b: Float64Array): void {
  const whole = n - (n % 4);
  for (let i = 0; i < whole; i += 4) {
    const [p, q, r, s] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    solveSmall(u, n, b, i, i + 4);
    const [x0, x1, x2, x3] = [b[i], b[i + 1], b[i + 2], b[i + 3]] as [number, number, number, number];
    for (let j = i + 4; j < n; j++)
      b[j] =
        (b[j] as number) -
        (x0 * (u[p + j] as number) + x1 * (u[q + j] as number) + x2 * (u[r + j] as number) + x3 * (u[s + j] as number));
  }
  solveSmall(u, n, b, whole, n);
}

/** Solves U·x = b in the same way. */
function solveBack(u: Float64Array, n: number, b: Float64Array): void {
  const whole = n - (n % 4);
  solveSmallBack(u, n, b, whole, n);
  for (let i = whole - 4; i >= 0; i -= 4) {
    const [p, q, r, s] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = i + 4; j < n; j++) {
      const x = b[j] as number;
      s0 += x * (u[p + j] as number);
      s1 += x * (u[q + j] as number);
      s2 += x * (u[r + j] as number);
      s3 += x * (u[s + j] as number);
    }
    b[i] = (b[i] as number) - s0;
    b[i + 1] = (b[i + 1] as number) - s1;
    b[i + 2] = (b[i + 2] as number) - s2;
    b[i + 3] = (b[i + 3] as number) - s3;
    solveSmallBack(u, n, b, i, i + 4);
  }
}

/** Rows `from` to `to` of Uᵀ·x = b, among themselves. */
function solveSmall(u: Float64Array, n: number, b: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const x = (b[i] as number) / (u[i * n + i] as number);
    b[i] = x;
    for (let j = i + 1; j < to; j++) b[j] = (b[j] as number) - x * (u[i * n + j] as number);
  }
}

/** Rows `from` to `to` of U·x = b, among themselves. */
function solveSmallBack(u: Float64Array, n: number, b: Float64Array, from: number, to: number): void {
  for (let i = to - 1; i >= from; i--) {
    let sum = 0;
    for (let j = i + 1; j < to; j++) sum += (u[i * n + j] as number) * (b[j] as number);
    b[i] = ((b[i] as number) - sum) / (u[i * n + i] as number);
  }
}

/**
 * The inverse of A, after `damping` times the mean of its diagonal was added to it, and ten times more as long as A is not
 * positive definite. Elements whose diagonal is zero (inputs that never fire) count as if they had this mean. A is left as it is.
 */
export function invertDamped(a: Float64Array, n: number, damping: number): Float64Array {
  const mean = diagonalMean(a, n) || 1;
  for (let added = damping; ; added *= 10) {
    const u = a.slice();
    for (let i = 0; i < n; i++) {
      const d = a[i * n + i] as number;
      u[i * n + i] = (d > 0 ? d : mean) + added * mean;
    }
    if (kernels.cholesky(u, n)) return kernels.invert(u, n);
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
