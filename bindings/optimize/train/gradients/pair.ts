/** The kernel of two arrays that most gradients are made of. */
import type { Tape } from "./types.ts";

/** Forms of the kernel `pairGradF32`: see assembly/train/elementwise.simd.ts. */
export const PAIR = {
  sum: 0,
  copy: 1,
  product: 2,
  clamp: 3,
  hardSwish: 4,
  logistic: 5,
  tanh: 6,
  leaky: 7,
  elu: 8,
  gelu: 9,
  geluTanh: 10,
  rsqrt: 11,
  scale: 12,
  quotient: 13,
} as const;

export interface Pair {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly count: number;
  readonly form: number;
  readonly accumulate?: 0 | 1;
  readonly lo?: number;
  readonly hi?: number;
}

export function pair(tape: Tape, { accumulate = 0, lo = -Infinity, hi = Infinity, ...rest }: Pair): void {
  tape.call({ kernel: "pairGradF32", params: { ...rest, accumulate, lo, hi } }, { elements: rest.count });
}

/** What calls of the kernel `copyRowsF32` have that copy rows as they are. */
export const NO_SUMS = { starts: 0, columns: 0, weights: 0, images: 0 } as const;
