/** Reductions over any axes, each output in the order of memory, so that sums of floats are the same everywhere. @full */
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

/** Sixteen outputs of neighbours, four at any distance, or one. */
function several(p: Reduce, y: usize, x: usize, some: u32): void {
  const form = p.form;
  const isSum = form == SUM || form == MEAN;
  const across = some == 1 ? 0 : <usize>p.s3 << 2;
  const step = <usize>p.t3 << 2;
  let v0 = f32x4.splat(start<f32, f32>(form, FLOAT32));
  let v1 = v0;
  let v2 = v0;
  let v3 = v0;
  for (let a: u32 = 0; a < p.r0; a++) {
    for (let b: u32 = 0; b < p.r1; b++) {
      for (let c: u32 = 0; c < p.r2; c++) {
        let line = x + (<usize>(a * p.t0 + b * p.t1 + c * p.t2) << 2);
        for (let count = p.r3; count; count--) {
          if (some == 16) {
            const u0 = v128.load(line);
            const u1 = v128.load(line, 16);
            const u2 = v128.load(line, 32);
            const u3 = v128.load(line, 48);
            if (isSum) {
              v0 = f32x4.add(v0, u0);
              v1 = f32x4.add(v1, u1);
              v2 = f32x4.add(v2, u2);
              v3 = f32x4.add(v3, u3);
            } else {
              v0 = joined(form, v0, u0);
              v1 = joined(form, v1, u1);
              v2 = joined(form, v2, u2);
              v3 = joined(form, v3, u3);
            }
          } else {
            let u = v128.load32_zero(line);
            u = v128.load32_lane(line + across, u, 1);
            u = v128.load32_lane(line + across * 2, u, 2);
            v0 = joined(form, v0, v128.load32_lane(line + across * 3, u, 3));
          }
          line += step;
        }
      }
    }
  }
  const count = f32x4.splat(form == MEAN ? <f32>(p.r0 * p.r1 * p.r2 * p.r3) : 1);
  v0 = f32x4.div(v0, count);
  if (some == 1) return v128.store32_lane(y, v0, 0);
  v128.store(y, v0);
  if (some == 16) {
    v128.store(y, f32x4.div(v1, count), 16);
    v128.store(y, f32x4.div(v2, count), 32);
    v128.store(y, f32x4.div(v3, count), 48);
  }
}

// @ts-ignore: decorator
@inline function joined(form: u32, value: v128, next: v128): v128 {
  if (form == PRODUCT) return f32x4.mul(value, next);
  if (form == MAX) return f32x4.pmax(value, next);
  if (form == MIN) return f32x4.pmin(value, next);
  return f32x4.add(value, next);
}

/** T: float32, or any integer, whose sums are int64. */
function reduce<T, A>(p: Reduce, part: u32, parts: u32, type: u32): void {
  const bytes = <usize>bytesOf<T>(type);
  const total = p.k0 * p.k1 * p.k2 * p.k3;
  const end = share(total, part + 1, parts);
  const form = p.form;
  for (let i = share(total, part, parts); i < end; ) {
    let rest = i / p.k3;
    const column = i - rest * p.k3;
    let at = column * p.s3;
    let next = rest / p.k2;
    at += (rest - next * p.k2) * p.s2;
    rest = next;
    next = rest / p.k1;
    at += (rest - next * p.k1) * p.s1 + next * p.s0;
    const x = <usize>p.x + <usize>at * bytes;
    const y = <usize>p.y + <usize>i * bytes;
    if (ASC_FEATURE_SIMD && isFloat<T>()) {
      // sixteen that end with the row where it does not go on so far: some of them are there already
      const isSixteen = p.s3 == 1 && p.k3 >= 16;
      const back = isSixteen && column + 16 > p.k3 ? column + 16 - p.k3 : 0;
      const some: u32 = isSixteen ? 16 : min(p.k3 - column, end - i) < 4 ? 1 : 4;
      several(p, y - (<usize>back << 2), x - (<usize>back << 2), some);
      i += some - back;
    } else {
      storeElement<T>(type, y, all<T, A>(p, form, type, x));
      i++;
    }
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
