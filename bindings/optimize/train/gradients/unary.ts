/** A function of one number in a training step. */
import type { Tape } from "./types.ts";

/** One call of `unaryF32`; this edition of the kernels needs no scratch. */
export function unary(
  tape: Tape,
  form: number,
  x: number,
  y: number,
  count: number,
  [lo, hi]: readonly [number, number] = [0, 0],
): void {
  const params = { x, y, count, form, lo, hi, scratch: 0, scratchStride: 0 };
  tape.call({ kernel: "unaryF32", params }, { elements: count });
}
