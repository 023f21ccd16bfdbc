/**
 * Depthwise convolution, SIMD128 and relaxed. For one block of output rows and sixteen channels, the input rows are
 * laid out in scratch as row groups of KR rows: group g holds rows KR·g … of the block's window, interleaved per
 * channel, so that one dot product multiplies KR vertical taps of four channels (`dwconv-tile.simd.ts`). KR is 2 for
 * `i32x4.dot_i16x8_s`, which widens when it loads, and 4 for the relaxed dot product.
 *
 *   scratch: 16 bytes of the zero point, then [columns of the padded input][groups][16 channels][KR rows] int8
 *   weights: [channels/16][rows of the block][kW][groups][16][KR], zero where a row of the group is no tap;
 *            int16 for KR = 2, int8 for KR = 4: 64 bytes a group either way; int16 as the sum of two int8 in two groups
 *
 * With stride 1 a block has `rows` = KR·groups − kH + 1 output rows, which share one scratch: each has the same kernel
 * shifted down by its row, so rows are interleaved once for two output rows of a 3×3.
 */
import { DwConv } from "./params";
import { loadPart } from "../common/edge.simd";
import { activationMask } from "../common/probe";
import { share } from "../common/split";
import { GROUP, KR, outputRow, TAPS } from "./dwconv-tile.simd";
import { RECORD } from "../requantize/requantize.simd";

/** Parts share the blocks of rows, sixteen channels at a time. */
export function dwconv(p: DwConv, part: u32, parts: u32): void {
  const zeroPoint = <usize>p.scratch + <usize>part * p.scratchStride;
  const scratch = zeroPoint + 16;
  v128.store(zeroPoint, i8x16.splat(<i8>p.xZeroPoint));
  const blocks = (p.outH + p.rows - 1) / p.rows;
  const channels = p.inC * p.multiplier;
  const sixteens = (channels + 15) >>> 4;
  const total = p.batch * blocks * sixteens;
  const end = share(total, part + 1, parts);
  const rowTaps = <usize>(p.kW * p.groups) * TAPS;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  for (let i = share(total, part, parts); i < end; i++) {
    const block = i / sixteens;
    const sixteen = i - block * sixteens;
    const batch = block / blocks;
    const oy = (block - batch * blocks) * p.rows;
    const rows = min(p.rows, p.outH - oy);
    const c = sixteen << 4;
    const width = min(channels - c, 16);
    layRows(p, batch, <i32>(oy * p.strideH) - p.padTop, c, width, zeroPoint, mask);
    let w = <usize>p.w + <usize>(sixteen * p.rows) * rowTaps;
    let y = <usize>p.y + <usize>(batch * p.outH * p.outW) * channels + <usize>oy * p.yRow + c;
    let r: u32 = 0;
    do {
      outputRow(p, scratch, w, <usize>p.q + <usize>sixteen * (2 * RECORD), y, p.yColumn, width, mask);
      y += p.yRow;
      w += rowTaps;
      r++;
    } while (r < rows);
  }
}

/** Interleaves the rows of a window that begins at input row `y`, channels c … c+width−1, into scratch. */
function layRows(p: DwConv, batch: u32, y: i32, c: u32, width: u32, zeroPoint: usize, mask: v128): void {
  const columnBytes = <usize>p.groups * GROUP;
  // Padding may be wider than all columns that are laid out.
  const left = min(p.padLeft, <i32>p.columns);
  const inside = min(<i32>p.columns - left, <i32>p.inW);
  const direct = p.multiplier == 1 && (width == 16 || width == 8);
  const own = ASC_FEATURE_RELAXED_SIMD ? p.groups / p.halves : 0;
  let g: u32 = 0;
  do {
    if (ASC_FEATURE_RELAXED_SIMD && g == own) y -= own * KR * p.dilationH;
    let t = zeroPoint + 16 + <usize>g * GROUP;
    t = layPadding(t, left, columnBytes, zeroPoint, mask);
    const r0 = rowAddress(p, batch, y, c, zeroPoint);
    const r1 = rowAddress(p, batch, y + p.dilationH, c, zeroPoint);
    const r2 = ASC_FEATURE_RELAXED_SIMD ? rowAddress(p, batch, y + 2 * p.dilationH, c, zeroPoint) : 0;
    const r3 = ASC_FEATURE_RELAXED_SIMD ? rowAddress(p, batch, y + 3 * p.dilationH, c, zeroPoint) : 0;
    if (direct && width == 16) layColumns(p, t, inside, columnBytes, r0, r1, r2, r3, zeroPoint, mask, true);
    else if (direct) layColumns(p, t, inside, columnBytes, r0, r1, r2, r3, zeroPoint, mask, false);
    else layOddColumns(p, t, inside, columnBytes, r0, r1, r2, r3, zeroPoint, mask, c, width);
    t += columnBytes * inside;
    layPadding(t, <i32>p.columns - left - inside, columnBytes, zeroPoint, mask);
    y += KR * p.dilationH;
    g++;
  } while (g < p.groups);
}

/** Where row y's pixels begin at channel c (channel 0 with a multiplier); the zero point for rows outside the input. */
// @ts-ignore: decorator
@inline function rowAddress(p: DwConv, batch: u32, y: i32, c: u32, zeroPoint: usize): usize {
  if (<u32>y >= p.inH) return zeroPoint;
  return <usize>p.x + <usize>(batch * p.inH * p.inW) * p.inC + <usize>y * p.xRow + (p.multiplier == 1 ? <usize>c : 0);
}

/** Columns of padding; returns the address after them. */
// @ts-ignore: decorator
@inline function layPadding(t: usize, count: i32, columnBytes: usize, zeroPoint: usize, mask: v128): usize {
  const v = v128.xor(v128.load(zeroPoint), mask);
  for (; count > 0; count--) {
    let i: usize = 0;
    do {
      v128.store(t + i, v);
      i += 16;
    } while (i < GROUP);
    t += columnBytes;
  }
  return t;
}

// @ts-ignore: decorator
@inline function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Stores one column of one group: sixteen channels of KR rows, brought to what the dot product multiplies. */
// @ts-ignore: decorator
@inline function layColumn(t: usize, a: v128, b: v128, c: v128, d: v128, mask: v128, wide: bool): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const ab = v128.xor(interleaveLow(a, b), mask);
    const cd = v128.xor(interleaveLow(c, d), mask);
    v128.store(t, i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(t, i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    if (wide) {
      const ab2 = v128.xor(interleaveHigh(a, b), mask);
      const cd2 = v128.xor(interleaveHigh(c, d), mask);
      v128.store(t, i16x8.shuffle(ab2, cd2, 0, 8, 1, 9, 2, 10, 3, 11), 32);
      v128.store(t, i16x8.shuffle(ab2, cd2, 4, 12, 5, 13, 6, 14, 7, 15), 48);
    }
  } else {
    v128.store(t, interleaveLow(a, b));
    if (wide) v128.store(t, interleaveHigh(a, b), 16);
  }
}

/** Rows read where they stand, sixteen or eight channels a load; rows outside the input repeat the zero point. */
// @ts-ignore: decorator
@inline function layColumns(
  p: DwConv,
  t: usize,
  count: i32,
  columnBytes: usize,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  zeroPoint: usize,
  mask: v128,
  wide: bool,
): void {
  const step = <usize>p.xColumn;
  const s0 = r0 == zeroPoint ? <usize>0 : step;
  const s1 = r1 == zeroPoint ? <usize>0 : step;
  const s2 = r2 == zeroPoint ? <usize>0 : step;
  const s3 = r3 == zeroPoint ? <usize>0 : step;
  for (; count > 0; count--) {
    const a = wide ? v128.load(r0) : v128.load64_zero(r0);
    const b = wide ? v128.load(r1) : v128.load64_zero(r1);
    const c = !ASC_FEATURE_RELAXED_SIMD ? a : wide ? v128.load(r2) : v128.load64_zero(r2);
    const d = !ASC_FEATURE_RELAXED_SIMD ? a : wide ? v128.load(r3) : v128.load64_zero(r3);
    layColumn(t, a, b, c, d, mask, wide);
    r0 += s0;
    r1 += s1;
    if (ASC_FEATURE_RELAXED_SIMD) {
      r2 += s2;
      r3 += s3;
    }
    t += columnBytes;
  }
}

/** Any number of channels, and several outputs per input channel. */
function layOddColumns(
  p: DwConv,
  t: usize,
  count: i32,
  columnBytes: usize,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  zeroPoint: usize,
  mask: v128,
  c: u32,
  width: u32,
): void {
  for (let x = 0; x < count; x++) {
    const step = <usize>x * p.xColumn;
    const a = channels(p, r0, step, zeroPoint, c, width);
    const b = channels(p, r1, step, zeroPoint, c, width);
    const d = ASC_FEATURE_RELAXED_SIMD ? channels(p, r2, step, zeroPoint, c, width) : a;
    const e = ASC_FEATURE_RELAXED_SIMD ? channels(p, r3, step, zeroPoint, c, width) : a;
    layColumn(t, a, b, d, e, mask, true);
    t += columnBytes;
  }
}

/** Up to sixteen output channels' inputs of one pixel, without reading past the last. */
function channels(p: DwConv, row: usize, step: usize, zeroPoint: usize, c: u32, width: u32): v128 {
  if (row == zeroPoint) return v128.load(zeroPoint);
  row += step;
  const multiplier = p.multiplier;
  if (multiplier == 1) return loadPart(row, width);
  const last = c + width - 1;
  let from = last / multiplier;
  let rest = last - from * multiplier;
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i = width; i; ) {
    i--;
    const byte = load<u8>(row + from);
    if (i >= 8) high = (high << 8) | byte;
    else low = (low << 8) | byte;
    if (rest == 0) {
      rest = multiplier;
      from--;
    }
    rest--;
  }
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}
