/**
 * int32 accumulators to int8, four exact forms from cheap to general. The packer (`bindings/primitives/requantize/requantize.ts`)
 * proves for each panel of eight channels which form equals the reference on every accumulator that can occur.
 *
 * A requantize record holds one panel: bias i32×8 | a ×8 | b ×8 | form u32 ×4, and in the relaxed module colSum i32×8.
 */
import { half64, magic, signBits } from "../common/constants.simd";

/** a = i32 multiplier, b = i32 shift; one lane at a time in 64-bit integers. */
export const EXACT: u32 = 0;
/** a = i32 multiplier, b = f32 2^(−e)(1 + 2^−23): rounding doubling high multiply, then rounding shift. */
export const FIXED: u32 = 1;
/** a = f32 scale, b = f32 half: scale, add the half away from zero, round. */
export const SIGNED: u32 = 2;
/** a = f32 scale, b = f32 offset that holds the half and the zero point: scale, add, round. */
export const POSITIVE: u32 = 3;

/**
 * The float and fixed-point forms as types, for code that is made once for each: a number that is passed to an inlined
 * function is a variable again once the optimizer has merged the copies that differ by it alone.
 */
export class Fixed {}
export class Signed {}
export class Positive {}

/** Bytes of a record, and offsets in it. */
export const RECORD: usize = ASC_FEATURE_RELAXED_SIMD ? 144 : 112;
export const A: usize = 32;
export const B: usize = 64;
export const FORM: usize = 96;
export const COL_SUM: usize = 112;

/**
 * Four accumulators' start values. Where the dot product takes activations as unsigned, `mask` is not zero and each
 * channel's −128·(sum of its weights), at COL_SUM, makes up for the flipped top bits.
 */
// @ts-ignore: decorator
@inline export function initial(q: usize, mask: v128): v128 {
  const bias = v128.load(q);
  if (!ASC_FEATURE_RELAXED_SIMD) return bias;
  return i32x4.add(bias, v128.and(v128.load(q, COL_SUM), i32x4.shr_s(mask, 31)));
}

/** What the integer bits of a magic-rounded f32 lack to be the quantized value; zeroPoint is where that stands. */
// @ts-ignore: decorator
@inline export function offsetOf<F>(zeroPoint: usize, m: v128): v128 {
  return idof<F>() == idof<Positive>() ? m : i32x4.sub(m, v128.load32_splat(zeroPoint));
}

/** Four accumulators in the form F; m is `magic()`, bound once for a whole tile, and offset is `offsetOf<F>`. */
// @ts-ignore: decorator
@inline export function requantize<F>(r: v128, a: v128, b: v128, m: v128, offset: v128): v128 {
  if (idof<F>() == idof<Positive>()) {
    return i32x4.sub(f32x4.add(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(r), a), b), m), m);
  }
  if (idof<F>() == idof<Signed>()) {
    const f = f32x4.mul(f32x4.convert_i32x4_s(r), a);
    return i32x4.sub(f32x4.add(f32x4.add(f, v128.or(v128.and(f, signBits()), b)), m), offset);
  }
  const d = i32x4.shl(r, 1);
  const h = i32x4.shuffle(
    i64x2.add(i64x2.extmul_low_i32x4_s(d, a), half64()),
    i64x2.add(i64x2.extmul_high_i32x4_s(d, a), half64()),
    1,
    3,
    5,
    7,
  );
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(h), b), m), offset);
}

/** One accumulator by the reference's integer arithmetic; shift 64 marks onnxruntime's rule, multiplier an f32 factor. */
export function exactLane(acc: i32, multiplier: i32, shift: i32, zeroPoint: i32): i32 {
  if (shift == 64) return <i32>max(min(nearest(<f32>acc * reinterpret<f32>(multiplier)), <f32>1024), <f32>-1024) + zeroPoint;
  const left = shift > 0 ? acc << shift : acc;
  const x = <i32>((<i64>left * <i64>multiplier + (1 << 30)) >> 31);
  const e = shift < 0 ? -shift : 0;
  const mask = <i32>((<i64>1 << e) - 1);
  const rest = x & mask;
  const q = (e > 31 ? x >> 31 : x >> e) + i32(rest > (mask >>> 1) + i32(x < 0));
  return max(min(q, 1024), -1024) + zeroPoint;
}

/** Four accumulators by `exactLane`; a and b are the addresses of four multipliers and shifts. */
export function exact(r: v128, a: usize, b: usize, zeroPoint: i32): v128 {
  let y = i32x4.splat(exactLane(i32x4.extract_lane(r, 0), load<i32>(a), load<i32>(b), zeroPoint));
  y = i32x4.replace_lane(y, 1, exactLane(i32x4.extract_lane(r, 1), load<i32>(a, 4), load<i32>(b, 4), zeroPoint));
  y = i32x4.replace_lane(y, 2, exactLane(i32x4.extract_lane(r, 2), load<i32>(a, 8), load<i32>(b, 8), zeroPoint));
  return i32x4.replace_lane(y, 3, exactLane(i32x4.extract_lane(r, 3), load<i32>(a, 12), load<i32>(b, 12), zeroPoint));
}

/** Eight accumulators in the record's own form, which is looked up, as int16. */
export function requantizeAny(r0: v128, r1: v128, q: usize, zeroPoint: usize): v128 {
  const form = load<u32>(q, FORM);
  if (form == EXACT) {
    const zero = load<i32>(zeroPoint);
    return i16x8.narrow_i32x4_s(exact(r0, q + A, q + B, zero), exact(r1, q + A + 16, q + B + 16, zero));
  }
  const m = magic();
  if (form == POSITIVE) return eight<Positive>(r0, r1, q, m, m);
  if (form == SIGNED) return eight<Signed>(r0, r1, q, m, offsetOf<Signed>(zeroPoint, m));
  return eight<Fixed>(r0, r1, q, m, offsetOf<Fixed>(zeroPoint, m));
}

// @ts-ignore: decorator
@inline function eight<F>(r0: v128, r1: v128, q: usize, m: v128, offset: v128): v128 {
  return i16x8.narrow_i32x4_s(
    requantize<F>(r0, v128.load(q, A), v128.load(q, B), m, offset),
    requantize<F>(r1, v128.load(q, A + 16), v128.load(q, B + 16), m, offset),
  );
}

/** The clamp of parameter block P at `params`, in every byte. */
// @ts-ignore: decorator
@inline export function lowest<P>(params: usize): v128 {
  return v128.load8_splat(params, offsetof<P>("lo"));
}

// @ts-ignore: decorator
@inline export function highest<P>(params: usize): v128 {
  return v128.load8_splat(params, offsetof<P>("hi"));
}

/** Sixteen requantized values to clamped int8. */
// @ts-ignore: decorator
@inline export function narrow(r0: v128, r1: v128, r2: v128, r3: v128, lo: v128, hi: v128): v128 {
  return clamped(i16x8.narrow_i32x4_s(r0, r1), i16x8.narrow_i32x4_s(r2, r3), lo, hi);
}

/** Sixteen int16 to clamped int8. */
// @ts-ignore: decorator
@inline export function clamped(low: v128, high: v128, lo: v128, hi: v128): v128 {
  return i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(low, high), lo), hi);
}
