/** Products of sixteen pairs. */
import { Add } from "./params";
import { narrow } from "./sum.simd";
import { magic, signBits } from "../common/constants.simd";
import { loadFew, storeFew } from "../common/edge.simd";
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

/** `rows` runs of `count` products by one float scale, where the packer proved that: constants stay in registers, and no call is among them. */
export function floatProducts(p: Add, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const scale = f32x4.splat(p.scale);
  const half = f32x4.splat(p.half);
  const m = magic();
  const signs = signBits();
  const offset = i32x4.sub(m, i32x4.splat(p.yZeroPoint));
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  const aStep = <usize>p.a5 << 4;
  const bStep = <usize>p.b5 << 4;
  for (; rows; rows--) {
    let u = v128.load8_splat(a);
    let v = v128.load8_splat(b);
    let at = a;
    let bt = b;
    let left = count;
    for (; left >= 16; left -= 16) {
      if (aStep) u = v128.load(at);
      if (bStep) v = v128.load(bt);
      v128.store(y, floatProduct(u, v, aZero, bZero, scale, half, m, signs, offset, lo, hi));
      at += aStep;
      bt += bStep;
      y += 16;
    }
    if (left) {
      if (aStep) u = loadFew(at, left);
      if (bStep) v = loadFew(bt, left);
      storeFew(y, floatProduct(u, v, aZero, bZero, scale, half, m, signs, offset, lo, hi), left);
      y += left;
    }
    a += p.a4;
    b += p.b4;
  }
}

// @ts-ignore: decorator
@inline function floatProduct(
  u: v128,
  v: v128,
  aZero: v128,
  bZero: v128,
  scale: v128,
  half: v128,
  m: v128,
  signs: v128,
  offset: v128,
  lo: v128,
  hi: v128,
): v128 {
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(u), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(v), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(u), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(v), bZero);
  const low = i16x8.narrow_i32x4_s(
    scaled(i32x4.extmul_low_i16x8_s(a0, b0), scale, half, m, signs, offset),
    scaled(i32x4.extmul_high_i16x8_s(a0, b0), scale, half, m, signs, offset),
  );
  const high = i16x8.narrow_i32x4_s(
    scaled(i32x4.extmul_low_i16x8_s(a1, b1), scale, half, m, signs, offset),
    scaled(i32x4.extmul_high_i16x8_s(a1, b1), scale, half, m, signs, offset),
  );
  return i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(low, high), lo), hi);
}

/** The form SIGNED of requantization. */
// @ts-ignore: decorator
@inline function scaled(value: v128, scale: v128, half: v128, m: v128, signs: v128, offset: v128): v128 {
  const f = f32x4.mul(f32x4.convert_i32x4_s(value), scale);
  return i32x4.sub(f32x4.add(f32x4.add(f, v128.or(v128.and(f, signs), half)), m), offset);
}
