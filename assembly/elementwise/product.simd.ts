/** Products of sixteen pairs, before the clamp. */
import { Add } from "./params";
import { narrow } from "./sum.simd";
import { magic } from "../common/constants.simd";
import { requantize, Signed } from "../requantize/requantize.simd";
import { rescale } from "../common/rescale.simd";

/** The differences to the zero points multiplied, and rescaled: by one float scale where the packer proved that. */
// @ts-ignore: decorator
@inline export function product(p: Add, a: v128, b: v128, float: bool): v128 {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(a), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(b), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(a), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(b), bZero);
  return narrow(
    p,
    scaled(p, i32x4.extmul_low_i16x8_s(a0, b0), float),
    scaled(p, i32x4.extmul_high_i16x8_s(a0, b0), float),
    scaled(p, i32x4.extmul_low_i16x8_s(a1, b1), float),
    scaled(p, i32x4.extmul_high_i16x8_s(a1, b1), float),
  );
}

// @ts-ignore: decorator
@inline function scaled(p: Add, value: v128, float: bool): v128 {
  return float
    ? requantize<Signed>(value, f32x4.splat(p.scale), f32x4.splat(p.half), magic(), magic())
    : rescaled(p, value);
}

function rescaled(p: Add, value: v128): v128 {
  return rescale(value, i32x4.splat(p.yMultiplier), p.yShift);
}
