/**
 * Winograd's F(2×2, 3×3) of float32: 3×3 convolutions of stride 1, four outputs from sixteen products in place of thirty-six. Tiles of
 * 4×4 pixels, two apart, become V = Bᵀ d B; the packer made U = G g Gᵀ of the weights; sixteen products M = V·U, and outputs
 * Aᵀ M A. All modules do the same operations in the same order. Source: Lavin and Gray, arXiv 1509.09308.
 *
 *   scratch: table of the products' tiles | the pixels of a tile at the border | V [16][mBlock][inC] | M [16][mBlock][n]
 *   weights: [16][n/8][inC][8]
 * @full
 */
import { atLeast, atMost, minus, plus, splat } from "../common/lanes";
import { share } from "../common/split";
import { ConvF32 } from "./f32-params";
import { Float } from "./finish-f32";
import { panelBytes, TILE, Tile, tiles } from "./tile-f32";

/** m and mBlock are numbers of tiles, k is inC; bias, lo and hi those of the products: none. */
@unmanaged
export class WinogradF32 extends ConvF32 {
  /** n floats; 0: none. */
  outputBias: u32;
  least: f32;
  most: f32;
}

/** One run of a tile's rows. */
const ENTRY: usize = TILE + 16;
/** Between the positions of V and of M, so that they do not fall on each other in the nearest cache. */
const APART: usize = 64;
/** Bytes of the channels that are transformed at a time; inC and n are multiples of four. */
const LANES: usize = ASC_FEATURE_SIMD ? 16 : 4;

/** Parts share the tiles. */
export function winogradF32(p: WinogradF32, part: u32, parts: u32): void {
  const fours = (p.m + 3) >>> 2;
  const end = min(share(fours, part + 1, parts) << 2, p.m);
  const block = p.mBlock;
  const channel = <usize>p.k << 2;
  const row = <usize>p.n << 2;
  const vStep = <usize>block * channel + APART;
  const mStep = <usize>block * row + APART;
  const table = <usize>p.scratch + <usize>part * p.scratchStride;
  const entries = <usize>(block >>> 2) * ENTRY;
  const copy = table + (entries << 4);
  const v = copy + (channel << 4);
  const m = v + (vStep << 4);
  for (let i: usize = 0; i < 16; i++) layTable(table + i * entries, block, v + i * vStep, channel, m + i * mStep, row);
  const panels = (p.n + 7) >>> 3;
  for (let i = share(fours, part, parts) << 2; i < end; i += block) {
    const count = min(block, end - i);
    for (let t: u32 = 0; t < count; t++) transform(p, i + t, copy, v + <usize>t * channel, vStep);
    let w = <usize>p.w;
    let first = table;
    for (let position = 0; position < 16; position++) {
      const last = first + <usize>((count + 3) >>> 2) * ENTRY;
      for (let n: u32 = 0; n < panels; n++) {
        tiles<Float>(p, first, last, ENTRY, w, n << 3, min(p.n - (n << 3), 8));
        w += panelBytes<Float>(p.k);
      }
      first += entries;
    }
    for (let t: u32 = 0; t < count; t++) finish(p, i + t, m + <usize>t * row, mStep);
  }
}

/** Tiles of four rows of V, and where their sums go. */
function layTable(t: usize, rows: u32, v: usize, channel: usize, m: usize, row: usize): void {
  for (; rows; rows -= 4) {
    const T = changetype<Tile>(t);
    T.runs = 1;
    T.length = <u32>(channel >>> 2);
    for (let i: usize = 0; i < 16; i += 4) {
      store<u32>(t + i, <u32>m, 8);
      store<u32>(t + i, <u32>v, TILE);
      v += channel;
      m += row;
    }
    t += ENTRY;
  }
}

/** V of tile i, positions `step` bytes apart: of its pixels where they stand, or of a copy where some are padding. */
function transform(p: WinogradF32, i: u32, copy: usize, v: usize, step: usize): void {
  const tilesW = (p.outW + 1) >>> 1;
  const ty = i / tilesW;
  const tilesH = (p.outH + 1) >>> 1;
  const batch = ty / tilesH;
  const left = <i32>((i - ty * tilesW) << 1) - p.padLeft;
  const top = <i32>((ty - batch * tilesH) << 1) - p.padTop;
  const channel = <usize>p.k << 2;
  const line = <usize>p.inW * p.xStride;
  const x = <usize>p.x + <usize>(<i32>(batch * p.inH) + top) * line + <usize>left * p.xStride;
  if (left >= 0 && top >= 0 && <u32>left + 4 <= p.inW && <u32>top + 4 <= p.inH) return channels(x, line, p.xStride, channel, v, step);
  let target = copy;
  for (let y: u32 = 0; y < 4; y++) {
    for (let j: u32 = 0; j < 4; j++) {
      if (<u32>top + y < p.inH && <u32>left + j < p.inW) memory.copy(target, x + y * line + j * p.xStride, channel);
      else memory.fill(target, 0, channel);
      target += channel;
    }
  }
  channels(copy, channel << 2, channel, channel, v, step);
}

function channels(x: usize, line: usize, pixel: usize, channel: usize, v: usize, step: usize): void {
  const end = x + channel;
  for (; x < end; x += LANES) {
    if (ASC_FEATURE_SIMD) transformOne<v128>(x, line, pixel, v, step);
    else transformOne<f32>(x, line, pixel, v, step);
    v += LANES;
  }
}

/** Bᵀ d B: first along the rows. */
// @ts-ignore: decorator
@inline function transformOne<T>(x0: usize, line: usize, pixel: usize, v: usize, step: usize): void {
  const x1 = x0 + line;
  const x2 = x1 + line;
  const x3 = x2 + line;
  const far = pixel << 1;
  const c0 = load<T>(x0 + far);
  const c1 = load<T>(x1 + far);
  const c2 = load<T>(x2 + far);
  const c3 = load<T>(x3 + far);
  column<T>(v, step, minus<T>(load<T>(x0), c0), minus<T>(load<T>(x1), c1), minus<T>(load<T>(x2), c2), minus<T>(load<T>(x3), c3));
  const b0 = load<T>(x0 + pixel);
  const b1 = load<T>(x1 + pixel);
  const b2 = load<T>(x2 + pixel);
  const b3 = load<T>(x3 + pixel);
  v += step;
  column<T>(v, step, plus<T>(b0, c0), plus<T>(b1, c1), plus<T>(b2, c2), plus<T>(b3, c3));
  v += step;
  column<T>(v, step, minus<T>(c0, b0), minus<T>(c1, b1), minus<T>(c2, b2), minus<T>(c3, b3));
  v += step;
  const last = far + pixel;
  column<T>(v, step, minus<T>(b0, load<T>(x0 + last)), minus<T>(b1, load<T>(x1 + last)), minus<T>(b2, load<T>(x2 + last)), minus<T>(b3, load<T>(x3 + last)));
}

// @ts-ignore: decorator
@inline function column<T>(v: usize, step: usize, d0: T, d1: T, d2: T, d3: T): void {
  store<T>(v, minus<T>(d0, d2));
  store<T>(v + (step << 2), plus<T>(d1, d2));
  store<T>(v + (step << 3), minus<T>(d2, d1));
  store<T>(v + step * 12, minus<T>(d1, d3));
}

/** The outputs of tile i from its M, positions `step` bytes apart; two in a direction where the image has them. */
function finish(p: WinogradF32, i: u32, m: usize, step: usize): void {
  const tilesW = (p.outW + 1) >>> 1;
  const ty = i / tilesW;
  const tilesH = (p.outH + 1) >>> 1;
  const batch = ty / tilesH;
  const x = (i - ty * tilesW) << 1;
  const y = (ty - batch * tilesH) << 1;
  const target = <usize>(p.y + batch * p.yBatch + y * p.yLine + x * p.yStride);
  const right: usize = x + 1 < p.outW ? p.yStride : 0;
  const down: usize = y + 1 < p.outH ? p.yLine : 0;
  const size = <usize>p.n << 2;
  for (let c: usize = 0; c < size; c += LANES) {
    if (ASC_FEATURE_SIMD) finishOne<v128>(p, m + c, step, target + c, right, down, c);
    else finishOne<f32>(p, m + c, step, target + c, right, down, c);
  }
}

/** Aᵀ M A, first along the rows. Outputs that the image does not have are written first, and then over. */
// @ts-ignore: decorator
@inline function finishOne<T>(p: WinogradF32, m: usize, step: usize, y: usize, right: usize, down: usize, c: usize): void {
  const line = step << 2;
  const l0 = leftOf<T>(m, step);
  const r0 = rightOf<T>(m, step);
  const l1 = leftOf<T>(m + line, step);
  const r1 = rightOf<T>(m + line, step);
  const l2 = leftOf<T>(m + 2 * line, step);
  const r2 = rightOf<T>(m + 2 * line, step);
  const l3 = leftOf<T>(m + 3 * line, step);
  const r3 = rightOf<T>(m + 3 * line, step);
  const bias = p.outputBias ? load<T>(<usize>p.outputBias + c) : splat<T>(0);
  const low = y + down;
  store<T>(low + right, clamped<T>(p, plus<T>(minus<T>(minus<T>(r1, r2), r3), bias)));
  store<T>(low, clamped<T>(p, plus<T>(minus<T>(minus<T>(l1, l2), l3), bias)));
  store<T>(y + right, clamped<T>(p, plus<T>(plus<T>(plus<T>(r0, r1), r2), bias)));
  store<T>(y, clamped<T>(p, plus<T>(plus<T>(plus<T>(l0, l1), l2), bias)));
}

// @ts-ignore: decorator
@inline function leftOf<T>(m: usize, step: usize): T {
  return plus<T>(plus<T>(load<T>(m), load<T>(m + step)), load<T>(m + 2 * step));
}

// @ts-ignore: decorator
@inline function rightOf<T>(m: usize, step: usize): T {
  return minus<T>(minus<T>(load<T>(m + step), load<T>(m + 2 * step)), load<T>(m + 3 * step));
}

// @ts-ignore: decorator
@inline function clamped<T>(p: WinogradF32, v: T): T {
  return atMost<T>(atLeast<T>(v, splat<T>(p.least)), splat<T>(p.most));
}
