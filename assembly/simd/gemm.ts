/**
 * int8 GEMM with requantization, SIMD128: a 4×8 register tile over `i32x4.dot_i16x8_s`.
 *
 * A: rows widened to int16, two k's to an i32 lane, broadcast. B: int8 panels [n/8][k/2][8][2], widened to int16 once
 * per block of rows, so that the inner loop is two loads, four broadcasts and eight multiply-adds.
 * 4x8 beats 5x8, 6x8 and 4x16 here: eight accumulators, two B and one A fit V8's fifteen registers.
 */
import { Conv2d, Gemm } from "../params";
import { packPatches } from "./im2col";
import { A, B, EXACT, FIXED, FORM, POSITIVE, RECORD, SIGNED } from "./requantize";
import { exact, fixed, magicOffset, narrow, positive, signed } from "./requantize";
import { storeBytes, widen } from "./widen";

/** Widens one B panel: `pairs` times 8 columns × 2 int8. */
// @ts-ignore: decorator
@inline function widenPanel(target: usize, source: usize, pairs: u32): void {
  const end = source + (<usize>pairs << 4);
  do {
    v128.store(target, v128.load8x8_s(source));
    v128.store(target, v128.load8x8_s(source, 8), 16);
    source += 16;
    target += 32;
  } while (source < end);
}

/**
 * One block of up to mBlock rows, widened at `a` with `aStride`, against all panels; rows of C start at `c`. Whole
 * tiles have a loop for each form, so that nothing is decided inside.
 */
function block(p: Gemm, a: usize, aStride: usize, rows: u32, c: usize, bWide: usize): void {
  const pairs = (p.k + 1) >>> 1;
  const n = p.n;
  const yStride = <usize>p.yStride;
  const params = changetype<usize>(p);
  const bEnd = bWide + (<usize>pairs << 5);
  const whole = rows & ~3;
  let w = <usize>p.w;
  let q = <usize>p.q;
  for (let column: u32 = 0; column < n; column += 8) {
    widenPanel(bWide, w, pairs);
    const form = load<u32>(q, FORM);
    const width = min(n - column, 8);
    let row: u32 = 0;
    if (width == 8) {
      if (form == POSITIVE) {
        wholeTiles(params, POSITIVE, a, aStride, whole, bWide, bEnd, q, c, yStride);
        row = whole;
      } else if (form == SIGNED) {
        wholeTiles(params, SIGNED, a, aStride, whole, bWide, bEnd, q, c, yStride);
        row = whole;
      } else if (form == FIXED) {
        wholeTiles(params, FIXED, a, aStride, whole, bWide, bEnd, q, c, yStride);
        row = whole;
      }
    }
    for (; row < rows; row += 4) {
      anyTile(params, a + <usize>row * aStride, aStride, bWide, bEnd, q, c + <usize>row * yStride, yStride, rows - row, width);
    }
    c += 8;
    w += <usize>pairs << 4;
    q += RECORD;
  }
}

/** Four accumulators to integers ready to narrow, in any form but EXACT. */
// @ts-ignore: decorator
@inline function requantize(form: u32, r: v128, a: v128, b: v128, offset: v128): v128 {
  if (form == POSITIVE) return positive(r, a, b, offset);
  return form == SIGNED ? signed(r, a, b, offset) : fixed(r, a, b, offset);
}

/** Whole 4×8 tiles down `rows` rows, in one form. */
// @ts-ignore: decorator
@inline function wholeTiles(
  params: usize,
  form: u32,
  a0: usize,
  aStride: usize,
  rows: u32,
  bStart: usize,
  bEnd: usize,
  q: usize,
  c: usize,
  yStride: usize,
): void {
  const p = changetype<Gemm>(params);
  const end = a0 + <usize>rows * aStride;
  while (a0 < end) {
    const a1 = a0 + aStride;
    const a2 = a1 + aStride;
    const a3 = a2 + aStride;
    let r00 = v128.load(q);
    let r01 = v128.load(q, 16);
    let r10 = r00;
    let r11 = r01;
    let r20 = r00;
    let r21 = r01;
    let r30 = r00;
    let r31 = r01;
    let k: usize = 0;
    let b = bStart;
    do {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let x = v128.load32_splat(a0 + k);
      r00 = i32x4.add(r00, i32x4.dot_i16x8_s(x, b0));
      r01 = i32x4.add(r01, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a1 + k);
      r10 = i32x4.add(r10, i32x4.dot_i16x8_s(x, b0));
      r11 = i32x4.add(r11, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a2 + k);
      r20 = i32x4.add(r20, i32x4.dot_i16x8_s(x, b0));
      r21 = i32x4.add(r21, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a3 + k);
      r30 = i32x4.add(r30, i32x4.dot_i16x8_s(x, b0));
      r31 = i32x4.add(r31, i32x4.dot_i16x8_s(x, b1));
      b += 32;
      k += 4;
    } while (b < bEnd);
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

/** One tile of any form, height up to 4 and width up to 8: rows that are not there repeat the last. */
function anyTile(
  params: usize,
  a0: usize,
  aStride: usize,
  b: usize,
  bEnd: usize,
  q: usize,
  c0: usize,
  yStride: usize,
  rest: u32,
  width: u32,
): void {
  const a1 = rest > 1 ? a0 + aStride : a0;
  const a2 = rest > 2 ? a1 + aStride : a1;
  const a3 = rest > 3 ? a2 + aStride : a2;
  let r00 = v128.load(q);
  let r01 = v128.load(q, 16);
  let r10 = r00;
  let r11 = r01;
  let r20 = r00;
  let r21 = r01;
  let r30 = r00;
  let r31 = r01;
  let k: usize = 0;
  do {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0 + k);
    r00 = i32x4.add(r00, i32x4.dot_i16x8_s(x, b0));
    r01 = i32x4.add(r01, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a1 + k);
    r10 = i32x4.add(r10, i32x4.dot_i16x8_s(x, b0));
    r11 = i32x4.add(r11, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a2 + k);
    r20 = i32x4.add(r20, i32x4.dot_i16x8_s(x, b0));
    r21 = i32x4.add(r21, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a3 + k);
    r30 = i32x4.add(r30, i32x4.dot_i16x8_s(x, b0));
    r31 = i32x4.add(r31, i32x4.dot_i16x8_s(x, b1));
    b += 32;
    k += 4;
  } while (b < bEnd);

  const p = changetype<Gemm>(params);
  const form = load<u32>(q, FORM);
  const offset = magicOffset(form, p.yZeroPoint);
  if (form == POSITIVE) {
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = positive(r00, s, t, offset);
    r10 = positive(r10, s, t, offset);
    r20 = positive(r20, s, t, offset);
    r30 = positive(r30, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = positive(r01, s, t, offset);
    r11 = positive(r11, s, t, offset);
    r21 = positive(r21, s, t, offset);
    r31 = positive(r31, s, t, offset);
  } else if (form == SIGNED) {
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = signed(r00, s, t, offset);
    r10 = signed(r10, s, t, offset);
    r20 = signed(r20, s, t, offset);
    r30 = signed(r30, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = signed(r01, s, t, offset);
    r11 = signed(r11, s, t, offset);
    r21 = signed(r21, s, t, offset);
    r31 = signed(r31, s, t, offset);
  } else if (form == FIXED) {
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = fixed(r00, s, t, offset);
    r10 = fixed(r10, s, t, offset);
    r20 = fixed(r20, s, t, offset);
    r30 = fixed(r30, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = fixed(r01, s, t, offset);
    r11 = fixed(r11, s, t, offset);
    r21 = fixed(r21, s, t, offset);
    r31 = fixed(r31, s, t, offset);
  } else {
    assert(form == EXACT);
    const zeroPoint = p.yZeroPoint;
    r00 = exact(r00, q + A, q + B, zeroPoint);
    r10 = exact(r10, q + A, q + B, zeroPoint);
    r20 = exact(r20, q + A, q + B, zeroPoint);
    r30 = exact(r30, q + A, q + B, zeroPoint);
    r01 = exact(r01, q + A + 16, q + B + 16, zeroPoint);
    r11 = exact(r11, q + A + 16, q + B + 16, zeroPoint);
    r21 = exact(r21, q + A + 16, q + B + 16, zeroPoint);
    r31 = exact(r31, q + A + 16, q + B + 16, zeroPoint);
  }
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  const y0 = narrow(r00, r01, r10, r11, lo, hi);
  const y2 = narrow(r20, r21, r30, r31, lo, hi);
  const c1 = rest > 1 ? c0 + yStride : c0;
  const c2 = rest > 2 ? c1 + yStride : c1;
  const c3 = rest > 3 ? c2 + yStride : c2;
  if (width == 8) {
    v128.store64_lane(c3, y2, 1);
    v128.store64_lane(c2, y2, 0);
    v128.store64_lane(c1, y0, 1);
    v128.store64_lane(c0, y0, 0);
  } else {
    storeBytes(c3, i64x2.shuffle(y2, y2, 1, 1), width);
    storeBytes(c2, y2, width);
    storeBytes(c1, i64x2.shuffle(y0, y0, 1, 1), width);
    storeBytes(c0, y0, width);
  }
}

/** Bytes of a widened row: whole pairs, rounded to a vector. */
// @ts-ignore: decorator
@inline function rowBytes(k: u32): usize {
  return <usize>(((k + 7) & ~7) << 1);
}

/** C = requantize(A · B) for rows that stand in memory as they are. Parts share the rows. */
export function gemm(params: usize, part: u32, parts: u32): void {
  const p = changetype<Gemm>(params);
  const k = p.k;
  const a = <usize>p.scratch + <usize>part * p.scratchStride;
  const stride = rowBytes(k);
  const bWide = a + <usize>p.mBlock * stride;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    const rows = min(p.mBlock, end - row);
    let source = <usize>p.x + <usize>row * p.xStride;
    if ((k & 7) == 0 && p.xStride == k) widen(a, source, rows * k);
    else {
      let target = a;
      for (let i: u32 = 0; i < rows; i++) {
        widen(target, source, k);
        source += p.xStride;
        target += stride;
      }
    }
    block(p, a, stride, rows, <usize>p.y + <usize>row * p.yStride, bWide);
    row += rows;
  }
}

/** The same on the patches of a convolution. */
export function conv2d(params: usize, part: u32, parts: u32): void {
  const p = changetype<Conv2d>(params);
  const a = <usize>p.scratch + <usize>part * p.scratchStride;
  const stride = rowBytes(p.k);
  const bWide = a + <usize>p.mBlock * stride;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    const rows = min(p.mBlock, end - row);
    packPatches(p, row, rows, a, stride);
    block(p, a, stride, rows, <usize>p.y + <usize>row * p.yStride, bWide);
    row += rows;
  }
}

/** First row of a part, in whole tiles. */
// @ts-ignore: decorator
@inline function share(m: u32, part: u32, parts: u32): u32 {
  if (part == parts) return m;
  return <u32>((<u64>m * part) / parts) & ~3;
}
