/** Rows of sixteen pairs by forms whose constants stay in registers, which no call is among. */
import { Add, Nearest, Pairs } from "./params";
import { magic } from "../common/constants.simd";
import { loadFew, storeFew } from "../common/edge.simd";
import { floatProduct } from "./product.simd";
import { plainSum } from "./rint.simd";
import { linearSum } from "./sum.simd";

/** The forms: `floatProduct`, `linearSum` and `plainSum`, whose constants come in the order in which they take them. */
class FloatProduct {}
class LinearSum {}
class PlainSum {}

/** `rows` runs of `count` products by one float scale, where the packer proved that: constants stay in registers, and no call is among them. */
export function floatProducts(p: Add, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const scale = f32x4.splat(p.scale);
  const half = f32x4.splat(p.half);
  const m = magic();
  const offset = i32x4.sub(m, i32x4.splat(p.yZeroPoint));
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  walkRows<FloatProduct>(p, a, b, y, count, rows, aZero, bZero, scale, half, m, offset, offset, lo, hi, 0);
}

/**
 * `rows` runs of `count` sums, (a·aFactor + b·bFactor + offset) / 2^fraction, ties away from zero: the packer
 * (`bindings/primitives/elementwise/sumProof.ts`) proved it equal to the reference on all 65536 pairs. Pairs of int16 meet both
 * factors in dot products, the high 15 bits of the factors and the low 15 bits apart. Constants stay in registers, and no call is
 * among the vectors.
 */
export function linearSums(p: Add, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const fraction = 23 - p.form;
  const coarse = i32x4.splat(p.highFactors);
  const fine = i32x4.splat(p.lowFactors);
  const zero = i32x4.splat(p.zero);
  const half = i32x4.splat(p.offset);
  const zeroPoint = i16x8.splat(<i16>p.yZeroPoint);
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  walkRows<LinearSum>(p, a, b, y, count, rows, coarse, fine, zero, half, zeroPoint, zeroPoint, zeroPoint, lo, hi, fraction);
}

/** `rows` runs of `count` sums in float32 after each step, which are all below 2^21. Constants stay in registers. */
export function plainSums(p: Nearest, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const aScale = f32x4.splat(p.aScale);
  const bScale = f32x4.splat(p.bScale);
  const added = f32x4.splat(p.offset);
  const m = magic();
  const offset = i32x4.sub(m, i32x4.splat(p.yZeroPoint));
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  walkRows<PlainSum>(p, a, b, y, count, rows, aZero, bZero, aScale, bScale, added, m, offset, lo, hi, 0);
}

/** `rows` runs of `count` pairs, where an operand's stride is 0 or 1; `fraction` is LinearSum's. */
// @ts-ignore: decorator
@inline function walkRows<F>(
  p: Pairs,
  a: usize,
  b: usize,
  y: usize,
  count: u32,
  rows: u32,
  c0: v128,
  c1: v128,
  c2: v128,
  c3: v128,
  c4: v128,
  c5: v128,
  c6: v128,
  lo: v128,
  hi: v128,
  fraction: i32,
): void {
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
      v128.store(y, sixteen<F>(u, v, c0, c1, c2, c3, c4, c5, c6, lo, hi, fraction));
      at += aStep;
      bt += bStep;
      y += 16;
    }
    if (left) {
      if (aStep) u = loadFew(at, left);
      if (bStep) v = loadFew(bt, left);
      storeFew(y, sixteen<F>(u, v, c0, c1, c2, c3, c4, c5, c6, lo, hi, fraction), left);
      y += left;
    }
    a += p.a4;
    b += p.b4;
  }
}

// @ts-ignore: decorator
@inline function sixteen<F>(
  u: v128,
  v: v128,
  c0: v128,
  c1: v128,
  c2: v128,
  c3: v128,
  c4: v128,
  c5: v128,
  c6: v128,
  lo: v128,
  hi: v128,
  fraction: i32,
): v128 {
  let bytes: v128;
  if (idof<F>() == idof<FloatProduct>()) bytes = floatProduct(u, v, c0, c1, c2, c3, c4, c5);
  else if (idof<F>() == idof<PlainSum>()) bytes = plainSum(u, v, c0, c1, c2, c3, c4, c5, c6);
  else bytes = linearSum(u, v, c0, c1, c2, c3, fraction, c4);
  return i8x16.min_s(i8x16.max_s(bytes, lo), hi);
}
