/**
 * Depthwise convolution, SIMD128 and relaxed. For one block of output rows and eight channels, the input rows are laid
 * out in scratch as row groups of KR rows: group g holds rows KR·g … of the block's window, interleaved per channel, so
 * that one dot product multiplies KR vertical taps of four channels. KR is 2 (int16, `i32x4.dot_i16x8_s`) or 4 (bytes,
 * relaxed dot product); a group of eight channels takes 32 bytes either way.
 *
 *   scratch: [columns of the padded input][groups][8 channels][KR rows]
 *   weights: [channels/8][rows of the block][kW][groups][8][KR], zero where a row of the group is no tap
 *
 * With stride 1 a block has `rows` = KR·groups − kH + 1 output rows, which share one scratch: each has the same kernel
 * shifted down by its row, so rows are interleaved once for two output rows of a 3×3.
 */
import { DwConv } from "../params";
import { activationMask } from "../relaxed/probe";
import { A, B, EXACT, FIXED, FORM, initial, POSITIVE, RECORD, SIGNED } from "./requantize";
import { exact, fixed, magicOffset, narrow, positive, signed } from "./requantize";
import { storeBytes } from "./widen";

const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;

/** acc + the products of KR taps of four channels. */
// @ts-ignore: decorator
@inline function dot(w: v128, t: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, t, acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(w, t));
}

export function dwconv(params: usize, part: u32, parts: u32): void {
  const p = changetype<DwConv>(params);
  const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
  const blocks = (p.outH + p.rows - 1) / p.rows;
  const total = p.batch * blocks;
  const end = <u32>((<u64>total * (part + 1)) / parts);
  const channels = p.inC * p.multiplier;
  const panelTaps = <usize>(p.rows * p.kW * p.groups) << 5;
  for (let i = <u32>((<u64>total * part) / parts); i < end; i++) {
    const batch = i / blocks;
    const oy = (i - batch * blocks) * p.rows;
    const rows = min(p.rows, p.outH - oy);
    let w = <usize>p.w;
    let q = <usize>p.q;
    for (let c: u32 = 0; c < channels; c += 8) {
      const width = min(channels - c, 8);
      layRows(p, batch, oy, c, width, scratch);
      for (let r: u32 = 0; r < rows; r++) {
        const wr = w + (<usize>(r * p.kW * p.groups) << 5);
        const y = <usize>p.y + <usize>((batch * p.outH + oy + r) * p.outW) * channels + c;
        outputRow(p, scratch, wr, q, y, channels, width);
      }
      w += panelTaps;
      q += RECORD;
    }
  }
}

/** Interleaves the window's rows of channels c … c+7 into scratch. */
function layRows(p: DwConv, batch: u32, oy: u32, c: u32, width: u32, scratch: usize): void {
  const y0 = <i32>(oy * p.strideH) - p.padTop;
  for (let g: u32 = 0; g < p.groups; g++) {
    const y = y0 + <i32>(g * KR * p.dilationH);
    if (ASC_FEATURE_RELAXED_SIMD) layGroup4(p, batch, y, c, width, scratch + (<usize>g << 5));
    else layGroup2(p, batch, y, c, width, scratch + (<usize>g << 5));
  }
}

/** Address of input row y at channel c, before its first pixel where the padding begins. */
// @ts-ignore: decorator
@inline function rowStart(p: DwConv, batch: u32, y: i32, c: u32): usize {
  const pixels = <i32>(batch * p.inH + y) * <i32>p.inW - p.padLeft;
  return <usize>p.x + <usize>pixels * p.inC + (p.multiplier == 1 ? <usize>c : 0);
}

// @ts-ignore: decorator
@inline function layGroup2(p: DwConv, batch: u32, y: i32, c: u32, width: u32, t: usize): void {
  const columnBytes = <usize>p.groups << 5;
  const inC = <usize>p.inC;
  const y1 = y + <i32>p.dilationH;
  const in0 = <u32>y < p.inH;
  const in1 = <u32>y1 < p.inH;
  const whole = width == 8 && p.multiplier == 1 && in0 && in1;
  const zero = i16x8.splat(<i16>p.xZeroPoint);
  const left = p.padLeft;
  const right = <i32>p.inW + left;
  let a = rowStart(p, batch, y, c);
  let b = rowStart(p, batch, y1, c);
  for (let x = 0; x < <i32>p.columns; x++) {
    let va = zero;
    let vb = zero;
    if (x >= left && x < right) {
      if (whole) {
        va = v128.load8x8_s(a);
        vb = v128.load8x8_s(b);
      } else {
        if (in0) va = i16x8.extend_low_i8x16_s(channels8(p, a, c, width));
        if (in1) vb = i16x8.extend_low_i8x16_s(channels8(p, b, c, width));
      }
    }
    v128.store(t, i16x8.shuffle(va, vb, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(t, i16x8.shuffle(va, vb, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    a += inC;
    b += inC;
    t += columnBytes;
  }
}

// @ts-ignore: decorator
@inline function layGroup4(p: DwConv, batch: u32, y: i32, c: u32, width: u32, t: usize): void {
  const columnBytes = <usize>p.groups << 5;
  const inC = <usize>p.inC;
  const dilation = <i32>p.dilationH;
  const in0 = <u32>y < p.inH;
  const in1 = <u32>(y + dilation) < p.inH;
  const in2 = <u32>(y + 2 * dilation) < p.inH;
  const in3 = <u32>(y + 3 * dilation) < p.inH;
  const whole = width == 8 && p.multiplier == 1;
  const zero = i8x16.splat(<i8>p.xZeroPoint);
  const mask = activationMask();
  const left = p.padLeft;
  const right = <i32>p.inW + left;
  let a = rowStart(p, batch, y, c);
  const row = <usize>(dilation * p.inW) * inC;
  for (let x = 0; x < <i32>p.columns; x++) {
    let v0 = zero;
    let v1 = zero;
    let v2 = zero;
    let v3 = zero;
    if (x >= left && x < right) {
      if (whole) {
        if (in0) v0 = v128.load64_zero(a);
        if (in1) v1 = v128.load64_zero(a + row);
        if (in2) v2 = v128.load64_zero(a + 2 * row);
        if (in3) v3 = v128.load64_zero(a + 3 * row);
      } else {
        if (in0) v0 = channels8(p, a, c, width);
        if (in1) v1 = channels8(p, a + row, c, width);
        if (in2) v2 = channels8(p, a + 2 * row, c, width);
        if (in3) v3 = channels8(p, a + 3 * row, c, width);
      }
    }
    const v01 = v128.xor(i8x16.shuffle(v0, v1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), mask);
    const v23 = v128.xor(i8x16.shuffle(v2, v3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), mask);
    v128.store(t, i16x8.shuffle(v01, v23, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(t, i16x8.shuffle(v01, v23, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    a += inC;
    t += columnBytes;
  }
}

/** Up to eight channels of one pixel in the low bytes, without reading past the last. */
function channels8(p: DwConv, pixel: usize, c: u32, width: u32): v128 {
  if (p.multiplier == 1 && width == 8) return v128.load64_zero(pixel);
  let bytes: u64 = 0;
  for (let i = width; i; ) {
    i--;
    bytes = (bytes << 8) | load<u8>(pixel + (p.multiplier == 1 ? i : (c + i) / p.multiplier));
  }
  return i64x2.splat(bytes);
}

/** One output row of eight channels, as two halves of four. */
function outputRow(p: DwConv, t: usize, w: usize, q: usize, y: usize, channels: u32, width: u32): void {
  const unit = p.kW == 3 && p.groups == (ASC_FEATURE_RELAXED_SIMD ? 1 : 2) && p.dilationW == 1 && p.strideW == 1;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  for (let h: usize = 0; h < <usize>width << 2; h += 16) {
    const count = min(width - (<u32>h >> 2), 4);
    if (unit) half3x3(p, mask, t + h, w + h, q, h, y, channels, count);
    else half(p, mask, t + h, w + h, q, h, y, channels, count);
    y += 4;
  }
}

/** Requantizes, clamps and stores `width` channels of `pixels` pixels. */
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
  const form = load<u32>(q, FORM);
  const offset = magicOffset(form, p.yZeroPoint);
  const a = v128.load(q + h, A);
  const b = v128.load(q + h, B);
  if (form == POSITIVE) {
    r0 = positive(r0, a, b, offset);
    r1 = positive(r1, a, b, offset);
    r2 = positive(r2, a, b, offset);
    r3 = positive(r3, a, b, offset);
  } else if (form == SIGNED) {
    r0 = signed(r0, a, b, offset);
    r1 = signed(r1, a, b, offset);
    r2 = signed(r2, a, b, offset);
    r3 = signed(r3, a, b, offset);
  } else if (form == FIXED) {
    r0 = fixed(r0, a, b, offset);
    r1 = fixed(r1, a, b, offset);
    r2 = fixed(r2, a, b, offset);
    r3 = fixed(r3, a, b, offset);
  } else {
    assert(form == EXACT);
    r0 = exact(r0, q + h + A, q + h + B, p.yZeroPoint);
    r1 = exact(r1, q + h + A, q + h + B, p.yZeroPoint);
    r2 = exact(r2, q + h + A, q + h + B, p.yZeroPoint);
    r3 = exact(r3, q + h + A, q + h + B, p.yZeroPoint);
  }
  const v = narrow(r0, r1, r2, r3, i8x16.splat(<i8>p.lo), i8x16.splat(<i8>p.hi));
  if (width == 4 && pixels >= 4) {
    v128.store32_lane(y, v, 0);
    v128.store32_lane(y + channels, v, 1);
    v128.store32_lane(y + (channels << 1), v, 2);
    v128.store32_lane(y + (channels << 1) + channels, v, 3);
  } else {
    storeBytes(y, v, width);
    if (pixels > 1) storeBytes(y + channels, i64x2.shr_u(v, 32), width);
    if (pixels > 2) storeBytes(y + (channels << 1), i64x2.shuffle(v, v, 1, 1), width);
    if (pixels > 3) storeBytes(y + (channels << 1) + channels, i64x2.shr_u(i64x2.shuffle(v, v, 1, 1), 32), width);
  }
}

/** Four channels of one output row: any kernel size, stride and dilation; four pixels at a time. */
function half(p: DwConv, mask: v128, t: usize, w: usize, q: usize, h: usize, y: usize, channels: usize, width: u32): void {
  const columnBytes = <usize>p.groups << 5;
  const step = columnBytes * p.strideW;
  const dilation = columnBytes * p.dilationW;
  const kW = p.kW;
  const bias = initial(q + h, mask);
  for (let rest = <i32>p.outW; rest > 0; rest -= 4) {
    let r0 = bias;
    let r1 = bias;
    let r2 = bias;
    let r3 = bias;
    let wk = w;
    let column = t;
    for (let kx: u32 = 0; kx < kW; kx++) {
      let t0 = column;
      const wEnd = wk + columnBytes;
      do {
        const x = v128.load(wk);
        r0 = dot(x, v128.load(t0), r0);
        r1 = dot(x, v128.load(t0 + step), r1);
        r2 = dot(x, v128.load(t0 + 2 * step), r2);
        r3 = dot(x, v128.load(t0 + 3 * step), r3);
        wk += 32;
        t0 += 32;
      } while (wk < wEnd);
      column += dilation;
    }
    finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
    y += channels << 2;
    t += step << 2;
  }
}

// @ts-ignore: decorator
@inline function two(w0: v128, t0: v128, w1: v128, t1: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(w0, t0), i32x4.dot_i16x8_s(w1, t1));
}

/** The same for 3×3 with stride 1: each column is loaded once for the three pixels that it serves. */
function half3x3(
  p: DwConv,
  mask: v128,
  t: usize,
  w: usize,
  q: usize,
  h: usize,
  y: usize,
  channels: usize,
  width: u32,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 32);
    const w2 = v128.load(w, 64);
    for (let rest = <i32>p.outW; rest > 0; rest -= 4) {
      const bias = initial(q + h, mask);
      const t1 = v128.load(t, 32);
      const t2 = v128.load(t, 64);
      const t3 = v128.load(t, 96);
      const t4 = v128.load(t, 128);
      const r0 = dot(w2, t2, dot(w1, t1, dot(w0, v128.load(t), bias)));
      const r1 = dot(w2, t3, dot(w1, t2, dot(w0, t1, bias)));
      const r2 = dot(w2, t4, dot(w1, t3, dot(w0, t2, bias)));
      const r3 = dot(w2, v128.load(t, 160), dot(w1, t4, dot(w0, t3, bias)));
      finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
      y += channels << 2;
      t += 128;
    }
  } else {
    const w00 = v128.load(w);
    const w01 = v128.load(w, 32);
    const w10 = v128.load(w, 64);
    const w11 = v128.load(w, 96);
    const w20 = v128.load(w, 128);
    const w21 = v128.load(w, 160);
    for (let rest = <i32>p.outW; rest > 0; rest -= 4) {
      const bias = v128.load(q + h);
      let a = v128.load(t);
      let b = v128.load(t, 32);
      let r0 = i32x4.add(bias, two(w00, a, w01, b));
      a = v128.load(t, 64);
      b = v128.load(t, 96);
      let r1 = i32x4.add(bias, two(w00, a, w01, b));
      r0 = i32x4.add(r0, two(w10, a, w11, b));
      a = v128.load(t, 128);
      b = v128.load(t, 160);
      let r2 = i32x4.add(bias, two(w00, a, w01, b));
      r1 = i32x4.add(r1, two(w10, a, w11, b));
      r0 = i32x4.add(r0, two(w20, a, w21, b));
      a = v128.load(t, 192);
      b = v128.load(t, 224);
      let r3 = i32x4.add(bias, two(w00, a, w01, b));
      r2 = i32x4.add(r2, two(w10, a, w11, b));
      r1 = i32x4.add(r1, two(w20, a, w21, b));
      a = v128.load(t, 256);
      b = v128.load(t, 288);
      r3 = i32x4.add(r3, two(w10, a, w11, b));
      r2 = i32x4.add(r2, two(w20, a, w21, b));
      a = v128.load(t, 320);
      b = v128.load(t, 352);
      r3 = i32x4.add(r3, two(w20, a, w21, b));
      finish(p, q, h, y, channels, width, rest, r0, r1, r2, r3);
      y += channels << 2;
      t += 256;
    }
  }
}
