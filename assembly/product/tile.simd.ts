/**
 * Register tiles of the GEMM. A: four or six rows interleaved, [k/KR][rows][KR] (`interleave.simd.ts`), one i32 lane broadcast
 * for each row. B: a panel of eight columns, [k/KR][8][KR]; where it is sparse, only its steps that are not zero, with
 * the place of each step. SIMD128 has KR = 2 with both widened to int16, the relaxed dot product KR = 4 bytes: a step is
 * 32 bytes of B and 4 of each row of A either way.
 *
 * SIMD128 takes 4x8: eight accumulators, two B, one A and one product fit V8's fifteen registers, where 6x8 and 4x16 spill.
 * The relaxed dot product adds by itself, but takes five cycles: twelve accumulators keep it busy, eight do not.
 */
import { Gemm } from "./params";
import { magic } from "../common/constants.simd";
import { A, B, clamped, highest, initial, lowest, narrow, offsetOf, requantize, requantizeAny } from "../requantize/requantize.simd";
import { storeBytes } from "../common/bytes.simd";
import { LANE, Six } from "./interleave.simd";

/** Bytes of one step of a panel. */
const STEP: usize = 32;

/** Bytes of a tile for one of a sparse step's offset. */
const PER_OFFSET: usize = ASC_FEATURE_RELAXED_SIMD ? 1 : 4;

/** How a panel's steps find their activations: one after the other, at offsets, or in segments of A. */
export class Dense {}
export class Sparse {}
export class Segmented {}

/** acc + the products of one step and four columns. */
// @ts-ignore: decorator
@inline function dot(x: v128, b: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(x, b));
}

/**
 * Tiles of R rows from `a` to `aEnd`, `tile` bytes apart, of one form F and layout L. Offsets of sparse steps count bytes
 * of one row, in the relaxed module of the whole tile, for which a multiplication would have to come first. Segmented: after every `segment` bytes of B, A goes on `skip` bytes further, in the next row of an image. Relaxed: what
 * each row's sums begin with stands at `terms`, where that is not 0.
 */
export function wholeTiles<F, L, R>(
  params: usize,
  a: usize,
  aEnd: usize,
  tile: usize,
  bStart: usize,
  bEnd: usize,
  offsets: usize,
  segment: usize,
  skip: usize,
  q: usize,
  c: usize,
  yStride: usize,
  mask: v128,
  terms: usize,
): void {
  const sparse = idof<L>() == idof<Sparse>();
  const segmented = idof<L>() == idof<Segmented>();
  const six = idof<R>() == idof<Six>();
  const rows: usize = six ? 6 : 4;
  if (a < aEnd) do {
    let r00 = initial(q, mask);
    let r01 = initial(q + 16, mask);
    let r10 = r00;
    let r11 = r01;
    let r20 = r00;
    let r21 = r01;
    let r30 = r00;
    let r31 = r01;
    let r40 = r00;
    let r41 = r01;
    let r50 = r00;
    let r51 = r01;
    if (ASC_FEATURE_RELAXED_SIMD && terms) {
      let term = v128.load32_splat(terms);
      r00 = i32x4.add(r00, term);
      r01 = i32x4.add(r01, term);
      term = v128.load32_splat(terms, 4);
      r10 = i32x4.add(r10, term);
      r11 = i32x4.add(r11, term);
      term = v128.load32_splat(terms, 8);
      r20 = i32x4.add(r20, term);
      r21 = i32x4.add(r21, term);
      term = v128.load32_splat(terms, 12);
      r30 = i32x4.add(r30, term);
      r31 = i32x4.add(r31, term);
      if (six) {
        term = v128.load32_splat(terms, 16);
        r40 = i32x4.add(r40, term);
        r41 = i32x4.add(r41, term);
        term = v128.load32_splat(terms, 20);
        r50 = i32x4.add(r50, term);
        r51 = i32x4.add(r51, term);
      }
      terms += rows << 2;
    }
    let at = a;
    let o = offsets;
    let b = bStart;
    if (!sparse || b < bEnd) {
      do {
        const bSegment = segmented ? b + segment : bEnd;
        do {
          if (sparse) {
            at = a + <usize>load<u16>(o) * PER_OFFSET;
            o += 2;
          }
          const b0 = v128.load(b);
          const b1 = v128.load(b, 16);
          let x = v128.load32_splat(at);
          r00 = dot(x, b0, r00);
          r01 = dot(x, b1, r01);
          x = v128.load32_splat(at, 4);
          r10 = dot(x, b0, r10);
          r11 = dot(x, b1, r11);
          x = v128.load32_splat(at, 8);
          r20 = dot(x, b0, r20);
          r21 = dot(x, b1, r21);
          x = v128.load32_splat(at, 12);
          r30 = dot(x, b0, r30);
          r31 = dot(x, b1, r31);
          if (six) {
            x = v128.load32_splat(at, 16);
            r40 = dot(x, b0, r40);
            r41 = dot(x, b1, r41);
            x = v128.load32_splat(at, 20);
            r50 = dot(x, b0, r50);
            r51 = dot(x, b1, r51);
          }
          b += STEP;
          if (!sparse) at += rows * LANE;
        } while (b < bSegment);
        if (segmented) at += skip;
      } while (segmented && b < bEnd);
    }
    const m = magic();
    const offset = offsetOf<F>(params + offsetof<Gemm>("yZeroPoint"), m);
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = requantize<F>(r00, s, t, m, offset);
    r10 = requantize<F>(r10, s, t, m, offset);
    r20 = requantize<F>(r20, s, t, m, offset);
    r30 = requantize<F>(r30, s, t, m, offset);
    if (six) {
      r40 = requantize<F>(r40, s, t, m, offset);
      r50 = requantize<F>(r50, s, t, m, offset);
    }
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = requantize<F>(r01, s, t, m, offset);
    r11 = requantize<F>(r11, s, t, m, offset);
    r21 = requantize<F>(r21, s, t, m, offset);
    r31 = requantize<F>(r31, s, t, m, offset);
    if (six) {
      r41 = requantize<F>(r41, s, t, m, offset);
      r51 = requantize<F>(r51, s, t, m, offset);
    }
    const lo = lowest<Gemm>(params);
    const hi = highest<Gemm>(params);
    const y0 = narrow(r00, r01, r10, r11, lo, hi);
    v128.store64_lane(c, y0, 0);
    v128.store64_lane(c + yStride, y0, 1);
    c += yStride << 1;
    const y2 = narrow(r20, r21, r30, r31, lo, hi);
    v128.store64_lane(c, y2, 0);
    v128.store64_lane(c + yStride, y2, 1);
    c += yStride << 1;
    if (six) {
      const y4 = narrow(r40, r41, r50, r51, lo, hi);
      v128.store64_lane(c, y4, 0);
      v128.store64_lane(c + yStride, y4, 1);
      c += yStride << 1;
    }
    a += tile;
  } while (a < aEnd);
}

/**
 * One row of a tile of `rows`, at `a`, and one panel in any form and width: panels that are not whole, and products of
 * few rows.
 */
export function rowTile(
  params: usize,
  sparse: bool,
  rows: usize,
  a: usize,
  b: usize,
  bEnd: usize,
  offsets: usize,
  q: usize,
  c: usize,
  width: u32,
  mask: v128,
  terms: usize,
): void {
  let r0 = initial(q, mask);
  let r1 = initial(q + 16, mask);
  if (ASC_FEATURE_RELAXED_SIMD && terms) {
    const term = v128.load32_splat(terms);
    r0 = i32x4.add(r0, term);
    r1 = i32x4.add(r1, term);
  }
  for (; b < bEnd; b += STEP) {
    const x = v128.load32_splat(sparse ? a + <usize>load<u16>(offsets) * PER_OFFSET : a);
    r0 = dot(x, v128.load(b), r0);
    r1 = dot(x, v128.load(b, 16), r1);
    a += sparse ? 0 : rows * LANE;
    offsets += 2;
  }
  const zeroPoint = params + offsetof<Gemm>("yZeroPoint");
  r0 = requantizeAny(r0, r1, q, zeroPoint);
  const v = clamped(r0, r0, lowest<Gemm>(params), highest<Gemm>(params));
  if (width == 8) v128.store64_lane(c, v, 0);
  else storeBytes(c, v, width);
}
