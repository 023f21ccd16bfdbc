/**
 * Register tiles of the GEMM. A: packed rows, KR k's to an i32 lane, broadcast. B: a panel of eight columns,
 * [k/KR][8][KR]; where it is sparse, only its steps that are not zero, with the offset of each step's activations in a
 * row. SIMD128 has KR = 2 with both widened to int16, the relaxed dot product KR = 4 bytes, activations brought to what
 * it multiplies by xor with `mask`: a step is 32 bytes of B and 4 of a row of A either way.
 *
 * 4x8: eight accumulators, two B and one A fit V8's fifteen registers. With SIMD128 it beats 5x8, 6x8 and 4x16; relaxed
 * 5x8 is as fast on long rows, but leaves more rows over of the 8, 16 and 49 that networks have.
 */
import { Gemm } from "../params";
import { A, B, initial, magicOffset, narrow, requantize, requantizeAny } from "./requantize";
import { storeBytes } from "./widen";

export const MR: u32 = 4;
/** Bytes of one step of a panel, and of its activations. */
const STEP: usize = 32;
const STEP_A: usize = 4;

/** One step of a row of A, broadcast. */
// @ts-ignore: decorator
@inline function broadcast(a: usize, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load32_splat(a), mask) : v128.load32_splat(a);
}

/** acc + the products of one step and four columns. */
// @ts-ignore: decorator
@inline function dot(x: v128, b: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(x, b));
}

/**
 * Whole 4×8 tiles down `rows` rows in one form: form, sparse and segmented are
 * literals, so that nothing is decided inside. Segmented: after every `segment` bytes of B, A goes on `skip` bytes
 * further, in the next row of an image.
 */
// @ts-ignore: decorator
@inline export function wholeTiles(
  params: usize,
  form: u32,
  sparse: bool,
  segmented: bool,
  a0: usize,
  aStride: usize,
  rows: u32,
  bStart: usize,
  bEnd: usize,
  offsets: usize,
  segment: usize,
  skip: usize,
  q: usize,
  c: usize,
  yStride: usize,
  mask: v128,
): void {
  const p = changetype<Gemm>(params);
  const end = a0 + <usize>rows * aStride;
  while (a0 < end) {
    const a1 = a0 + aStride;
    const a2 = a1 + aStride;
    const a3 = a2 + aStride;
    let r00 = initial(q, mask);
    let r01 = initial(q + 16, mask);
    let r10 = r00;
    let r11 = r01;
    let r20 = r00;
    let r21 = r01;
    let r30 = r00;
    let r31 = r01;
    let k: usize = 0;
    let o = offsets;
    let b = bStart;
    if (!sparse || b < bEnd) {
      do {
        const bSegment = segmented ? b + segment : bEnd;
        do {
          if (sparse) {
            k = load<u16>(o);
            o += 2;
          }
          const b0 = v128.load(b);
          const b1 = v128.load(b, 16);
          let x = broadcast(a0 + k, mask);
          r00 = dot(x, b0, r00);
          r01 = dot(x, b1, r01);
          x = broadcast(a1 + k, mask);
          r10 = dot(x, b0, r10);
          r11 = dot(x, b1, r11);
          x = broadcast(a2 + k, mask);
          r20 = dot(x, b0, r20);
          r21 = dot(x, b1, r21);
          x = broadcast(a3 + k, mask);
          r30 = dot(x, b0, r30);
          r31 = dot(x, b1, r31);
          b += STEP;
          if (!sparse) k += STEP_A;
        } while (b < bSegment);
        if (segmented) k += skip;
      } while (segmented && b < bEnd);
    }
    const offset = magicOffset(form, p.yZeroPoint);
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = requantize(form, r00, s, t, offset);
    r10 = requantize(form, r10, s, t, offset);
    r20 = requantize(form, r20, s, t, offset);
    r30 = requantize(form, r30, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = requantize(form, r01, s, t, offset);
    r11 = requantize(form, r11, s, t, offset);
    r21 = requantize(form, r21, s, t, offset);
    r31 = requantize(form, r31, s, t, offset);
    const lo = i8x16.splat(<i8>p.lo);
    const hi = i8x16.splat(<i8>p.hi);
    const y0 = narrow(r00, r01, r10, r11, lo, hi);
    v128.store64_lane(c, y0, 0);
    v128.store64_lane(c + yStride, y0, 1);
    c += yStride << 1;
    const y2 = narrow(r20, r21, r30, r31, lo, hi);
    v128.store64_lane(c, y2, 0);
    v128.store64_lane(c + yStride, y2, 1);
    c += yStride << 1;
    a0 = a3 + aStride;
  }
}

/** One row of one panel, any form and width: the rows below whole tiles, and panels that are not whole. */
export function rowTile(
  p: Gemm,
  sparse: bool,
  a: usize,
  b: usize,
  bEnd: usize,
  offsets: usize,
  q: usize,
  c: usize,
  width: u32,
  mask: v128,
): void {
  let r0 = initial(q, mask);
  let r1 = initial(q + 16, mask);
  for (; b < bEnd; b += STEP) {
    const x = broadcast(sparse ? a + load<u16>(offsets) : a, mask);
    r0 = dot(x, v128.load(b), r0);
    r1 = dot(x, v128.load(b, 16), r1);
    a += sparse ? 0 : STEP_A;
    offsets += 2;
  }
  r0 = requantizeAny(r0, q, 0, p.yZeroPoint);
  r1 = requantizeAny(r1, q, 16, p.yZeroPoint);
  const v = narrow(r0, r1, r0, r1, i8x16.splat(<i8>p.lo), i8x16.splat(<i8>p.hi));
  if (width == 8) v128.store64_lane(c, v, 0);
  else storeBytes(c, v, width);
}
