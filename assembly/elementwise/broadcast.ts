/** How elementwise kernels of two operands walk their output: runs along the last dimension, split anywhere. */
import { Pairs } from "./params";
import { share } from "../common/split";

// @ts-ignore: decorator
@inline function elements(p: Pairs): u32 {
  return p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5;
}

/** First output element of this part. */
// @ts-ignore: decorator
@inline export function runStart(p: Pairs, part: u32, parts: u32): u32 {
  return share(elements(p), part, parts);
}

/** One past the last output element of this part. */
// @ts-ignore: decorator
@inline export function runEnd(p: Pairs, part: u32, parts: u32): u32 {
  return share(elements(p), part + 1, parts);
}

/** Address of the element of operand a (or b) that meets output element i. */
export function walkOperand(p: Pairs, i: u32, first: bool): usize {
  let rest = i / p.d5;
  let at = (i - rest * p.d5) * (first ? p.a5 : p.b5);
  let next = rest / p.d4;
  at += (rest - next * p.d4) * (first ? p.a4 : p.b4);
  rest = next / p.d3;
  at += (next - rest * p.d3) * (first ? p.a3 : p.b3);
  next = rest / p.d2;
  at += (rest - next * p.d2) * (first ? p.a2 : p.b2);
  rest = next / p.d1;
  at += (next - rest * p.d1) * (first ? p.a1 : p.b1);
  at += rest * (first ? p.a0 : p.b0);
  return <usize>(first ? p.a : p.b) + at;
}
