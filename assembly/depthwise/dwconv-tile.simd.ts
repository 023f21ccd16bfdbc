/**
 * The inner loops of depthwise convolution: one output row of up to sixteen channels from row groups laid out by
 * `dwconv.ts`, four channels and four pixels at a time.
 */
import { DwConv } from "./params";
import { storeBytes } from "../common/bytes.simd";
import { magic } from "../common/constants.simd";
import { A, B, EXACT, exact, FIXED, Fixed, FORM, highest, initial, lowest, narrow, offsetOf, POSITIVE } from "../requantize/requantize.simd";
import { Positive, RECORD, requantize, SIGNED, Signed } from "../requantize/requantize.simd";

/** Rows of a group. */
export const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Bytes of one group of sixteen channels, of its four-channel quarters, and of its weights and their quarters. */
export const GROUP: usize = 16 * KR;
const QUARTER: usize = 4 * KR;
export const TAPS: usize = 64;
const TAPS_QUARTER: usize = 16;

/** acc + the products of KR taps of four channels at t. */
// @ts-ignore: decorator
@inline function dot(w: v128, t: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, t, acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(w, t));
}

/** KR rows of four channels as the dot product takes them. */
// @ts-ignore: decorator
@inline function rowsAt(t: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.load(t) : v128.load8x8_s(t);
}

/** One output row at y; `channels` bytes from pixel to pixel. */
export function outputRow(
  p: DwConv,
  t: usize,
  w: usize,
  q: usize,
  y: usize,
  channels: usize,
  width: u32,
  mask: v128,
): void {
  const is3x3 = p.kW == 3 && p.kH == 3 && p.dilationW == 1;
  const step = p.strideW;
  let h: usize = 0;
  let c: u32 = 0;
  do {
    const count = min(width - c, 4);
    const groups = ASC_FEATURE_RELAXED_SIMD ? 1 : 2;
    if (is3x3 && p.groups == groups && step == 1) quarter3x3(p, t, w, q, h, y, channels, count, mask);
    else if (is3x3 && p.groups == groups && step == 2) quarter3x3s2(p, t, w, q, h, y, channels, count, mask);
    else quarter(p, t, w, q, h, y, channels, count, mask);
    t += QUARTER;
    w += TAPS_QUARTER;
    y += 4;
    h ^= 16;
    if (h == 0) q += RECORD;
    c += 4;
  } while (c < width);
}

/** Requantizes, clamps and stores `width` channels of `pixels` pixels, four at most. */
// @ts-ignore: decorator
@inline function finish(
  p: DwConv,
  q: usize,
  h: usize,
  y: usize,
  channels: usize,
  width: u32,
  pixels: u32,
  r0: v128,
  r1: v128,
  r2: v128,
  r3: v128,
): void {
  const params = changetype<usize>(p);
  const zeroPoint = params + offsetof<DwConv>("yZeroPoint");
  const form = load<u32>(q, FORM);
  const m = magic();
  const a = v128.load(q + h, A);
  const b = v128.load(q + h, B);
  if (form == POSITIVE) {
    r0 = requantize<Positive>(r0, a, b, m, m);
    r1 = requantize<Positive>(r1, a, b, m, m);
    r2 = requantize<Positive>(r2, a, b, m, m);
    r3 = requantize<Positive>(r3, a, b, m, m);
  } else if (form == SIGNED) {
    const offset = offsetOf<Signed>(zeroPoint, m);
    r0 = requantize<Signed>(r0, a, b, m, offset);
    r1 = requantize<Signed>(r1, a, b, m, offset);
    r2 = requantize<Signed>(r2, a, b, m, offset);
    r3 = requantize<Signed>(r3, a, b, m, offset);
  } else if (form == FIXED) {
    const offset = offsetOf<Fixed>(zeroPoint, m);
    r0 = requantize<Fixed>(r0, a, b, m, offset);
    r1 = requantize<Fixed>(r1, a, b, m, offset);
    r2 = requantize<Fixed>(r2, a, b, m, offset);
    r3 = requantize<Fixed>(r3, a, b, m, offset);
  } else {
    assert(form == EXACT);
    r0 = exact(r0, q + h + A, q + h + B, p.yZeroPoint);
    r1 = exact(r1, q + h + A, q + h + B, p.yZeroPoint);
    r2 = exact(r2, q + h + A, q + h + B, p.yZeroPoint);
    r3 = exact(r3, q + h + A, q + h + B, p.yZeroPoint);
  }
  const v = narrow(r0, r1, r2, r3, lowest<DwConv>(params), highest<DwConv>(params));
  if (width == 4 && pixels >= 4) {
    v128.store32_lane(y, v, 0);
    v128.store32_lane(y + channels, v, 1);
    v128.store32_lane(y + 2 * channels, v, 2);
    v128.store32_lane(y + 3 * channels, v, 3);
  } else storePixels(y, channels, v, width, pixels);
}

/** Stores `width` channels of fewer than four pixels, or fewer than four channels. */
function storePixels(y: usize, channels: usize, v: v128, width: u32, pixels: u32): void {
  storeBytes(y, v, width);
  if (pixels > 1) storeBytes(y + channels, i64x2.shr_u(v, 32), width);
  if (pixels > 2) storeBytes(y + 2 * channels, i64x2.shuffle(v, v, 1, 1), width);
  if (pixels > 3) storeBytes(y + 3 * channels, i64x2.shr_u(i64x2.shuffle(v, v, 1, 1), 32), width);
}

// The last pixels of a row are computed again with those before them as a whole tile. Rows of fewer than four pixels are
// one part of a tile: the columns beyond are laid out but not stored.

/** Four channels of one output row: any kernel size, stride and dilation. */
function quarter(p: DwConv, t: usize, w: usize, q: usize, h: usize, y: usize, channels: usize, width: u32, mask: v128): void {
  const columnBytes = <usize>p.groups * GROUP;
  const step = columnBytes * p.strideW;
  const dilation = columnBytes * p.dilationW;
  const kW = p.kW;
  const tapsBytes = <usize>p.groups * TAPS;
  const bias = initial(q + h, mask);
  const outW = <i32>p.outW;
  let rest = outW;
  do {
    if (rest < 4 && outW >= 4) {
      t -= step * (4 - rest);
      y -= channels * (4 - rest);
      rest = 4;
    }
    let r0 = bias;
    let r1 = bias;
    let r2 = bias;
    let r3 = bias;
    let wk = w;
    let column = t;
    let kx: u32 = 0;
    do {
      let t0 = column;
      const wEnd = wk + tapsBytes;
      do {
        const x = v128.load(wk);
        r0 = dot(x, rowsAt(t0), r0);
        r1 = dot(x, rowsAt(t0 + step), r1);
        r2 = dot(x, rowsAt(t0 + 2 * step), r2);
        r3 = dot(x, rowsAt(t0 + 3 * step), r3);
        wk += TAPS;
        t0 += GROUP;
      } while (wk < wEnd);
      column += dilation;
      kx++;
    } while (kx < kW);
    finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
    y += channels << 2;
    t += step << 2;
    rest -= 4;
  } while (rest > 0);
}

/** acc + one column of a 3×3 kernel, whose row groups are w0 and, with KR = 2, w1. */
// @ts-ignore: decorator
@inline function column(acc: v128, w0: v128, w1: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? dot(w0, a, acc) : dot(w1, b, dot(w0, a, acc));
}

/** Rows of group 1 of a column; there is none with KR = 4. */
// @ts-ignore: decorator
@inline function second(t: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.splat(0) : rowsAt(t + GROUP);
}

/** Bytes of a column of a 3×3 kernel, and of its weights. */
const COLUMN3: usize = ASC_FEATURE_RELAXED_SIMD ? GROUP : 2 * GROUP;
const TAPS3: usize = ASC_FEATURE_RELAXED_SIMD ? TAPS : 2 * TAPS;

/** 3×3 with stride 1: each column is loaded once for the three pixels that it serves. A fifth pixel goes alone. */
function quarter3x3(p: DwConv, t: usize, w: usize, q: usize, h: usize, y: usize, channels: usize, width: u32, mask: v128): void {
  const w00 = v128.load(w);
  const w10 = v128.load(w, TAPS3);
  const w20 = v128.load(w, 2 * TAPS3);
  const w01 = ASC_FEATURE_RELAXED_SIMD ? w00 : v128.load(w, TAPS);
  const w11 = ASC_FEATURE_RELAXED_SIMD ? w10 : v128.load(w, TAPS3 + TAPS);
  const w21 = ASC_FEATURE_RELAXED_SIMD ? w20 : v128.load(w, 2 * TAPS3 + TAPS);
  const outW = <i32>p.outW;
  let rest = outW;
  do {
    if (rest < 4 && outW >= 4) {
      t -= COLUMN3 * (4 - rest);
      y -= channels * (4 - rest);
      rest = 4;
    }
    const bias = initial(q + h, mask);
    let a = rowsAt(t);
    let b = second(t);
    let r0 = column(bias, w00, w01, a, b);
    a = rowsAt(t + COLUMN3);
    b = second(t + COLUMN3);
    let r1 = column(bias, w00, w01, a, b);
    r0 = column(r0, w10, w11, a, b);
    a = rowsAt(t + 2 * COLUMN3);
    b = second(t + 2 * COLUMN3);
    let r2 = column(bias, w00, w01, a, b);
    r1 = column(r1, w10, w11, a, b);
    r0 = column(r0, w20, w21, a, b);
    a = rowsAt(t + 3 * COLUMN3);
    b = second(t + 3 * COLUMN3);
    let r3 = column(bias, w00, w01, a, b);
    r2 = column(r2, w10, w11, a, b);
    r1 = column(r1, w20, w21, a, b);
    a = rowsAt(t + 4 * COLUMN3);
    b = second(t + 4 * COLUMN3);
    r3 = column(r3, w10, w11, a, b);
    r2 = column(r2, w20, w21, a, b);
    a = rowsAt(t + 5 * COLUMN3);
    b = second(t + 5 * COLUMN3);
    r3 = column(r3, w20, w21, a, b);
    finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
    y += channels << 2;
    t += 4 * COLUMN3;
    if (rest == 5) {
      r0 = column(initial(q + h, mask), w00, w01, rowsAt(t), second(t));
      r0 = column(r0, w10, w11, rowsAt(t + COLUMN3), second(t + COLUMN3));
      r0 = column(r0, w20, w21, rowsAt(t + 2 * COLUMN3), second(t + 2 * COLUMN3));
      finish(p, q, h, y, channels, width, 1, r0, r0, r0, r0);
      return;
    }
    rest -= 4;
  } while (rest > 0);
}

/** 3×3 with stride 2: every second column serves two pixels. */
function quarter3x3s2(p: DwConv, t: usize, w: usize, q: usize, h: usize, y: usize, channels: usize, width: u32, mask: v128): void {
  const w00 = v128.load(w);
  const w10 = v128.load(w, TAPS3);
  const w20 = v128.load(w, 2 * TAPS3);
  const w01 = ASC_FEATURE_RELAXED_SIMD ? w00 : v128.load(w, TAPS);
  const w11 = ASC_FEATURE_RELAXED_SIMD ? w10 : v128.load(w, TAPS3 + TAPS);
  const w21 = ASC_FEATURE_RELAXED_SIMD ? w20 : v128.load(w, 2 * TAPS3 + TAPS);
  const outW = <i32>p.outW;
  let rest = outW;
  do {
    if (rest < 4 && outW >= 4) {
      t -= 2 * COLUMN3 * (4 - rest);
      y -= channels * (4 - rest);
      rest = 4;
    }
    const bias = initial(q + h, mask);
    let r0 = column(bias, w00, w01, rowsAt(t), second(t));
    r0 = column(r0, w10, w11, rowsAt(t + COLUMN3), second(t + COLUMN3));
    let a = rowsAt(t + 2 * COLUMN3);
    let b = second(t + 2 * COLUMN3);
    r0 = column(r0, w20, w21, a, b);
    let r1 = column(bias, w00, w01, a, b);
    r1 = column(r1, w10, w11, rowsAt(t + 3 * COLUMN3), second(t + 3 * COLUMN3));
    a = rowsAt(t + 4 * COLUMN3);
    b = second(t + 4 * COLUMN3);
    r1 = column(r1, w20, w21, a, b);
    let r2 = column(bias, w00, w01, a, b);
    r2 = column(r2, w10, w11, rowsAt(t + 5 * COLUMN3), second(t + 5 * COLUMN3));
    a = rowsAt(t + 6 * COLUMN3);
    b = second(t + 6 * COLUMN3);
    r2 = column(r2, w20, w21, a, b);
    let r3 = column(bias, w00, w01, a, b);
    r3 = column(r3, w10, w11, rowsAt(t + 7 * COLUMN3), second(t + 7 * COLUMN3));
    r3 = column(r3, w20, w21, rowsAt(t + 8 * COLUMN3), second(t + 8 * COLUMN3));
    finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
    y += channels << 2;
    t += 8 * COLUMN3;
    rest -= 4;
  } while (rest > 0);
}
