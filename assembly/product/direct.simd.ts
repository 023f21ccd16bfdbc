/**
 * Convolution that gathers what a kernel row reads once for all output rows that need it. For every input row, padding
 * included, the runs of kW·inC activations under the kernel at the output pixels of a tile, four or six, are interleaved
 * into one segment, [step][pixels][KR]; a tile of an output row walks the segments of kH input rows. k is [kH][kW·inC] with segments
 * rounded up to whole steps, zero in B.
 *
 * For kernel rows of a few steps at least, rows of at least one tile, and panels of eight columns in a float form; the
 * others take the patches of `gemm.ts`. mBlock counts output rows here. Where a pixel is several outputs (`narrow.ts` of the
 * planner) and the last tile begins inside of one, `chunk` is by how many of its channels. Scratch: the input rows of a block | a widened
 * panel | one input row with its padding.
 */
import { Conv2d } from "./params";
import { activationMask } from "../common/probe";
import { copyRun, fillRun } from "../common/bytes.simd";
import { inFours, inLast, inSixes, KR, STEP } from "./gemm.simd";
import { Four, interleaveTiles, LANE, LANES_BEYOND, Six } from "./interleave.simd";
import { Fixed, FORM, POSITIVE, Positive, RECORD, SIGNED, Signed } from "../requantize/requantize.simd";
import { Segmented, wholeTiles } from "./tile.simd";
import { widenPanel } from "./widen.simd";

/** What an input row's last tile may be written beyond its end: three steps of six, and lanes. */
const SLACK: usize = 3 * 6 * LANE + LANES_BEYOND;

export function directConv2d(p: Conv2d, part: u32, parts: u32): void {
  const segment = <usize>(p.k / p.patches.kH / KR) * LANE;
  const pitch = <usize>pixelsOf(p.patches.outW) * segment;
  const rows = <usize>p.scratch + <usize>part * p.scratchStride;
  const bWide = rows + SLACK + pitch * <usize>((p.mBlock - 1) * p.patches.strideH + (p.patches.kH - 1) * p.patches.dilationH + 1);
  const line = ASC_FEATURE_RELAXED_SIMD ? bWide : bWide + <usize>(p.k / KR) * (STEP << 1);
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const total = p.m / p.patches.outW;
  const end = <u32>((<u64>total * (part + 1)) / parts);
  for (let i = <u32>((<u64>total * part) / parts); i < end; ) {
    const batch = i / p.patches.outH;
    const oy = i - batch * p.patches.outH;
    const count = min(min(p.mBlock, p.patches.outH - oy), end - i);
    const top = <i32>(oy * p.patches.strideH) - p.patches.padTop;
    packRows(p, batch, top, (count - 1) * p.patches.strideH + (p.patches.kH - 1) * p.patches.dilationH + 1, rows, segment, line, mask);
    panels(p, rows, segment, pitch, count, <usize>p.y + <usize>i * linePitch(p), bWide, mask);
    i += count;
  }
}

/** Bytes from an output row to the next. */
// @ts-ignore: decorator
@inline function linePitch(p: Conv2d): usize {
  return <usize>p.patches.outW * p.yStride - p.chunk;
}

/** Pixels of all tiles of an output row: the last tile has some in common with those before. */
// @ts-ignore: decorator
@inline function pixelsOf(outW: u32): u32 {
  const six = inSixes(outW);
  const four = six + inFours(outW, six);
  return four + inLast(outW, outW - four);
}

/** The tile segments of `rows` input rows from row y on. */
function packRows(p: Conv2d, batch: u32, y: i32, rows: u32, target: usize, segment: usize, line: usize, mask: v128): void {
  const inC = p.patches.inC;
  const length = p.patches.kW * inC;
  const s = <usize>(p.patches.strideW * inC);
  const outW = p.patches.outW;
  const six = inSixes(outW);
  const four = six + inFours(outW, six);
  const last = inLast(outW, outW - four);
  const columns = ((outW - 1) * p.patches.strideW + p.patches.kW) * inC;
  // Padding may be wider than all columns that are read.
  const left = min(<u32>max(p.patches.padLeft, 0) * inC, columns);
  const inside = min(p.patches.inW * inC, columns - left);
  fillRun(line, p.xZeroPoint, columns);
  do {
    if (<u32>y < p.patches.inH) copyRun(line + left, <usize>p.x + <usize>((batch * p.patches.inH + y) * p.patches.inW) * inC, inside);
    else fillRun(line + left, p.xZeroPoint, inside);
    if (ASC_FEATURE_RELAXED_SIMD) target = tilesAt<Six>(target, segment, line, s, six, length, mask);
    target = tilesAt<Four>(target, segment, line + <usize>six * s, s, four - six, length, mask);
    const xLast = line + <usize>(outW - last) * s - <usize>p.chunk * s / p.n;
    if (last == 4) target = tilesAt<Four>(target, segment, xLast, s, 4, length, mask);
    else if (ASC_FEATURE_RELAXED_SIMD && last) target = tilesAt<Six>(target, segment, xLast, s, 6, length, mask);
    y++;
  } while (--rows);
}

/** The segments of `pixels` output pixels of which the first reads at x, in tiles of R; returns where they end. */
// @ts-ignore: decorator
@inline function tilesAt<R>(target: usize, segment: usize, x: usize, s: usize, pixels: u32, length: u32, mask: v128): usize {
  return interleaveTiles<R>(target, segment, x, s, pixels, 0, usize.MAX_VALUE, length, mask, 0);
}

/** All panels over a block of output rows. */
function panels(
  p: Conv2d,
  a: usize,
  segment: usize,
  pitch: usize,
  rows: u32,
  c: usize,
  bWide: usize,
  mask: v128,
): void {
  const bytes = <usize>(p.k / KR) * STEP;
  const wide = ASC_FEATURE_RELAXED_SIMD || p.index != 0;
  let w = <usize>p.w;
  let q = <usize>p.q;
  let column: u32 = 0;
  do {
    if (!wide) widenPanel(bWide, w, bytes);
    const b = wide ? w : bWide;
    const bEnd = b + (ASC_FEATURE_RELAXED_SIMD ? bytes : bytes << 1);
    const form = load<u32>(q, FORM);
    if (form == POSITIVE) outputRows<Positive>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    else if (form == SIGNED) outputRows<Signed>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    else outputRows<Fixed>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    c += 8;
    w += wide ? bEnd - b : bytes;
    q += RECORD;
    column += 8;
  } while (column < p.n);
}

/** Output rows of one panel. */
// @ts-ignore: decorator
@inline function outputRows<F>(
  p: Conv2d,
  a: usize,
  segment: usize,
  pitch: usize,
  rows: u32,
  b: usize,
  bEnd: usize,
  q: usize,
  c: usize,
  mask: v128,
): void {
  const outW = p.patches.outW;
  const yStride = <usize>p.yStride;
  const six = inSixes(outW);
  const four = six + inFours(outW, six);
  const last = inLast(outW, outW - four);
  const pitchC = linePitch(p);
  const cLast = pitchC - <usize>last * yStride;
  do {
    const aFour = a + <usize>six * segment;
    const aLast = a + <usize>four * segment;
    if (ASC_FEATURE_RELAXED_SIMD) {
      rowTiles<F, Six>(p, 6, a, aFour, segment, pitch, b, bEnd, q, c, mask);
      if (last == 6) rowTiles<F, Six>(p, 6, aLast, aLast + 6 * segment, segment, pitch, b, bEnd, q, c + cLast, mask);
    }
    rowTiles<F, Four>(p, 4, aFour, aLast, segment, pitch, b, bEnd, q, c + <usize>six * yStride, mask);
    if (last == 4) rowTiles<F, Four>(p, 4, aLast, aLast + 4 * segment, segment, pitch, b, bEnd, q, c + cLast, mask);
    a += pitch * p.patches.strideH;
    c += pitchC;
  } while (--rows);
}

/** Tiles of R pixels, `size` in number, of one output row. */
// @ts-ignore: decorator
@inline function rowTiles<F, R>(
  p: Conv2d,
  size: usize,
  a: usize,
  aEnd: usize,
  segment: usize,
  pitch: usize,
  b: usize,
  bEnd: usize,
  q: usize,
  c: usize,
  mask: v128,
): void {
  const tile = size * segment;
  const skip = pitch * p.patches.dilationH - tile;
  wholeTiles<F, Segmented, R>(changetype<usize>(p), a, aEnd, tile, b, bEnd, 0, (bEnd - b) / p.patches.kH, skip, q, c, p.yStride, mask, 0);
}
