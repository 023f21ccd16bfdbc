/**
 * int8 GEMM with requantization, SIMD128 and relaxed, dense and sparse: rows of A are packed in blocks, and each panel of
 * eight columns of B passes over a block while both are in the nearest caches. The register tiles are in `tile.ts`.
 *
 * SIMD128 keeps B as int8 [n/8][k/2][8][2] and widens a panel once per block; the relaxed dot product takes
 * [n/8][k/4][8][4] as it is, and rows of A where they stand if k is a whole number of fours.
 *
 * Sparse B: a panel has only its blocks (one step of k × 8 columns) that are not zero. At `index`, for each panel: the
 * number of blocks as u32, then each block's byte offset in a packed row as u16, padded to four bytes.
 */
import { Conv2d, Gemm } from "../params";
import { activationMask } from "../relaxed/probe";
import { packPatches } from "./im2col";
import { EXACT, FIXED, FORM, POSITIVE, RECORD, SIGNED } from "./requantize";
import { MR, rowTile, wholeTiles } from "./tile";
import { LANE, pack } from "./widen";

/** k's in one step of a panel, and the bytes of that step as stored. */
export const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
export const STEP: usize = 8 * KR;

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

/** Rows in blocks, packed where they must be. Parts share the rows. */
// @ts-ignore: decorator
@inline function product(params: usize, part: u32, parts: u32, patches: bool, sparse: bool): void {
  const p = changetype<Gemm>(params);
  const k = p.k;
  const inPlace = ASC_FEATURE_RELAXED_SIMD && !patches && (k & 3) == 0;
  const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
  const packed = rowBytes(k);
  const stride = inPlace ? <usize>p.xStride : packed;
  const bWide = scratch + <usize>p.mBlock * packed;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; ) {
    const rows = min(p.mBlock, end - row);
    let a = scratch;
    if (patches) packPatches(changetype<Conv2d>(params), row, rows, a, stride);
    else if (inPlace) a = <usize>p.x + <usize>row * p.xStride;
    else packRows(p, row, rows, a, stride);
    block(p, a, stride, rows, <usize>p.y + <usize>row * p.yStride, bWide, sparse, mask);
    row += rows;
  }
}

/** Bytes of a packed row. */
// @ts-ignore: decorator
@inline function rowBytes(k: u32): usize {
  return ASC_FEATURE_RELAXED_SIMD ? (k + 15) & ~15 : <usize>(((k + 7) & ~7) << 1);
}

/** First row of a part, in whole tiles. */
// @ts-ignore: decorator
@inline function share(m: u32, part: u32, parts: u32): u32 {
  if (part == parts) return m;
  const start = <u32>((<u64>m * part) / parts);
  return start - (start % MR);
}

function packRows(p: Gemm, row: u32, rows: u32, target: usize, stride: usize): void {
  const k = p.k;
  let source = <usize>p.x + <usize>row * p.xStride;
  if (stride == <usize>k * LANE && p.xStride == k) return pack(target, source, rows * k);
  for (; rows; rows--) {
    pack(target, source, k);
    source += p.xStride;
    target += stride;
  }
}

/** Widens `bytes` of a panel. */
// @ts-ignore: decorator
@inline export function widenPanel(target: usize, source: usize, bytes: usize): void {
  for (const end = source + bytes; source < end; source += 16) {
    v128.store(target, v128.load8x8_s(source));
    v128.store(target, v128.load8x8_s(source, 8), 16);
    target += 32;
  }
}

/** One block of up to mBlock rows at `a` against all panels; rows of C start at `c`. */
// @ts-ignore: decorator
@inline function block(
  p: Gemm,
  a: usize,
  aStride: usize,
  rows: u32,
  c: usize,
  bWide: usize,
  sparse: bool,
  mask: v128,
): void {
  const params = changetype<usize>(p);
  const n = p.n;
  const yStride = <usize>p.yStride;
  const whole = rows - (rows % MR);
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
      if (form == POSITIVE) wholeTiles(params, POSITIVE, sparse, false, a, aStride, whole, b, bEnd, offsets, 0, 0, q, c, yStride, mask);
      else if (form == SIGNED) wholeTiles(params, SIGNED, sparse, false, a, aStride, whole, b, bEnd, offsets, 0, 0, q, c, yStride, mask);
      else wholeTiles(params, FIXED, sparse, false, a, aStride, whole, b, bEnd, offsets, 0, 0, q, c, yStride, mask);
      row = whole;
    }
    for (; row < rows; row++) {
      const aRow = a + <usize>row * aStride;
      const cRow = c + <usize>row * yStride;
      rowTile(p, sparse, aRow, b, bEnd, offsets, q, cRow, width, mask);
    }
    c += 8;
    w += bytes;
    q += RECORD;
  }
}
