/** The arithmetic of nearest.ts, sixteen pairs of int8 at a time. */
import { Nearest } from "./params";
import { magic } from "../common/constants.simd";

/** Forms: the sum in float32, and as floats, and in float64 otherwise; the product by one scale, and as floats. */
export const PLAIN: u32 = 1;
export const FLOATS: u32 = 2;
export const PRODUCT: u32 = 3;
export const FLOAT_PRODUCT: u32 = 4;

/** Sixteen results. */
// @ts-ignore: decorator
@inline export function nearestPairs(p: Nearest, u: v128, v: v128, form: u32): v128 {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(u), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(v), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(u), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(v), bZero);
  const low = eight(p, a0, b0, form);
  const high = eight(p, a1, b1, form);
  const zeroPoint = i16x8.splat(<i16>p.yZeroPoint);
  const bytes = i8x16.narrow_i16x8_s(i16x8.add_sat_s(low, zeroPoint), i16x8.add_sat_s(high, zeroPoint));
  return i8x16.min_s(i8x16.max_s(bytes, i8x16.splat(<i8>p.lo)), i8x16.splat(<i8>p.hi));
}

/** Eight pairs of int16, rounded to int16. */
function eight(p: Nearest, a: v128, b: v128, form: u32): v128 {
  if (form == PRODUCT)
    return i16x8.narrow_i32x4_s(
      rounded(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_low_i16x8_s(a, b)), f32x4.splat(p.aScale)), f32x4.splat(p.offset))),
      rounded(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_high_i16x8_s(a, b)), f32x4.splat(p.aScale)), f32x4.splat(p.offset))),
    );
  const a0 = i32x4.extend_low_i16x8_s(a);
  const b0 = i32x4.extend_low_i16x8_s(b);
  const a1 = i32x4.extend_high_i16x8_s(a);
  const b1 = i32x4.extend_high_i16x8_s(b);
  if (form == FLOATS || form == FLOAT_PRODUCT)
    return i16x8.narrow_i32x4_s(rounded(floats(p, a0, b0, form)), rounded(floats(p, a1, b1, form)));
  return i16x8.narrow_i32x4_s(rounded(exact(p, a0, b0)), rounded(exact(p, a1, b1)));
}

// @ts-ignore: decorator
@inline function floats(p: Nearest, a: v128, b: v128, form: u32): v128 {
  const u = f32x4.mul(f32x4.convert_i32x4_s(a), f32x4.splat(p.aScale));
  const v = f32x4.mul(f32x4.convert_i32x4_s(b), f32x4.splat(p.bScale));
  return f32x4.div(form == FLOATS ? f32x4.add(u, v) : f32x4.mul(u, v), f32x4.splat(p.yScale));
}

/** Before the clamp. */
// @ts-ignore: decorator
@inline export function plainSum(
  u: v128,
  v: v128,
  aZero: v128,
  bZero: v128,
  aScale: v128,
  bScale: v128,
  added: v128,
  m: v128,
  offset: v128,
): v128 {
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(u), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(v), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(u), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(v), bZero);
  const low = i16x8.narrow_i32x4_s(
    plain(i32x4.extend_low_i16x8_s(a0), i32x4.extend_low_i16x8_s(b0), aScale, bScale, added, m, offset),
    plain(i32x4.extend_high_i16x8_s(a0), i32x4.extend_high_i16x8_s(b0), aScale, bScale, added, m, offset),
  );
  const high = i16x8.narrow_i32x4_s(
    plain(i32x4.extend_low_i16x8_s(a1), i32x4.extend_low_i16x8_s(b1), aScale, bScale, added, m, offset),
    plain(i32x4.extend_high_i16x8_s(a1), i32x4.extend_high_i16x8_s(b1), aScale, bScale, added, m, offset),
  );
  return i8x16.narrow_i16x8_s(low, high);
}

// @ts-ignore: decorator
@inline function plain(a: v128, b: v128, aScale: v128, bScale: v128, added: v128, m: v128, offset: v128): v128 {
  const t = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(b), bScale), added);
  return i32x4.sub(f32x4.add(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), aScale), t), m), offset);
}

/** Four sums in float64, rounded to float32 after each product and sum together. */
function exact(p: Nearest, a: v128, b: v128): v128 {
  const low = exactTwo(p, a, b);
  const high = exactTwo(p, i32x4.shuffle(a, a, 2, 3, 2, 3), i32x4.shuffle(b, b, 2, 3, 2, 3));
  return i32x4.shuffle(low, high, 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline function exactTwo(p: Nearest, a: v128, b: v128): v128 {
  const t = f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(b), f64x2.splat(p.bScale)), f64x2.splat(p.offset));
  const inner = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(t));
  return f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(a), f64x2.splat(p.aScale)), inner));
}

/** Half to even; beyond ±1024, which any zero point leaves outside of int8, to these. */
// @ts-ignore: decorator
@inline function rounded(v: v128): v128 {
  const near = f32x4.pmin(f32x4.splat(1024), f32x4.pmax(f32x4.splat(-1024), v));
  return i32x4.sub(f32x4.add(near, magic()), magic());
}
