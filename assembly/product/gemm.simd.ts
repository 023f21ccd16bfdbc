/**
 * int8 GEMM with requantization, SIMD128 and relaxed, dense and sparse: rows of A are interleaved in blocks, and each
 * panel of eight columns of B passes over a block while both are in the nearest caches. The register tiles are in
 * `tile.ts`. Where the last rows do not make a tile, those before them are computed again with them.
 *
 * SIMD128 keeps B as int8 [n/8][k/2][8][2] and widens a panel once per block, or as int16 where `index` is 1; the relaxed dot product takes
 * [n/8][k/4][8][4] as it is, its `index` being what each row's sums begin with per activation (`terms.simd.ts`). Scratch: terms | the tiles of a block | a widened panel |
 * eight columns of the block, for a panel that has fewer | gathered patches, or SPARE bytes.
 *
 * Sparse B: a panel has only its blocks (one step of k × 8 columns) that are not zero. At `index`, for each panel: the
 * number of blocks as u32, then each block's byte offset as u16, padded to four bytes: in a packed row, or in the relaxed module in a
 * tile, which has six rows where A has more than FEW, else four.
 */
import { Conv2d, Gemm } from "./params";
import { copyRuns } from "../common/bytes.simd";
import { activationMask } from "../common/probe";
import { packPatches } from "./im2col.simd";
import { chunkLimit, Four, interleaveTiles, LANE, LANES_BEYOND, rowBytes, Six } from "./interleave.simd";
import { EXACT, Fixed, FORM, POSITIVE, Positive, RECORD, SIGNED, Signed } from "../requantize/requantize.simd";
import { storeTerms, termsBytes } from "./terms.simd";
import { Dense, rowTile, Sparse, wholeTiles } from "./tile.simd";
import { widenPanel } from "./widen.simd";

/** k's in one step of a panel, and the bytes of that step as stored. */
export const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
export const STEP: usize = 8 * KR;
/** Bytes of patches that are gathered at a time, whole tiles of whichever size, and the most of them. */
const PATCH_BYTES: usize = 2048;
const MULTIPLE: usize = ASC_FEATURE_RELAXED_SIMD ? 12 : 4;
const MAX_PATCHES: usize = 24;
/** Rows up to which B's blocks take tiles of four in the relaxed module too. */
const FEW: u32 = 16;
/** Rows that the tile that ends with a block has in common with others. */
const ROWS_BEYOND: u32 = 5;

export function gemm(p: Gemm, part: u32, parts: u32): void {
  product<Dense>(p, part, parts, false);
}

/** The same on the patches of a convolution. */
export function conv2d(p: Conv2d, part: u32, parts: u32): void {
  product<Dense>(p, part, parts, true);
}

/** GEMM with sparse B. */
export function spmm(p: Gemm, part: u32, parts: u32): void {
  product<Sparse>(p, part, parts, false);
}

/** Convolution with sparse weights. */
export function sparseConv2d(p: Conv2d, part: u32, parts: u32): void {
  product<Sparse>(p, part, parts, true);
}

/** Rows in blocks. Parts share the rows, or the columns where one block has all rows. */
// @ts-ignore: decorator
@inline function product<L>(p: Gemm, part: u32, parts: u32, patches: bool): void {
  const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
  const terms = ASC_FEATURE_RELAXED_SIMD && idof<L>() == idof<Dense>() && p.index != 0 ? scratch : 0;
  const tiles = terms ? terms + termsBytes(p.mBlock) : scratch;
  const bWide = tiles + <usize>(p.mBlock + ROWS_BEYOND) * rowBytes(p.k) + LANES_BEYOND;
  const narrow = ASC_FEATURE_RELAXED_SIMD ? bWide : bWide + <usize>((p.k + 1) >>> 1) * (STEP << 1);
  const spare = narrow + (<usize>p.mBlock << 3);
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  let first: u32 = 0;
  let columns = p.n;
  if (idof<L>() == idof<Dense>() && p.m <= p.mBlock) {
    first = share(columns, part, parts, 7);
    columns = share(columns, part + 1, parts, 7);
    part = 0;
    parts = 1;
  }
  const end = share(p.m, part + 1, parts, 3);
  for (let row = share(p.m, part, parts, 3); row < end; ) {
    let rows = min(p.mBlock, end - row);
    const sixes = ASC_FEATURE_RELAXED_SIMD && idof<L>() == idof<Sparse>() && p.m > FEW;
    if (sixes) {
      if (rows < 6) {
        row = min(row, p.m - 6);
        rows = 6;
      }
    } else if (rows < 4 && row >= 4 - rows) {
      row -= 4 - rows;
      rows = 4;
    }
    const six = sixes ? rows - (rows % 6) : idof<L>() == idof<Sparse>() ? 0 : inSixes(rows);
    const four = sixes ? six : six + inFours(rows, six);
    const last = sixes ? (rows > six ? 6 : 0) : inLast(rows, rows - four);
    let t = tiles;
    if (ASC_FEATURE_RELAXED_SIMD) t = pack<Six>(p, patches, row, six, t, spare, mask);
    t = pack<Four>(p, patches, row + six, four - six, t, spare, mask);
    if (ASC_FEATURE_RELAXED_SIMD && last == 6) pack<Six>(p, patches, row + rows - 6, 6, t, spare, mask);
    else if (last) pack<Four>(p, patches, row + rows - 4, 4, t, spare, mask);
    else pack<Four>(p, patches, row + four, rows - four, t, spare, mask);
    if (terms) storeTerms(terms, tiles, rowBytes(p.k), six, four, four + (last ? last : rows - four), p.k, p.index);
    block<L>(p, first, columns, tiles, rows, six, four, last, <usize>p.y + <usize>row * p.yStride, bWide, narrow, mask, terms);
    row += rows;
  }
}

// A block is tiles of six rows, or of four where it is small, and one tile that ends with the block and computes rows before it
// again. Fewer than four rows go one by one.

/** Rows of a block in tiles of six. */
// @ts-ignore: decorator
@inline export function inSixes(rows: u32): u32 {
  return ASC_FEATURE_RELAXED_SIMD && rows > 8 ? rows - (rows % 6) : 0;
}

/** Of the others, those in tiles of four: none where one tile of six takes them all. */
// @ts-ignore: decorator
@inline export function inFours(rows: u32, six: u32): u32 {
  const rest = rows - six;
  return six && rest == 5 ? 0 : rest & ~3;
}

/** Rows of the tile that ends with the block, where `rest` are not in others. */
// @ts-ignore: decorator
@inline export function inLast(rows: u32, rest: u32): u32 {
  if (rest == 0 || rows < 4) return 0;
  return rest == 5 ? 6 : 4;
}

/** First row or column of a part, in whole tiles or panels. */
function share(count: u32, part: u32, parts: u32, rest: u32): u32 {
  if (part == parts) return count;
  return <u32>((<u64>count * part) / parts) & ~rest;
}

/** Tiles of `rows` rows; returns where they end. */
// @ts-ignore: decorator
@inline function pack<R>(p: Gemm, patches: bool, row: u32, rows: u32, target: usize, spare: usize, mask: v128): usize {
  if (patches) return packPatchTiles<R>(changetype<Conv2d>(p), row, rows, target, spare, mask);
  const stride = <usize>p.xStride;
  const last = <usize>p.x + <usize>(p.m - 1) * stride;
  return interleaveTiles<R>(target, rowBytes(p.k), <usize>p.x + <usize>row * stride, stride, rows, last, chunkLimit(last, p.k), p.k, mask, spare);
}

/** Patches are gathered row by row, some tiles at a time. */
function packPatchTiles<R>(p: Conv2d, row: u32, rows: u32, target: usize, spare: usize, mask: v128): usize {
  const k = p.k;
  const stride = <usize>((k + 15) & ~15);
  const atATime = <u32>min(max(PATCH_BYTES / stride / MULTIPLE, 1) * MULTIPLE, MAX_PATCHES);
  while (rows) {
    const count = min(rows, atATime);
    packPatches(p, row, count, spare, stride);
    const gathered = spare + <usize>count * stride;
    const last = gathered - stride;
    target = interleaveTiles<R>(target, rowBytes(k), spare, stride, count, last, last, k, mask, gathered);
    row += count;
    rows -= count;
  }
  return target;
}

/** All tiles of one panel; `row` is the bytes of a row. */
// @ts-ignore: decorator
@inline function panelTiles<F, L>(
  params: usize,
  a: usize,
  row: usize,
  rows: u32,
  six: u32,
  four: u32,
  last: u32,
  b: usize,
  bEnd: usize,
  offsets: usize,
  q: usize,
  c: usize,
  yStride: usize,
  mask: v128,
  terms: usize,
): void {
  const termsFour = terms ? terms + (<usize>six << 2) : 0;
  const termsLast = terms ? terms + (<usize>four << 2) : 0;
  const aFour = a + <usize>six * row;
  const aLast = a + <usize>four * row;
  const aEnd = aLast + <usize>last * row;
  const cFour = c + <usize>six * yStride;
  const cLast = c + <usize>(rows - last) * yStride;
  if (ASC_FEATURE_RELAXED_SIMD && six) {
    wholeTiles<F, L, Six>(params, a, aFour, 6 * row, b, bEnd, offsets, 0, 0, q, c, yStride, mask, terms);
    if (last == 6) wholeTiles<F, L, Six>(params, aLast, aEnd, 6 * row, b, bEnd, offsets, 0, 0, q, cLast, yStride, mask, termsLast);
  }
  wholeTiles<F, L, Four>(params, aFour, aLast, 4 * row, b, bEnd, offsets, 0, 0, q, cFour, yStride, mask, termsFour);
  if (last == 4) wholeTiles<F, L, Four>(params, aLast, aEnd, 4 * row, b, bEnd, offsets, 0, 0, q, cLast, yStride, mask, termsLast);
}

/** One block of tiles at `a` against the panels of columns `first` to `n`, of all where B is sparse; rows of C start at `c`. */
// @ts-ignore: decorator
@inline function block<L>(
  p: Gemm,
  first: u32,
  n: u32,
  a: usize,
  rows: u32,
  six: u32,
  four: u32,
  last: u32,
  c: usize,
  bWide: usize,
  eights: usize,
  mask: v128,
  terms: usize,
): void {
  const sparse = idof<L>() == idof<Sparse>();
  const params = changetype<usize>(p);
  const yStride = <usize>p.yStride;
  const row = rowBytes(p.k);
  let index = <usize>p.index;
  let bytes = <usize>((p.k + KR - 1) / KR) * STEP;
  // Panels that are as the tiles take them.
  const wide = ASC_FEATURE_RELAXED_SIMD || (!sparse && index != 0);
  let w = <usize>p.w + ((<usize>(first >>> 3) * bytes) << (wide && !ASC_FEATURE_RELAXED_SIMD));
  let q = <usize>p.q + <usize>(first >>> 3) * RECORD;
  c += first;
  for (let column = first; column < n; column += 8) {
    const offsets = index + 4;
    if (sparse) {
      const blocks = load<u32>(index);
      bytes = <usize>blocks * STEP;
      index = offsets + (((blocks << 1) + 3) & ~3);
    }
    if (!wide) widenPanel(bWide, w, bytes);
    const b = wide ? w : bWide;
    const bEnd = b + (ASC_FEATURE_RELAXED_SIMD ? bytes : bytes << 1);
    const form = load<u32>(q, FORM);
    const width = min(n - column, 8);
    if (form != EXACT && rows >= 4) {
      const y = width == 8 ? c : eights;
      const step = width == 8 ? yStride : 8;
      if (form == POSITIVE) panelTiles<Positive, L>(params, a, row, rows, six, four, last, b, bEnd, offsets, q, y, step, mask, terms);
      else if (form == SIGNED) panelTiles<Signed, L>(params, a, row, rows, six, four, last, b, bEnd, offsets, q, y, step, mask, terms);
      else panelTiles<Fixed, L>(params, a, row, rows, six, four, last, b, bEnd, offsets, q, y, step, mask, terms);
      if (width < 8) copyRuns(c, yStride, eights, 8, rows, width);
    } else {
      rowByRow(params, sparse, 6, a, row, 0, six, b, bEnd, offsets, q, c, yStride, width, mask, terms);
      rowByRow(params, sparse, 4, a, row, six, four, b, bEnd, offsets, q, c, yStride, width, mask, terms);
      const size = last ? last : 4;
      const first = last ? rows - last : four;
      const aLast = a + <usize>four * row - <usize>first * row;
      const termsLast = terms ? terms + (<usize>four << 2) - (<usize>first << 2) : 0;
      rowByRow(params, sparse, size, aLast, row, first, rows, b, bEnd, offsets, q, c, yStride, width, mask, termsLast);
    }
    c += 8;
    w += wide ? bEnd - b : bytes;
    q += RECORD;
  }
}

/** Rows `first` to `end` of a block, in tiles of `size`; row 0 would begin at `a`. */
function rowByRow(
  params: usize,
  sparse: bool,
  size: u32,
  a: usize,
  row: usize,
  first: u32,
  end: u32,
  b: usize,
  bEnd: usize,
  offsets: usize,
  q: usize,
  c: usize,
  yStride: usize,
  width: u32,
  mask: v128,
  terms: usize,
): void {
  for (let i = first; i < end; i++) {
    const inTile = (i - first) % size;
    const aRow = a + <usize>(i - inTile) * row + <usize>inTile * LANE;
    rowTile(params, sparse, size, aRow, b, bEnd, offsets, q, c + <usize>i * yStride, width, mask, terms ? terms + (<usize>i << 2) : 0);
  }
}
