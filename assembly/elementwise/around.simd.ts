/** Functions of float32 with an exponential in their middle: what is before it and after it in loops of their own, so that the exponentials go four vectors a turn. @full */
import { exponentials } from "../common/exponentials.simd";
import { erfOf, erfTail, geluOf, geluTanhInner, rootHalf, tanhOf } from "../common/float";
import { ERF, GELU, GELU_TANH, LOGISTIC, TANH } from "./unary-forms";

/** Bytes at a time, which the nearest cache keeps. Scratch has a vector more, for the last few numbers. */
const SOME: u32 = 2048;

/** Which of the forms: they have numbers one behind the other. */
// @ts-ignore: decorator
@inline export function isAround(form: u32): bool {
  return form - LOGISTIC <= GELU - LOGISTIC;
}

/** y = f(x) of whole vectors. Scratch has exp of what `before` says; its sign is that of x where `after` asks for it. */
export function around(form: u32, x: usize, y: usize, bytes: u32, scratch: usize): void {
  const isTanh = form == TANH;
  while (bytes) {
    const some = min(bytes, SOME);
    const end = scratch + some;
    if (form != LOGISTIC) for (let e = scratch, from = x; e < end; e += 16, from += 16) v128.store(e, before(form, v128.load(from)));
    exponentials(form == LOGISTIC ? x : scratch, scratch, some, 0, isTanh ? 2 : 1, isTanh ? 0 : i32.MIN_VALUE, form >= ERF ? -87 : -Infinity);
    if (form == LOGISTIC) for (let e = scratch; e < end; e += 16, x += 16, y += 16) v128.store(y, logisticOf(v128.load(e)));
    else for (let e = scratch; e < end; e += 16, x += 16, y += 16) v128.store(y, after(form, v128.load(x), v128.load(e)));
    bytes -= some;
  }
}

// @ts-ignore: decorator
@inline function before(form: u32, x: v128): v128 {
  if (form == TANH) return f32x4.abs(x);
  if (form == GELU_TANH) return geluTanhInner<v128>(x);
  return erfTail<v128>(form == GELU ? rootHalf<v128>(x) : x);
}

// @ts-ignore: decorator
@inline function after(form: u32, x: v128, e: v128): v128 {
  if (form == TANH) return tanhOf<v128>(x, e);
  if (form == GELU_TANH) return f32x4.mul(x, logisticOf(e));
  const error = erfOf<v128>(form == GELU ? rootHalf<v128>(x) : x, e);
  return form == GELU ? geluOf<v128>(x, error) : error;
}

/** 1 / (1 + exp(−x)) of exp(−|x|) with the sign of x. */
// @ts-ignore: decorator
@inline function logisticOf(signed: v128): v128 {
  const one = f32x4.splat(1);
  const e = f32x4.abs(signed);
  return f32x4.div(v128.bitselect(e, one, i32x4.shr_s(signed, 31)), f32x4.add(one, e));
}
