/** float32 to bytes and back, sixteen at a time; the portable loops do the rest. */
import { Quantize } from "./params";
import { dequantizeRange, quantizeRange } from "./quantize";
import { share } from "../common/split";
import { magic, signBits, topBits } from "../common/constants.simd";

/** float32 to a byte in [lo, hi]: x / scale rounded half away from zero or to even, plus the zero point. NaN becomes lo. */
export function quantize(p: Quantize, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const unsigned = p.lo >= 0;
  const even = p.even != 0;
  const scale = f32x4.splat(p.scale);
  const lo = f32x4.splat(<f32>(p.lo - p.zeroPoint));
  const hi = f32x4.splat(<f32>(p.hi - p.zeroPoint));
  const offset = i32x4.sub(magic(), i32x4.splat(p.zeroPoint));
  let i = share(p.count, part, parts);
  for (; i + 16 <= end; i += 16) {
    const x = <usize>p.x + (<usize>i << 2);
    const low = i16x8.narrow_i32x4_s(nearest(x, even, scale, lo, hi, offset), nearest(x + 16, even, scale, lo, hi, offset));
    const high = i16x8.narrow_i32x4_s(nearest(x + 32, even, scale, lo, hi, offset), nearest(x + 48, even, scale, lo, hi, offset));
    const y = unsigned ? i8x16.narrow_i16x8_u(low, high) : i8x16.narrow_i16x8_s(low, high);
    v128.store(<usize>p.y + i, y);
  }
  quantizeRange(p, i, end);
}

/**
 * Clamped before rounding, so that adding the largest float below 0.5 and cutting the fraction rounds half away from
 * zero, and the magic number half to even. Both clamps take their bound where the operand is NaN, or equal.
 */
// @ts-ignore: decorator
@inline function nearest(x: usize, even: bool, scale: v128, lo: v128, hi: v128, offset: v128): v128 {
  let v = f32x4.div(v128.load(x), scale);
  v = f32x4.pmin(hi, f32x4.pmax(lo, v));
  if (!even) v = f32x4.trunc(f32x4.add(v, v128.or(v128.and(v, signBits()), f32x4.splat(0.49999997))));
  return i32x4.sub(f32x4.add(v, magic()), offset);
}

/** A byte, signed where lo is negative, to float32. */
export function dequantize(p: Quantize, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const signed = p.lo < 0;
  const flip = signed ? i8x16.splat(0) : topBits();
  const zeroPoint = i16x8.splat(<i16>(signed ? p.zeroPoint : p.zeroPoint - 128));
  const scale = f32x4.splat(p.scale);
  let i = share(p.count, part, parts);
  for (; i + 16 <= end; i += 16) {
    const x = v128.xor(v128.load(<usize>p.x + i), flip);
    const low = i16x8.sub(i16x8.extend_low_i8x16_s(x), zeroPoint);
    const high = i16x8.sub(i16x8.extend_high_i8x16_s(x), zeroPoint);
    const y = <usize>p.y + (<usize>i << 2);
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), scale));
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), scale), 16);
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), scale), 32);
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), scale), 48);
  }
  dequantizeRange(p, i, end);
}
