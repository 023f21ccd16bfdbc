/** Products of sixteen pairs. */
import { Add } from "./params";
import { narrow } from "./sum.simd";
import { requantize, Signed } from "../requantize/requantize.simd";
import { rescale } from "../common/rescale.simd";

/** The differences to the zero points multiplied, and rescaled by the reference's arithmetic, before the clamp. */
export function product(p: Add, a: v128, b: v128): v128 {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(a), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(b), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(a), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(b), bZero);
  return narrow(
    p,
    rescaled(p, i32x4.extmul_low_i16x8_s(a0, b0)),
    rescaled(p, i32x4.extmul_high_i16x8_s(a0, b0)),
    rescaled(p, i32x4.extmul_low_i16x8_s(a1, b1)),
    rescaled(p, i32x4.extmul_high_i16x8_s(a1, b1)),
  );
}

function rescaled(p: Add, value: v128): v128 {
  return rescale(value, i32x4.splat(p.yMultiplier), p.yShift);
}

/** By one float scale, where the packer proved that; before the clamp. */
// @ts-ignore: decorator
@inline export function floatProduct(
  u: v128,
  v: v128,
  aZero: v128,
  bZero: v128,
  scale: v128,
  half: v128,
  m: v128,
  offset: v128,
): v128 {
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(u), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(v), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(u), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(v), bZero);
  const low = i16x8.narrow_i32x4_s(
    requantize<Signed>(i32x4.extmul_low_i16x8_s(a0, b0), scale, half, m, offset),
    requantize<Signed>(i32x4.extmul_high_i16x8_s(a0, b0), scale, half, m, offset),
  );
  const high = i16x8.narrow_i32x4_s(
    requantize<Signed>(i32x4.extmul_low_i16x8_s(a1, b1), scale, half, m, offset),
    requantize<Signed>(i32x4.extmul_high_i16x8_s(a1, b1), scale, half, m, offset),
  );
  return i8x16.narrow_i16x8_s(low, high);
}
