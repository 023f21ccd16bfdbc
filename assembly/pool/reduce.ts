/** Reductions over any axes, one output at a time in the order of memory, so that sums of floats are the same everywhere. @full */
import { bytesOf, element, FLOAT32, INT16, INT32, INT64, INT8, sizeOf, storeElement, UINT8 } from "../common/element";
import { clamp, rescale } from "../common/fixedpoint";
import { share } from "../common/split";

/**
 * Output i of `[k0,k1,k2,k3]`, of which k3 is innermost, reduces x at the sum of its indices times the strides s0..s3
 * over `[r0,r1,r2,r3]` at strides t0..t3; all in elements.
 */
@unmanaged
export class Reduce {
  x: u32;
  y: u32;
  /** What is done: the constants below. */
  form: u32;
  k0: u32;
  k1: u32;
  k2: u32;
  k3: u32;
  s0: u32;
  s1: u32;
  s2: u32;
  s3: u32;
  r0: u32;
  r1: u32;
  r2: u32;
  r3: u32;
  t0: u32;
  t1: u32;
  t2: u32;
  t3: u32;
  /** Of quantized forms: zero points, and the factor of the sum, or of each product. */
  xZeroPoint: i32;
  yZeroPoint: i32;
  multiplier: i32;
  shift: i32;
}

/** Forms. Integers wrap; the mean of integers is rounded towards zero, that of none is 0. */
const SUM: u32 = 0;
const PRODUCT: u32 = 1;
const MAX: u32 = 2;
const MIN: u32 = 3;
const MEAN: u32 = 4;
/** Sum of differences to the zero point, rescaled. */
const SCALED_SUM: u32 = 5;
/** Product of differences to the zero point, rescaled at every step and once more at the end. */
const SCALED_PRODUCT: u32 = 6;

/** int8. */
export function reduceS8(p: Reduce, part: u32, parts: u32): void {
  reduce<i64, i64>(p, part, parts, INT8);
}

/** int16. */
export function reduceS16(p: Reduce, part: u32, parts: u32): void {
  reduce<i64, i64>(p, part, parts, INT16);
}

/** uint8 that is not quantized. */
export function reduceU8(p: Reduce, part: u32, parts: u32): void {
  reduce<i64, i64>(p, part, parts, UINT8);
}

/** int32. */
export function reduceS32(p: Reduce, part: u32, parts: u32): void {
  reduce<i64, i64>(p, part, parts, INT32);
}

/** int64. */
export function reduceS64(p: Reduce, part: u32, parts: u32): void {
  reduce<i64, i64>(p, part, parts, INT64);
}

/** float32. */
export function reduceF32(p: Reduce, part: u32, parts: u32): void {
  reduce<f32, f32>(p, part, parts, FLOAT32);
}

/** T: float32, or any integer, whose sums are int64. */
function reduce<T, A>(p: Reduce, part: u32, parts: u32, type: u32): void {
  const bytes = <usize>bytesOf<T>(type);
  const total = p.k0 * p.k1 * p.k2 * p.k3;
  const end = share(total, part + 1, parts);
  const form = p.form;
  for (let i = share(total, part, parts); i < end; i++) {
    let rest = i / p.k3;
    let at = (i - rest * p.k3) * p.s3;
    let next = rest / p.k2;
    at += (rest - next * p.k2) * p.s2;
    rest = next;
    next = rest / p.k1;
    at += (rest - next * p.k1) * p.s1 + next * p.s0;
    const value = all<T, A>(p, form, type, <usize>p.x + <usize>at * bytes);
    storeElement<T>(type, <usize>p.y + <usize>i * bytes, value);
  }
}

function all<T, A>(p: Reduce, form: u32, type: u32, x: usize): T {
  const bytes = <usize>bytesOf<T>(type);
  let value = start<T, A>(form, type);
  let first = form == SCALED_PRODUCT;
  for (let a: u32 = 0; a < p.r0; a++) {
    for (let b: u32 = 0; b < p.r1; b++) {
      for (let c: u32 = 0; c < p.r2; c++) {
        let line = x + <usize>(a * p.t0 + b * p.t1 + c * p.t2) * bytes;
        let count = p.r3;
        const step = <usize>p.t3 * bytes;
        if (first && count > 0) {
          value = <A>element<T>(type, line) - <A>p.xZeroPoint;
          line += step;
          count--;
          first = false;
        }
        value = lineOf<T, A>(p, form, type, value, line, count, step);
      }
    }
  }
  const count = p.r0 * p.r1 * p.r2 * p.r3;
  if (form == MEAN) {
    if (isInteger<A>()) return count ? <T>(value / <A>count) : <T>0;
    return <T>(value / <A>count);
  }
  if (isInteger<A>() && form >= SCALED_SUM) {
    const sum = form == SCALED_SUM ? rescale(<i32>value - p.xZeroPoint * <i32>count, p.multiplier, p.shift) : rescaleWide(<i64>value, p.multiplier, p.shift);
    const lo = bytes == 1 ? -128 : -32768;
    return <T>clamp(sum + p.yZeroPoint, lo, -1 - lo);
  }
  return <T>value;
}

// @ts-ignore: decorator
@inline function start<T, A>(form: u32, type: u32): A {
  if (form == PRODUCT) return <A>1;
  if (form == MAX) return isInteger<T>() ? <A>minOf(type) : <A>(-Infinity);
  if (form == MIN) return isInteger<T>() ? <A>maxOf(type) : <A>Infinity;
  return <A>0;
}

// @ts-ignore: decorator
@inline function minOf(type: u32): i64 {
  return type == UINT8 ? 0 : i64.MIN_VALUE >> (64 - 8 * sizeOf(type));
}

// @ts-ignore: decorator
@inline function maxOf(type: u32): i64 {
  return i64.MAX_VALUE >> (64 - 8 * sizeOf(type) - (type == UINT8 ? 1 : 0));
}

// @ts-ignore: decorator
@inline function lineOf<T, A>(p: Reduce, form: u32, type: u32, value: A, x: usize, count: u32, step: usize): A {
  switch (form) {
    case PRODUCT:
      for (; count > 0; count--) {
        value *= <A>element<T>(type, x);
        x += step;
      }
      return value;
    case MAX:
    case MIN:
      for (; count > 0; count--) {
        const next = <A>element<T>(type, x);
        if (form == MAX ? next > value : next < value) value = next;
        x += step;
      }
      return value;
    case SCALED_PRODUCT:
      if (isInteger<A>())
        for (; count > 0; count--) {
          const next = <i64>value * (<i64>element<T>(type, x) - <i64>p.xZeroPoint);
          value = <A>rescaleWide(next, p.multiplier, p.shift);
          x += step;
        }
      return value;
    default:
      for (; count > 0; count--) {
        value += <A>element<T>(type, x);
        x += step;
      }
      return value;
  }
}

/** An int64 by a factor of 16 bits, rounded half up, as the reference's rescaling of int64 is. */
function rescaleWide(x: i64, multiplier: i32, shift: i32): i32 {
  const reduced: i64 = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
  const total: i64 = 15 - shift;
  return <i32>((x * reduced + (<i64>1 << (total - 1))) >> total);
}
