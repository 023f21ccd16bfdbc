/**
 * int8 GEMM with requantization, relaxed SIMD: a 5×8 register tile over `i32x4.relaxed_dot_i8x16_i7x16_add_s`.
 *
 * A: int8 rows, four k's to an i32 lane, broadcast and brought to unsigned where the engine's dot product wants that.
 * B: int8 panels [n/8][k/4][8][4]. Rows whose k is a whole number of fours are read where they stand.
 * Ten accumulators, two B, one A and the mask fit V8's fifteen registers; 6x8 does not with the mask.
 */
import { Conv2d, Gemm } from "../params";
import { packPatches } from "../simd/im2col";
import { A, B, EXACT, FIXED, FORM, initial, POSITIVE, RECORD, SIGNED } from "../simd/requantize";
import { exact, fixed, magicOffset, narrow, positive, signed } from "../simd/requantize";
import { pack, storeBytes } from "../simd/widen";
import { activationMask } from "./probe";

/** Up to mBlock rows from `a` against all panels; rows of C start at `c`. */
function block(p: Gemm, a: usize, aStride: usize, rows: u32, c: usize): void {
  const panel = <usize>((p.k + 3) & ~3) << 3;
  const n = p.n;
  const yStride = <usize>p.yStride;
  const params = changetype<usize>(p);
  const mask = activationMask();
  let w = <usize>p.w;
  let q = <usize>p.q;
  for (let column: u32 = 0; column < n; column += 8) {
    const width = min(n - column, 8);
    let a0 = a;
    let c0 = c + column;
    for (let row: u32 = 0; row < rows; row += 5) {
      tile(params, mask, a0, aStride, w, w + panel, q, c0, yStride, rows - row, width);
      a0 += aStride * 5;
      c0 += yStride * 5;
    }
    w += panel;
    q += RECORD;
  }
}

// @ts-ignore: decorator
@inline function tile(
  params: usize,
  mask: v128,
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
  const a4 = rest > 4 ? a3 + aStride : a3;
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
  let k: usize = 0;
  do {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.xor(v128.load32_splat(a0 + k), mask);
    r00 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, x, r00);
    r01 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, x, r01);
    x = v128.xor(v128.load32_splat(a1 + k), mask);
    r10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, x, r10);
    r11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, x, r11);
    x = v128.xor(v128.load32_splat(a2 + k), mask);
    r20 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, x, r20);
    r21 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, x, r21);
    x = v128.xor(v128.load32_splat(a3 + k), mask);
    r30 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, x, r30);
    r31 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, x, r31);
    x = v128.xor(v128.load32_splat(a4 + k), mask);
    r40 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, x, r40);
    r41 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, x, r41);
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
    r40 = positive(r40, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = positive(r01, s, t, offset);
    r11 = positive(r11, s, t, offset);
    r21 = positive(r21, s, t, offset);
    r31 = positive(r31, s, t, offset);
    r41 = positive(r41, s, t, offset);
  } else if (form == SIGNED) {
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = signed(r00, s, t, offset);
    r10 = signed(r10, s, t, offset);
    r20 = signed(r20, s, t, offset);
    r30 = signed(r30, s, t, offset);
    r40 = signed(r40, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = signed(r01, s, t, offset);
    r11 = signed(r11, s, t, offset);
    r21 = signed(r21, s, t, offset);
    r31 = signed(r31, s, t, offset);
    r41 = signed(r41, s, t, offset);
  } else if (form == FIXED) {
    let s = v128.load(q, A);
    let t = v128.load(q, B);
    r00 = fixed(r00, s, t, offset);
    r10 = fixed(r10, s, t, offset);
    r20 = fixed(r20, s, t, offset);
    r30 = fixed(r30, s, t, offset);
    r40 = fixed(r40, s, t, offset);
    s = v128.load(q, A + 16);
    t = v128.load(q, B + 16);
    r01 = fixed(r01, s, t, offset);
    r11 = fixed(r11, s, t, offset);
    r21 = fixed(r21, s, t, offset);
    r31 = fixed(r31, s, t, offset);
    r41 = fixed(r41, s, t, offset);
  } else {
    assert(form == EXACT);
    const z = p.yZeroPoint;
    r00 = exact(r00, q + A, q + B, z);
    r10 = exact(r10, q + A, q + B, z);
    r20 = exact(r20, q + A, q + B, z);
    r30 = exact(r30, q + A, q + B, z);
    r40 = exact(r40, q + A, q + B, z);
    r01 = exact(r01, q + A + 16, q + B + 16, z);
    r11 = exact(r11, q + A + 16, q + B + 16, z);
    r21 = exact(r21, q + A + 16, q + B + 16, z);
    r31 = exact(r31, q + A + 16, q + B + 16, z);
    r41 = exact(r41, q + A + 16, q + B + 16, z);
  }
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  const y0 = narrow(r00, r01, r10, r11, lo, hi);
  const y2 = narrow(r20, r21, r30, r31, lo, hi);
  const y4 = narrow(r40, r41, r40, r41, lo, hi);
  const c1 = rest > 1 ? c0 + yStride : c0;
  const c2 = rest > 2 ? c1 + yStride : c1;
  const c3 = rest > 3 ? c2 + yStride : c2;
  const c4 = rest > 4 ? c3 + yStride : c3;
  if (width == 8) {
    v128.store64_lane(c4, y4, 0);
    v128.store64_lane(c3, y2, 1);
    v128.store64_lane(c2, y2, 0);
    v128.store64_lane(c1, y0, 1);
    v128.store64_lane(c0, y0, 0);
  } else {
    storeBytes(c4, y4, width);
    storeBytes(c3, i64x2.shuffle(y2, y2, 1, 1), width);
    storeBytes(c2, y2, width);
    storeBytes(c1, i64x2.shuffle(y0, y0, 1, 1), width);
    storeBytes(c0, y0, width);
  }
}

/** Bytes of a packed row. */
// @ts-ignore: decorator
@inline function rowBytes(k: u32): usize {
  return (k + 15) & ~15;
}

/** C = requantize(A · B). Parts share the rows. */
export function gemm(params: usize, part: u32, parts: u32): void {
  const p = changetype<Gemm>(params);
  const k = p.k;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    const rows = min(p.mBlock, end - row);
    let source = <usize>p.x + <usize>row * p.xStride;
    const c = <usize>p.y + <usize>row * p.yStride;
    if (k & 3) {
      const a = <usize>p.scratch + <usize>part * p.scratchStride;
      let target = a;
      for (let i: u32 = 0; i < rows; i++) {
        pack(target, source, k);
        source += p.xStride;
        target += rowBytes(k);
      }
      block(p, a, rowBytes(k), rows, c);
    } else block(p, source, p.xStride, rows, c);
    row += rows;
  }
}

/** The same on the patches of a convolution. */
export function conv2d(params: usize, part: u32, parts: u32): void {
  const p = changetype<Conv2d>(params);
  const a = <usize>p.scratch + <usize>part * p.scratchStride;
  const stride = rowBytes(p.k);
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    const rows = min(p.mBlock, end - row);
    packPatches(p, row, rows, a, stride);
    block(p, a, stride, rows, <usize>p.y + <usize>row * p.yStride);
    row += rows;
  }
}

/** First row of a part, in whole tiles. */
// @ts-ignore: decorator
@inline function share(m: u32, part: u32, parts: u32): u32 {
  if (part == parts) return m;
  const start = <u32>((<u64>m * part) / parts);
  return start - (start % 5);
}
