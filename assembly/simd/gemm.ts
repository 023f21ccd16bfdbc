/**
 * int8 GEMM with requantization, SIMD128 and relaxed, dense and sparse: rows of A are interleaved in blocks, and each
 * panel of eight columns of B passes over a block while both are in the nearest caches. The register tiles are in
 * `tile.ts`. Where the last rows do not make a tile, those before them are computed again with them.
 *
 * SIMD128 keeps B as int8 [n/8][k/2][8][2] and widens a panel once per block; the relaxed dot product takes
 * [n/8][k/4][8][4] as it is. Scratch: the tiles of a block | a widened panel | gathered patches, or SPARE bytes.
 *
 * Sparse B: a panel has only its blocks (one step of k × 8 columns) that are not zero. At `index`, for each panel: the
 * number of blocks as u32, then each block's byte offset in a packed row as u16, padded to four bytes.
 */
import { Conv2d, Gemm } from "../params";
import { activationMask } from "../relaxed/probe";
import { packPatches } from "./im2col";
import { CHUNK, interleave, interleaveExactly, STEP_A, tileBytes } from "./interleave";
import { EXACT, Fixed, FORM, POSITIVE, Positive, RECORD, SIGNED, Signed } from "./requantize";
import { Dense, MR, rowTile, Sparse, wholeTiles } from "./tile";
import { widenPanel } from "./widen";

/** k's in one step of a panel, and the bytes of that step as stored. */
export const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
export const STEP: usize = 8 * KR;
/** Bytes of patches that are gathered at a time, and the most of them. */
const PATCH_BYTES: usize = 2048;
const MAX_PATCHES: u32 = 32;

export function gemm(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, false, false);
}

/** The same on the patches of a convolution. */
export function conv2d(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, true, false);
}

/** GEMM with sparse B. */
export function spmm(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, false, true);
}

/** Convolution with sparse weights. */
export function sparseConv2d(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, true, true);
}

/** Rows in blocks of whole tiles. Parts share the rows. */
// @ts-ignore: decorator
@inline function product(params: usize, part: u32, parts: u32, patches: bool, sparse: bool): void {
  const p = changetype<Gemm>(params);
  const tile = tileBytes(p.k);
  const tiles = <usize>p.scratch + <usize>part * p.scratchStride;
  const bWide = tiles + <usize>(p.mBlock / MR) * tile;
  const spare = ASC_FEATURE_RELAXED_SIMD ? bWide : bWide + <usize>((p.k + 1) >>> 1) * (STEP << 1);
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    let rows = min(p.mBlock, end - row);
    const missing = -rows & (MR - 1);
    if (row >= missing) {
      row -= missing;
      rows += missing;
    }
    if (patches) packPatchTiles(changetype<Conv2d>(params), row, rows, tiles, tile, spare, mask);
    else packTiles(p, row, rows, tiles, tile, spare, mask);
    block(p, tiles, tile, rows, <usize>p.y + <usize>row * p.yStride, bWide, sparse, mask);
    row += rows;
  }
}

/** First row of a part, in whole tiles. */
// @ts-ignore: decorator
@inline function share(m: u32, part: u32, parts: u32): u32 {
  if (part == parts) return m;
  const start = <u32>((<u64>m * part) / parts);
  return start - (start % MR);
}

/** Tiles of rows where they stand; rows beyond the last repeat it. */
function packTiles(p: Gemm, row: u32, rows: u32, target: usize, tile: usize, spare: usize, mask: v128): void {
  const k = p.k;
  const stride = <usize>p.xStride;
  const last = <usize>p.x + <usize>(p.m - 1) * stride;
  // The last address at which whole chunks of a row stay inside A.
  const limit = last + k - <usize>((k + CHUNK - 1) & ~(CHUNK - 1));
  let s0 = <usize>p.x + <usize>row * stride;
  for (const end = s0 + <usize>rows * stride; s0 < end; s0 += stride << 2) {
    const s1 = s0 + stride;
    const s2 = s1 + stride;
    const s3 = s2 + stride;
    if (s3 <= limit) interleave(target, STEP_A, s0, s1, s2, s3, k, mask);
    else interleaveExactly(target, STEP_A, s0, min(s1, last), min(s2, last), min(s3, last), k, mask, spare);
    target += tile;
  }
}

/** Rows of patches that are gathered at a time, in whole tiles: what fits PATCH_BYTES. */
// @ts-ignore: decorator
@inline function patchesAtATime(stride: usize): u32 {
  return min(max((<u32>(PATCH_BYTES / stride)) & ~(MR - 1), MR), MAX_PATCHES);
}

/** Tiles of patches; of a last tile that is not whole, the rows beyond hold whatever was there before. */
function packPatchTiles(p: Conv2d, row: u32, rows: u32, target: usize, tile: usize, spare: usize, mask: v128): void {
  const k = p.k;
  const stride = <usize>((k + 15) & ~15);
  const patches = patchesAtATime(stride);
  while (rows) {
    const count = min(rows, patches);
    packPatches(p, row, count, spare, stride);
    for (let s = spare, end = spare + <usize>count * stride; s < end; s += stride << 2) {
      interleave(target, STEP_A, s, s + stride, s + 2 * stride, s + 3 * stride, k, mask);
      target += tile;
    }
    row += count;
    rows -= count;
  }
}

/** Whole tiles of one panel. */
// @ts-ignore: decorator
@inline function tiles<F>(
  params: usize,
  sparse: bool,
  a: usize,
  aEnd: usize,
  tile: usize,
  b: usize,
  bEnd: usize,
  offsets: usize,
  q: usize,
  c: usize,
  yStride: usize,
  mask: v128,
): void {
  if (sparse) wholeTiles<F, Sparse>(params, a, aEnd, tile, b, bEnd, offsets, 0, 0, q, c, yStride, mask);
  else wholeTiles<F, Dense>(params, a, aEnd, tile, b, bEnd, offsets, 0, 0, q, c, yStride, mask);
}

/** One block of tiles at `a` against all panels; rows of C start at `c`. */
// @ts-ignore: decorator
@inline function block(
  p: Gemm,
  a: usize,
  tile: usize,
  rows: u32,
  c: usize,
  bWide: usize,
  sparse: bool,
  mask: v128,
): void {
  const params = changetype<usize>(p);
  const n = p.n;
  const yStride = <usize>p.yStride;
  const whole = rows & ~(MR - 1);
  const aEnd = a + <usize>(whole / MR) * tile;
  let w = <usize>p.w;
  let q = <usize>p.q;
  let index = <usize>p.index;
  let bytes = <usize>((p.k + KR - 1) / KR) * STEP;
  for (let column: u32 = 0; column < n; column += 8) {
    const offsets = index + 4;
    if (sparse) {
      const blocks = load<u32>(index);
      bytes = <usize>blocks * STEP;
      index = offsets + (((blocks << 1) + 3) & ~3);
    }
    if (!ASC_FEATURE_RELAXED_SIMD) widenPanel(bWide, w, bytes);
    const b = ASC_FEATURE_RELAXED_SIMD ? w : bWide;
    const bEnd = b + (ASC_FEATURE_RELAXED_SIMD ? bytes : bytes << 1);
    const form = load<u32>(q, FORM);
    const width = min(n - column, 8);
    let row: u32 = 0;
    if (width == 8 && form != EXACT) {
      if (form == POSITIVE) tiles<Positive>(params, sparse, a, aEnd, tile, b, bEnd, offsets, q, c, yStride, mask);
      else if (form == SIGNED) tiles<Signed>(params, sparse, a, aEnd, tile, b, bEnd, offsets, q, c, yStride, mask);
      else tiles<Fixed>(params, sparse, a, aEnd, tile, b, bEnd, offsets, q, c, yStride, mask);
      row = whole;
    }
    for (; row < rows; row++) {
      const aRow = a + <usize>(row / MR) * tile + ((row & (MR - 1)) << 2);
      const cRow = c + <usize>row * yStride;
      rowTile(params, sparse, aRow, b, bEnd, offsets, q, cRow, width, mask);
    }
    c += 8;
    w += bytes;
    q += RECORD;
  }
}
