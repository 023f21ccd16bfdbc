/** From one element type to another: CAST, the most usual ones in vectors, rescaling of integers, BUCKETIZE. @full */
import { Bucketize, Convert, Rescale } from "./params";
import { BOOL, FLOAT16, FLOAT32, FLOAT64, INT16, INT32, INT8, UINT16, UINT8, sizeOf, storeWhole, whole } from "../common/element";
import { rescale as scaled } from "../common/fixedpoint";
import { share } from "../common/split";

/** Four halves, each in a word with its sign above, as floats: exactly. */
function singles(v: v128): v128 {
  const size = i32x4.shl(v128.and(v, i32x4.splat(0x7fff)), 13);
  // 2^112 moves the exponent from one bias to the other, subnormals too
  const value = f32x4.mul(size, i32x4.splat(0x77800000));
  const beyond = v128.and(i32x4.gt_s(size, i32x4.splat(0x0f7fffff)), i32x4.splat(0x7f800000));
  return v128.or(v128.or(value, beyond), v128.and(v, i32x4.splat(0x80000000)));
}

/** Four floats as halves in words of their own, rounded half to even. */
function halves(v: v128): v128 {
  // What is added has its lowest bit where the half has it, and leaves the exponent above: the sum is rounded as the half.
  const exponent = i32x4.max_s(v128.and(v, i32x4.splat(0x7f800000)), i32x4.splat(0x38800000));
  const steps = i32x4.add(exponent, i32x4.splat(0x07800000));
  // four times as large: infinite from where halves are
  const large = f32x4.mul(f32x4.mul(f32x4.abs(v), i32x4.splat(0x77800000)), i32x4.splat(0x08800000));
  const sum = f32x4.add(steps, large);
  const size = i32x4.add(v128.and(i32x4.shr_u(sum, 13), i32x4.splat(0x7c00)), v128.and(sum, i32x4.splat(0xfff)));
  const known = v128.bitselect(size, i32x4.splat(0x7e00), f32x4.eq(v, v));
  return v128.or(known, v128.and(i32x4.shr_u(v, 16), i32x4.splat(0x8000)));
}

/** A float element; half precision exactly. */
function real(type: u32, x: usize): f64 {
  if (type == FLOAT32) return load<f32>(x);
  if (type == FLOAT64) return load<f64>(x);
  if (ASC_FEATURE_SIMD) return f32x4.extract_lane(singles(i32x4.splat(load<i16>(x))), 0);
  else {
    const half = <u32>load<u16>(x);
    const size = (half & 0x7fff) << 13;
    const value = size > 0x0f7fffff ? reinterpret<f32>(size | 0x7f800000) : reinterpret<f32>(size) * reinterpret<f32>(0x77800000);
    return copysign<f32>(value, reinterpret<f32>((half & 0x8000) << 16));
  }
}

/** A float in half precision, rounded half to even. */
function half(x: f64): u32 {
  // A float64 rounds twice on its way: of what a float32 does not hold its lowest bit says whether there was any.
  const word = reinterpret<u64>(x);
  const single = <f32>reinterpret<f64>(((word >> 29) | <u64>(word << 35 != 0)) << 29);
  if (ASC_FEATURE_SIMD) return i32x4.extract_lane(halves(f32x4.splat(single)), 0);
  else {
    const bits = reinterpret<u32>(single);
    const sign = (bits >>> 16) & 0x8000;
    const size = bits & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00;
    if (size >= 0x477ff000) return sign | 0x7c00;
    if (size < 0x38800000) {
      // below the smallest normal number: steps of 2^-24
      const steps = <u32>nearest<f32>(reinterpret<f32>(size) * reinterpret<f32>(0x4b800000));
      return sign | steps;
    }
    const rounded = size + 0xfff + ((size >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
}

/** A float as an integer: held to what 8 bits and int16 hold; of others what does not fit, or is no number, is the least. */
function cut(type: u32, x: f64): i64 {
  if (sizeOf(type) < 4 && type != UINT16) {
    const bits = 8 * <i32>sizeOf(type);
    const signed = type == INT8 || type == INT16;
    const least = signed ? -(1 << (bits - 1)) : 0;
    const most = signed ? -1 - least : (1 << bits) - 1;
    return x >= <f64>least ? <i64>(x < <f64>most ? x : <f64>most) : <i64>least;
  }
  const limit: f64 = type == INT32 ? 2147483648.0 : 9223372036854775808.0;
  const least: i64 = type == INT32 ? <i64>i32.MIN_VALUE : i64.MIN_VALUE;
  return x > -limit - 1 && x < limit ? <i64>x : least;
}

/** Whole fours of elements from i on, of the casts that have vectors; returns where they end. */
function fours(p: Convert, i: u32, end: u32): u32 {
  if (!ASC_FEATURE_SIMD) return i;
  else {
    const from = p.from;
    const to = p.to;
    const byte = from == INT8 || from == UINT8;
    const float = to == FLOAT32;
    // the other is int8, if it comes first, or one of these
    const others = (1 << UINT8) | (1 << INT32) | (1 << FLOAT16) | <u32>float;
    if (!float && from != FLOAT32) return i;
    if (!((others >> (float ? from : to)) & 1)) return i;
    let x = <usize>p.x + i * sizeOf(from);
    let y = <usize>p.y + i * sizeOf(to);
    for (; i + 4 <= end; i += 4) {
      let v = byte ? v128.load32_zero(x) : from == FLOAT16 ? v128.load16x4_s(x) : v128.load(x);
      if (byte) v = i32x4.extend_low_i16x8_s(from == INT8 ? i16x8.extend_low_i8x16_s(v) : i16x8.extend_low_i8x16_u(v));
      if (float) v128.store(y, from == FLOAT16 ? singles(v) : f32x4.convert_i32x4_s(v));
      else if (to == FLOAT16) {
        v = halves(v);
        v128.store64_lane(y, i16x8.narrow_i32x4_u(v, v), 0);
      } else {
        const cut = i32x4.trunc_sat_f32x4_s(v);
        if (to == INT32) {
          const fits = v128.and(f32x4.ge(v, f32x4.splat(-2147483648.0)), f32x4.lt(v, f32x4.splat(2147483648.0)));
          v128.store(y, v128.bitselect(cut, i32x4.splat(i32.MIN_VALUE), fits));
        } else {
          const words = i16x8.narrow_i32x4_s(cut, cut);
          v128.store32_lane(y, i8x16.narrow_i16x8_u(words, words), 0);
        }
      }
      x += sizeOf(from) << 2;
      y += sizeOf(to) << 2;
    }
    return i;
  }
}

/** CAST: integers wrap, floats are cut towards zero, what is not 0 is true. */
export function cast(p: Convert, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const start = fours(p, share(p.count, part, parts), end);
  const floats = p.from == FLOAT32 || p.from == FLOAT64 || p.from == FLOAT16;
  for (let i = start; i < end; i++) {
    const x = <usize>p.x + i * sizeOf(p.from);
    const y = <usize>p.y + i * sizeOf(p.to);
    const n = floats ? 0 : whole(p.from, x);
    const r = floats ? real(p.from, x) : 0;
    if (p.to == FLOAT32) store<f32>(y, floats ? <f32>r : <f32>n);
    else if (p.to == FLOAT64) store<f64>(y, floats ? r : <f64>n);
    else if (p.to == FLOAT16) store<u16>(y, <u16>half(floats ? r : <f64>n));
    else if (p.to == BOOL) store<u8>(y, floats ? r != 0 : n != 0);
    else storeWhole(p.to, y, floats ? cut(p.to, r) : n);
  }
}

/** Integers to integers by a factor, one from 0 up and one below, and clamped. */
export function rescale(p: Rescale, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    let x = <i32>whole(p.from, <usize>p.x + i * sizeOf(p.from)) - p.xZeroPoint;
    if (p.magnitude) x = abs<i32>(x);
    const value = x < 0 ? scaled(x, p.downMultiplier, p.downShift) : scaled(x, p.multiplier, p.shift);
    const wide = min(max(<i64>value + p.yZeroPoint, <i64>p.lo), <i64>p.hi);
    storeWhole(p.to, <usize>p.y + i * sizeOf(p.to), wide);
  }
}

/** BUCKETIZE: how many bounds are at most x. */
export function bucketize(p: Bucketize, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const at = <usize>p.x + i * sizeOf(p.from);
    const x: f64 = p.from == FLOAT32 || p.from == FLOAT64 ? real(p.from, at) : <f64>(<f32>whole(p.from, at));
    let low: u32 = 0;
    let high = p.bounds;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (x < <f64>load<f32>(<usize>p.table + (<usize>middle << 2))) high = middle;
      else low = middle + 1;
    }
    store<u32>(<usize>p.y + (<usize>i << 2), low);
  }
}
