/**
 * Products in 16 bits, for what int8 kernels do not hold: int16 activations, weights with a zero point (nine bits), weights
 * that are computed, outputs that do not stand row by row. A and B have their zero points taken off. @full
 *
 * Rows of A are packed as int16, a block at a time. B is int8 or int16, in panels [n/8][pairs][8][2] in the vector modules
 * and as rows [n][2·pairs] in the scalar one. Scratch of a thread: columns that are computed (thread 0) | sums | addresses of
 * y | rows.
 */
import { Columns, Wide } from "./wide-params";
import { share } from "../common/split";
import { finish, finishTile, recordOf } from "./finish";

/** Sums of four rows and eight columns. */
const SUMS: usize = 256;

export function productWide(p: Wide, part: u32, parts: u32): void {
  const sums = <usize>p.scratch + <usize>part * p.scratchStride + p.rows;
  const addresses = sums + SUMS;
  const rows = addresses + (<usize>p.mBlock << 2);
  const panels = (p.n + 7) >>> 3;
  const byRows = p.m >= parts << 2;
  let start: u32 = 0;
  let end = p.m;
  let first: u32 = 0;
  let last = panels;
  if (byRows) {
    start = share(p.m, part, parts);
    end = share(p.m, part + 1, parts);
  } else {
    first = share(panels, part, parts);
    last = share(panels, part + 1, parts);
    if (first == last) return;
  }
  const rowBytes = <usize>p.pairs << 2;
  for (let row = start; row < end; row += p.mBlock) {
    const count = min(p.mBlock, end - row);
    for (let i: u32 = 0; i < count; i++) packRow(p, row + i, rows + <usize>i * rowBytes, addresses + (<usize>i << 2));
    for (let panel = first; panel < last; panel++) {
      if (p.wBytes == 1) panelOf<i8>(p, panel, count, rows, sums, addresses);
      else panelOf<i16>(p, panel, count, rows, sums, addresses);
    }
  }
}

/** One panel of B, elements of type T, with `count` rows. */
function panelOf<T>(p: Wide, panel: u32, count: u32, rows: usize, sums: usize, addresses: usize): void {
  const column = panel << 3;
  const width = min(p.n - column, 8);
  const pairs = p.pairs;
  const chunk = p.chunk;
  const wide = chunk != 0;
  const q = recordOf(p, panel);
  const w = <usize>(p.computed ? p.scratch : p.w) + <usize>pairs * 16 * sizeof<T>() * panel;
  const offset = <usize>column * p.yBytes;
  const rowBytes = <usize>pairs << 2;
  const sumBytes: usize = wide ? 64 : 32;
  const plain = !p.lanes && !p.bias;
  for (let i: u32 = 0; i < count; ) {
    const four = i + 4 <= count && (!ASC_FEATURE_SIMD || !wide);
    const a = rows + <usize>i * rowBytes;
    if (!ASC_FEATURE_SIMD) {
      if (four) rowsAlone<T>(a, rowBytes, 4, w, pairs, width, sums, wide);
      else rowsAlone<T>(a, rowBytes, 1, w, pairs, width, sums, wide);
    } else if (four) fourRows<T>(a, rowBytes, w, pairs, sums);
    else if (wide) oneRowWide<T>(a, w, pairs, chunk, sums);
    else oneRow<T>(a, w, pairs, sums);
    if (ASC_FEATURE_SIMD && four && plain && width == 8) {
      finishTile(p, sums, q, addresses + (<usize>i << 2), offset);
      i += 4;
      continue;
    }
    let s = sums;
    for (const stop = four ? i + 4 : i + 1; i < stop; i++) {
      finish(p, s, wide, q, <usize>load<u32>(addresses + (<usize>i << 2)) + offset, column, width);
      s += sumBytes;
    }
  }
}

/** Four columns and a pair of k's as int16. */
// @ts-ignore: decorator
@inline function weights<T>(w: usize, half: usize): v128 {
  return sizeof<T>() == 1 ? v128.load8x8_s(w + (half << 3)) : v128.load(w + (half << 4));
}

// @ts-ignore: decorator
@inline function dot(x: v128, w: v128, acc: v128): v128 {
  return i32x4.add(acc, i32x4.dot_i16x8_s(x, w));
}

function fourRows<T>(a: usize, row: usize, w: usize, pairs: u32, sums: usize): void {
  let r00 = i32x4.splat(0);
  let r01 = r00;
  let r10 = r00;
  let r11 = r00;
  let r20 = r00;
  let r21 = r00;
  let r30 = r00;
  let r31 = r00;
  const row2 = row << 1;
  const row3 = row2 + row;
  for (const end = a + (<usize>pairs << 2); a < end; a += 4) {
    const b0 = weights<T>(w, 0);
    const b1 = weights<T>(w, 1);
    let x = v128.load32_splat(a);
    r00 = dot(x, b0, r00);
    r01 = dot(x, b1, r01);
    x = v128.load32_splat(a + row);
    r10 = dot(x, b0, r10);
    r11 = dot(x, b1, r11);
    x = v128.load32_splat(a + row2);
    r20 = dot(x, b0, r20);
    r21 = dot(x, b1, r21);
    x = v128.load32_splat(a + row3);
    r30 = dot(x, b0, r30);
    r31 = dot(x, b1, r31);
    w += 16 * sizeof<T>();
  }
  v128.store(sums, r00);
  v128.store(sums, r01, 16);
  v128.store(sums, r10, 32);
  v128.store(sums, r11, 48);
  v128.store(sums, r20, 64);
  v128.store(sums, r21, 80);
  v128.store(sums, r30, 96);
  v128.store(sums, r31, 112);
}

function oneRow<T>(a: usize, w: usize, pairs: u32, sums: usize): void {
  let r0 = i32x4.splat(0);
  let r1 = r0;
  for (const end = a + (<usize>pairs << 2); a < end; a += 4) {
    const x = v128.load32_splat(a);
    r0 = dot(x, weights<T>(w, 0), r0);
    r1 = dot(x, weights<T>(w, 1), r1);
    w += 16 * sizeof<T>();
  }
  v128.store(sums, r0);
  v128.store(sums, r1, 16);
}

/** Sums of 64 bits: 32 bits hold `chunk` pairs. */
function oneRowWide<T>(a: usize, w: usize, pairs: u32, chunk: u32, sums: usize): void {
  let s0 = i64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  const end = a + (<usize>pairs << 2);
  while (a < end) {
    let r0 = i32x4.splat(0);
    let r1 = r0;
    for (const stop = min(a + (<usize>chunk << 2), end); a < stop; a += 4) {
      const x = v128.load32_splat(a);
      r0 = dot(x, weights<T>(w, 0), r0);
      r1 = dot(x, weights<T>(w, 1), r1);
      w += 16 * sizeof<T>();
    }
    s0 = i64x2.add(s0, i64x2.extend_low_i32x4_s(r0));
    s1 = i64x2.add(s1, i64x2.extend_high_i32x4_s(r0));
    s2 = i64x2.add(s2, i64x2.extend_low_i32x4_s(r1));
    s3 = i64x2.add(s3, i64x2.extend_high_i32x4_s(r1));
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

/** Without SIMD: columns one by one, four rows or one at a time, in 64 bits. */
// @ts-ignore: decorator
@inline function rowsAlone<T>(a: usize, row: usize, rows: u32, w: usize, pairs: u32, width: u32, sums: usize, wide: bool): void {
  for (let c: usize = 0; c < width; c++) {
    let s0: i64 = 0;
    let s1: i64 = 0;
    let s2: i64 = 0;
    let s3: i64 = 0;
    let x = a;
    for (const end = a + (<usize>pairs << 2); x < end; x += 2) {
      const b = <i64>load<T>(w);
      s0 += b * <i64>load<i16>(x);
      if (rows == 4) {
        s1 += b * <i64>load<i16>(x + row);
        s2 += b * <i64>load<i16>(x + 2 * row);
        s3 += b * <i64>load<i16>(x + 3 * row);
      }
      w += sizeof<T>();
    }
    storeSum(sums, 0, c, s0, wide);
    if (rows == 4) {
      storeSum(sums, 1, c, s1, wide);
      storeSum(sums, 2, c, s2, wide);
      storeSum(sums, 3, c, s3, wide);
    }
  }
}

// @ts-ignore: decorator
@inline function storeSum(sums: usize, row: usize, column: usize, sum: i64, wide: bool): void {
  if (wide) store<i64>(sums + ((row * 8 + column) << 3), sum);
  else store<i32>(sums + ((row * 8 + column) << 2), <i32>sum);
}

/** Row `row` of A as int16 at `target`, zeros beyond its end and outside of the image, and where its output stands at `address`. */
function packRow(p: Wide, row: u32, target: usize, address: usize): void {
  const line = row / p.outW;
  const image = line / p.outH;
  const oy = line - image * p.outH;
  const ox = row - line * p.outW;
  store<u32>(address, p.y + image * p.yImage + oy * p.yLine + ox * p.yPixel);
  const end = target + (<usize>p.pairs << 2);
  const x = <usize>p.x + <usize>image * p.inH * p.inW * p.xPixel;
  const ix0 = <i32>(ox * p.strideW) - p.padLeft;
  const elementBytes: usize = p.spread << 1;
  const run = <usize>p.inC * elementBytes;
  const whole = p.dilationW == 1 && p.xPixel == p.inC * p.xBytes && ix0 >= 0 && ix0 + <i32>p.kW <= <i32>p.inW;
  for (let ky: u32 = 0; ky < p.kH; ky++) {
    const iy = <i32>(oy * p.strideH + ky * p.dilationH) - p.padTop;
    const inside = <u32>iy < p.inH;
    const from = x + <usize>(iy * p.inW) * p.xPixel;
    if (inside && whole) {
      packRun(p, from + <usize>ix0 * p.xPixel, target, p.kW * p.inC);
      target += run * p.kW;
      continue;
    }
    for (let kx: u32 = 0; kx < p.kW; kx++) {
      const ix = ix0 + <i32>(kx * p.dilationW);
      if (inside && <u32>ix < p.inW) packRun(p, from + <usize>ix * p.xPixel, target, p.inC);
      else memory.fill(target, 0, run);
      target += run;
    }
  }
  for (; target < end; target += 2) store<i16>(target, 0);
}

/** `count` elements of x, less its zero point. */
function packRun(p: Wide, x: usize, target: usize, count: u32): void {
  const zeroPoint = p.xZeroPoint;
  const step = <usize>p.xStep;
  const bytes = p.xBytes;
  let i: u32 = 0;
  if (ASC_FEATURE_SIMD && p.spread == 1 && p.xStep == bytes) {
    const z = i16x8.splat(<i16>zeroPoint);
    for (; i + 8 <= count; i += 8) {
      const v = bytes == 1 ? v128.load8x8_s(x) : v128.load(x);
      v128.store(target, i16x8.sub(v, z));
      x += <usize>bytes << 3;
      target += 16;
    }
  }
  const spread = p.spread == 2;
  for (; i < count; i++) {
    const v = (bytes == 1 ? <i32>load<i8>(x) : <i32>load<i16>(x)) - zeroPoint;
    if (spread) {
      store<i32>(target, v & 0xffff);
      target += 4;
    } else {
      store<i16>(target, v);
      target += 2;
    }
    x += step;
  }
}

/** B as `productWide` reads it, int16. Parts share its panels. */
export function packColumns(p: Columns, part: u32, parts: u32): void {
  const panels = (p.n + 7) >>> 3;
  const last = share(panels, part + 1, parts);
  const panelBytes = <usize>p.pairs << 5;
  for (let panel = share(panels, part, parts); panel < last; panel++) {
    const target = <usize>p.scratch + panelBytes * panel;
    memory.fill(target, 0, panelBytes);
    const width = min(p.n - (panel << 3), 8);
    for (let c: u32 = 0; c < width; c++) {
      let w = <usize>p.w + <usize>((panel << 3) + c) * p.columnBytes;
      for (let i: u32 = 0; i < p.k; i++) {
        const value = (p.wBytes == 1 ? <i32>load<i8>(w) : <i32>load<i16>(w)) - p.wZeroPoint;
        const at = <usize>i * p.spread;
        const place = ASC_FEATURE_SIMD ? ((at >> 1) << 5) + (<usize>c << 2) + ((at & 1) << 1) : (<usize>c * p.pairs << 2) + (at << 1);
        store<i16>(target + place, value);
        w += p.stepBytes;
      }
    }
  }
}
