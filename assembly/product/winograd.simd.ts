/**
 * Winograd's F(2×2, 3×3) in integers: convolutions of stride 1 by odd kernels, four outputs from sixteen products in place of
 * thirty-six, the same bytes. Tiles of 4×4 inputs, two apart, become V = Bᵀ d B in int16 (at most 4·128); the packer made
 * U = (2G) g (2G)ᵀ of the weights, so that the sums over channels are four times the convolution, exactly: sums that leave
 * int32 on the way come back, as long as four times the result fits. Source: Lavin and Gray, arXiv 1509.09308.
 *
 * For 8·i input channels, 8·i output channels in float or fixed-point forms. Larger kernels are sums of blocks of 3×3 two apart, the
 * taps that two share being in the first: each is more channels of the same tile, k in all. mBlock counts rows of tiles here.
 *
 *   scratch: the input rows of a block, padding included | V [tiles/4][16][k/2][4][2] int16 | products [16][4][8] int32 | one
 *            step of the transform
 *   weights: [n/8][16][k/2][8][2] int16
 */
import { copyRun, fillRun } from "../common/bytes.simd";
import { magic } from "../common/constants.simd";
import { share } from "../common/split";
import { A, B, Fixed, FORM, highest, lowest, narrow, offsetOf, POSITIVE, Positive, RECORD, requantize, SIGNED, Signed } from "../requantize/requantize.simd";
import { Conv2d, Gemm } from "./params";

/** Bytes of the products of four tiles, and of one step of the transform. */
const PRODUCTS: usize = 16 * 4 * 8 * 4;
const STEP_BYTES: usize = 1024;

export function winograd(p: Conv2d, part: u32, parts: u32): void {
  // the relaxed dot product is as fast on the plain convolution: plans for it have no such step
  if (ASC_FEATURE_RELAXED_SIMD) unreachable();
  else blocks(p, part, parts);
}

/** Rows of tiles in blocks; parts share them. */
function blocks(p: Conv2d, part: u32, parts: u32): void {
  const tilesH = (p.patches.outH + 1) >>> 1;
  const tilesW = (p.patches.outW + 1) >>> 1;
  const pitch = <usize>(2 * tilesW + p.patches.kW - 1) * p.patches.inC;
  const lines = <usize>p.scratch + <usize>part * p.scratchStride;
  const products = lines + pitch * <usize>(2 * p.mBlock + p.patches.kH - 1);
  const step = products + PRODUCTS;
  const v = step + STEP_BYTES;
  const batches = p.m / (p.patches.outH * p.patches.outW);
  const end = share(batches * tilesH, part + 1, parts);
  for (let i = share(batches * tilesH, part, parts); i < end; ) {
    const batch = i / tilesH;
    const ty = i - batch * tilesH;
    const rows = min(min(p.mBlock, tilesH - ty), end - i);
    layLines(p, batch, <i32>(2 * ty) - p.patches.padTop, 2 * rows + p.patches.kH - 1, lines, pitch);
    const tiles = rows * tilesW;
    transformTiles(p, lines, pitch, tilesW, tiles, v, step);
    const y = <usize>p.y + <usize>(batch * p.patches.outH + 2 * ty) * p.patches.outW * p.yStride;
    panels(p, v, products, tiles, tilesW, p.patches.outH - 2 * ty, y);
    i += rows;
  }
}

/** Input rows from row y on, zero points around the image. */
function layLines(p: Conv2d, batch: u32, y: i32, rows: u32, line: usize, pitch: usize): void {
  const inC = p.patches.inC;
  const left = <u32>max(p.patches.padLeft, 0) * inC;
  const inside = min(p.patches.inW * inC, <u32>pitch - left);
  do {
    if (<u32>y < p.patches.inH) {
      if (left) fillRun(line, p.xZeroPoint, left);
      copyRun(line + left, <usize>p.x + <usize>((batch * p.patches.inH + y) * p.patches.inW) * inC, inside);
      if (left + inside < <u32>pitch) fillRun(line + left + inside, p.xZeroPoint, <u32>pitch - left - inside);
    } else fillRun(line, p.xZeroPoint, <u32>pitch);
    line += pitch;
    y++;
  } while (--rows);
}

/** V of all tiles; the last group of four repeats its last tile. */
function transformTiles(p: Conv2d, lines: usize, pitch: usize, tilesW: u32, tiles: u32, v: usize, step: usize): void {
  const channels = <usize>p.patches.inC;
  const position = <usize>p.k << 3;
  const below = pitch * <usize>(p.patches.kH - 1);
  const beside = channels * <usize>(p.patches.kW - 1);
  const last = tiles - 1;
  let t: u32 = 0;
  do {
    let x0 = tileAt(lines, pitch, channels, tilesW, t);
    const d1 = tileAt(lines, pitch, channels, tilesW, min(t + 1, last)) - x0;
    const d2 = tileAt(lines, pitch, channels, tilesW, min(t + 2, last)) - x0;
    const d3 = tileAt(lines, pitch, channels, tilesW, min(t + 3, last)) - x0;
    let first = v;
    const end = x0 + below;
    do {
      let right: usize = 0;
      do {
        let x = x0 + right;
        const xEnd = x + channels;
        do {
          transform(x, pitch, channels, step);
          transform(x + d1, pitch, channels, step + 256);
          transform(x + d2, pitch, channels, step + 512);
          transform(x + d3, pitch, channels, step + 768);
          let target = first;
          let at = step;
          do {
            interleave(target, v128.load(at), v128.load(at, 256), v128.load(at, 512), v128.load(at, 768));
            target += position;
            at += 16;
          } while (at < step + 256);
          first += 64;
          x += 8;
        } while (x < xEnd);
        right += 2 * channels;
      } while (right < beside);
      x0 += 2 * pitch;
    } while (x0 < end);
    v += position << 4;
    t += 4;
  } while (t < tiles);
}

/** The first input of tile t. */
// @ts-ignore: decorator
@inline function tileAt(lines: usize, pitch: usize, channels: usize, tilesW: u32, t: u32): usize {
  const ty = t / tilesW;
  return lines + 2 * (<usize>ty * pitch + <usize>(t - ty * tilesW) * channels);
}

/** One row of four pixels by B, eight channels. */
// @ts-ignore: decorator
@inline function rowTransform(x: usize, c: usize, target: usize): void {
  const d0 = v128.load8x8_s(x);
  const d1 = v128.load8x8_s(x + c);
  const d2 = v128.load8x8_s(x + 2 * c);
  const d3 = v128.load8x8_s(x + 3 * c);
  v128.store(target, i16x8.sub(d0, d2));
  v128.store(target, i16x8.add(d1, d2), 16);
  v128.store(target, i16x8.sub(d2, d1), 32);
  v128.store(target, i16x8.sub(d1, d3), 48);
}

/** Bᵀ d B of one tile and eight channels, [16] vectors. */
function transform(x: usize, pitch: usize, c: usize, target: usize): void {
  rowTransform(x, c, target);
  rowTransform(x + pitch, c, target + 64);
  rowTransform(x + 2 * pitch, c, target + 128);
  rowTransform(x + 3 * pitch, c, target + 192);
  const end = target + 64;
  do {
    const d0 = v128.load(target);
    const d1 = v128.load(target, 64);
    const d2 = v128.load(target, 128);
    const d3 = v128.load(target, 192);
    v128.store(target, i16x8.sub(d0, d2));
    v128.store(target, i16x8.add(d1, d2), 64);
    v128.store(target, i16x8.sub(d2, d1), 128);
    v128.store(target, i16x8.sub(d1, d3), 192);
    target += 16;
  } while (target < end);
}

/** Eight channels of four tiles, pairs of channels side by side: [4][4 tiles][2]. */
// @ts-ignore: decorator
@inline function interleave(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(target, i64x2.shuffle(ab0, cd0, 0, 2));
  v128.store(target, i64x2.shuffle(ab0, cd0, 1, 3), 16);
  v128.store(target, i64x2.shuffle(ab1, cd1, 0, 2), 32);
  v128.store(target, i64x2.shuffle(ab1, cd1, 1, 3), 48);
}

/** All panels of eight columns over a block of tiles; `rows` output rows are left from the block's first on. */
function panels(p: Conv2d, v: usize, products: usize, tiles: u32, tilesW: u32, rows: u32, y: usize): void {
  const bytes = <usize>p.k << 8;
  let u = <usize>p.w;
  let q = <usize>p.q;
  let column: u32 = 0;
  do {
    panel(p, v, u, products, q, tiles, tilesW, rows, y + column);
    u += bytes;
    q += RECORD;
    column += 8;
  } while (column < p.n);
}

/** Groups of four tiles of one panel. */
function panel(p: Conv2d, v: usize, u: usize, products: usize, q: usize, tiles: u32, tilesW: u32, rows: u32, y: usize): void {
  const position = <usize>p.k << 3;
  const form = load<u32>(q, FORM);
  const below = <usize>p.patches.outW * p.yStride;
  let t: u32 = 0;
  do {
    multiply(v, position, u, products);
    const count = min(tiles - t, 4);
    let i: u32 = 0;
    do {
      const m = products + <usize>i * 32;
      inverse(m, q);
      inverse(m + 16, q + 16);
      const ty = (t + i) / tilesW;
      const tx = t + i - ty * tilesW;
      const target = y + <usize>(2 * ty * p.patches.outW + 2 * tx) * p.yStride;
      const right = (tx << 1) + 1 < p.patches.outW;
      twoPixels(p, form, m, q, target, right);
      if ((ty << 1) + 1 < rows) twoPixels(p, form, m + 256, q, target + below, right);
      i++;
    } while (i < count);
    v += position << 4;
    t += 4;
  } while (t < tiles);
}

/** The sixteen products of four tiles and eight columns. */
function multiply(a: usize, position: usize, b: usize, target: usize): void {
  const end = target + PRODUCTS;
  do {
    let r00 = i32x4.splat(0);
    let r01 = r00;
    let r10 = r00;
    let r11 = r00;
    let r20 = r00;
    let r21 = r00;
    let r30 = r00;
    let r31 = r00;
    const aEnd = a + position;
    do {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      r00 = i32x4.add(r00, i32x4.dot_i16x8_s(x, b0));
      r01 = i32x4.add(r01, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a, 4);
      r10 = i32x4.add(r10, i32x4.dot_i16x8_s(x, b0));
      r11 = i32x4.add(r11, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a, 8);
      r20 = i32x4.add(r20, i32x4.dot_i16x8_s(x, b0));
      r21 = i32x4.add(r21, i32x4.dot_i16x8_s(x, b1));
      x = v128.load32_splat(a, 12);
      r30 = i32x4.add(r30, i32x4.dot_i16x8_s(x, b0));
      r31 = i32x4.add(r31, i32x4.dot_i16x8_s(x, b1));
      b += 32;
      a += 16;
    } while (a < aEnd);
    v128.store(target, r00);
    v128.store(target, r01, 16);
    v128.store(target, r10, 32);
    v128.store(target, r11, 48);
    v128.store(target, r20, 64);
    v128.store(target, r21, 80);
    v128.store(target, r30, 96);
    v128.store(target, r31, 112);
    target += 128;
  } while (target < end);
}

/** A quarter of Aᵀ M A, exactly, and the bias: four columns of one tile's four pixels, at products 0 to 3 of M. */
function inverse(m: usize, q: usize): void {
  const bias = v128.load(q);
  const end = m + 512;
  do {
    const a = v128.load(m);
    const b = v128.load(m, 512);
    const c = v128.load(m, 1024);
    const d = v128.load(m, 1536);
    v128.store(m, i32x4.add(i32x4.add(a, b), c));
    v128.store(m, i32x4.sub(i32x4.sub(b, c), d), 512);
    m += 128;
  } while (m < end);
  m -= 512;
  for (let row = 0; row < 2; row++) {
    const from = m + <usize>row * 512;
    const a = v128.load(from);
    const b = v128.load(from, 128);
    const c = v128.load(from, 256);
    const d = v128.load(from, 384);
    const to = m + <usize>row * 256;
    v128.store(to, i32x4.add(i32x4.shr_s(i32x4.add(i32x4.add(a, b), c), 2), bias));
    v128.store(to, i32x4.add(i32x4.shr_s(i32x4.sub(i32x4.sub(b, c), d), 2), bias), 128);
  }
}

/** Two pixels of eight columns, requantized. */
function twoPixels(p: Conv2d, form: u32, m: usize, q: usize, y: usize, right: bool): void {
  if (form == POSITIVE) outputs<Positive>(p, m, q, y, right);
  else if (form == SIGNED) outputs<Signed>(p, m, q, y, right);
  else outputs<Fixed>(p, m, q, y, right);
}

// @ts-ignore: decorator
@inline function outputs<F>(p: Conv2d, m: usize, q: usize, y: usize, right: bool): void {
  const params = changetype<usize>(p);
  const unit = magic();
  const offset = offsetOf<F>(params + offsetof<Gemm>("yZeroPoint"), unit);
  let s = v128.load(q, A);
  let t = v128.load(q, B);
  const left0 = requantize<F>(v128.load(m), s, t, unit, offset);
  const right0 = requantize<F>(v128.load(m, 128), s, t, unit, offset);
  s = v128.load(q, A + 16);
  t = v128.load(q, B + 16);
  const left1 = requantize<F>(v128.load(m, 16), s, t, unit, offset);
  const right1 = requantize<F>(v128.load(m, 144), s, t, unit, offset);
  const bytes = narrow(left0, left1, right0, right1, lowest<Gemm>(params), highest<Gemm>(params));
  v128.store64_lane(y, bytes, 0);
  if (right) v128.store64_lane(y + p.yStride, bytes, 1);
}
