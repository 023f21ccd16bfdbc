/**
 * Products of float32, and of float32 with int8 weights (hybrid): convolutions of two and three dimensions, rows of
 * matrices, batches of them. Rows of A and patches of images are read where they stand, through tables of addresses, four rows a
 * tile, and panels of eight columns of B, [k][8], pass over a block of tiles. Every output is one sum in the order of k, so that
 * all modules and any number of parts give the same bytes.
 *
 * Hybrid: an element is two k's, as int16 in A and int8 in B, of which each panel is widened for its block of tiles; sums are
 * int32. Where `wStep` says so B is int16, which holds uint8 less any zero point. See `hybrid-f32.ts` for what makes A.
 *
 * Scratch: the block's tiles | places, zeros of a kernel's line | a panel of B, unpacked or widened | rows
 * gathered, or quantized.
 * @full
 */
import { share } from "../common/split";
import { ConvF32, GemmF32, WHOLE } from "./f32-params";
import { Float, Hybrid } from "./finish-f32";
import { gemvF32 } from "./gemv-f32";
import { measure, quantizeDynamic, quantizeImage, quantizeRow } from "./hybrid-f32";
import { tilesOfFours } from "./hybrid-fours";
import { LEAST_PAIRS, packDynamic, packFours, panelOfFours, rowsOfFours } from "./hybrid-fours-pack";
import { packPatches, paysFours } from "./hybrid-fours-patches";
import { gatherRow, packPanel, widenPairs } from "./pack-f32";
import { convTiles, PLACES } from "./patches-f32";
import { panelBytes, STEP, TILE, Tile, tiles } from "./tile-f32";

/** @train */
export function gemmF32(p: GemmF32, part: u32, parts: u32): void {
  const batches = p.batches;
  const whole = batches >= parts;
  const end = whole ? share(batches, part + 1, parts) : batches;
  const row = !isHybrid(p) && p.m == 1 && !p.wColumn && p.xStep == 4;
  const panels = (p.n + 7) >>> 3;
  for (let b: u32 = whole ? share(batches, part, parts) : 0; b < end; b++) {
    const o = <usize>p.offsetsTable + <usize>b * 12;
    const x = load<u32>(o);
    const w = load<u32>(o, 4);
    const y = load<u32>(o, 8);
    const from = whole ? 0 : part;
    const among = whole ? 1 : parts;
    if (row) gemvF32<Float>(p, <usize>p.x + x, 1, <usize>p.w + w, <usize>p.y + y, share(panels, from, among), share(panels, from + 1, among));
    else product(p, from, among, x, w, y, false);
  }
}

/** @train */
export function convF32(p: ConvF32, part: u32, parts: u32): void {
  product(p, part, parts, 0, 0, 0, true);
}

export function gemmHybrid(p: GemmF32, part: u32, parts: u32): void {
  gemmF32(p, part, parts);
}

export function convHybrid(p: ConvF32, part: u32, parts: u32): void {
  product(p, part, parts, 0, 0, 0, true);
}

/** One loop serves both; the edition that trains has no hybrid ones. */
// @ts-ignore: decorator
@inline function isHybrid(p: GemmF32): bool {
  return FULL && p.scaleTable != 0;
}

/** Parts share the rows, or the panels where there are few rows. */
function product(p: GemmF32, part: u32, parts: u32, x: u32, w: u32, y: u32, patches: bool): void {
  const hybrid = isHybrid(p);
  const byRows = p.m >= parts << 2;
  const fours = (p.m + 3) >>> 2;
  const panels = (p.n + 7) >>> 3;
  const first: u32 = byRows ? share(fours, part, parts) << 2 : 0;
  const end = byRows ? min(share(fours, part + 1, parts) << 2, p.m) : p.m;
  const panel: u32 = byRows ? 0 : share(panels, part, parts);
  const lastPanel = byRows ? panels : share(panels, part + 1, parts);
  if (first >= end || panel >= lastPanel) return;
  const k = p.k;
  const c = changetype<ConvF32>(p);
  const size = TILE + (patches ? <usize>(c.kD * c.kH * c.kW) << 4 : 16);
  const table = <usize>p.scratch + <usize>part * p.scratchStride;
  const places = table + <usize>(p.mBlock >>> 2) * size;
  const zeros = places + (patches ? PLACES : 0);
  const unpacked = zeros + (patches ? <usize>(c.kW * c.inC) << 2 : 0);
  const rowsOfOwn = unpacked + (hybrid || p.wColumn ? <usize>k << 5 : 0);
  if (hybrid && !patches && p.asymmetric == WHOLE) measure(<usize>p.x + x, p.m * (p.xStride >>> 2));
  const made = patches && !hybrid ? <usize>c.tilesTable : 0;
  if (patches && !made) for (let z = zeros; z < unpacked; z += 4) store<u32>(z, 0);
  if (hybrid && !patches && p.m == 1 && !p.wStep) {
    const scale = quantizeOne(p, rowsOfOwn, <usize>p.x + x);
    return gemvF32<Hybrid>(p, rowsOfOwn, scale, <usize>p.w + w, <usize>p.y + y, panel, lastPanel);
  }
  if (ASC_FEATURE_RELAXED_SIMD && hybrid && !patches && k >= LEAST_PAIRS)
    return productOfFours(p, first, end, panel, lastPanel, unpacked, rowsOfOwn, <usize>p.x + x, <usize>p.w + w, <usize>p.y + y);
  const byFours = ASC_FEATURE_RELAXED_SIMD && hybrid && patches && paysFours(c);
  let image: u32 = -1;
  for (let row = first; row < end; ) {
    let rows = min(p.mBlock, end - row);
    if (patches && hybrid) {
      const pixels = c.outD * c.outH * c.outW;
      const batch = row / pixels;
      rows = min(rows, (batch + 1) * pixels - row);
      if (image != batch) quantizeImage(c, batch, rowsOfOwn);
      image = batch;
      const pixel = c.inC << 2;
      const images = rowsOfOwn + 16 - <usize>(batch * c.inD * c.inH * c.inW * pixel);
      convTiles(c, row, rows, places, zeros, table, size, images, pixel, load<f32>(rowsOfOwn));
      if (byFours) {
        const fours = rowsOfOwn + 16 + <usize>(c.inD * c.inH * c.inW * pixel);
        packPatches(c, fours, table, size, rows, unpacked);
        panelsOfFours(p, false, fours, rows, panel, lastPanel, unpacked, <usize>p.w, changetype<Tile>(table).y0);
        row += rows;
        continue;
      }
    } else if (patches && !made) convTiles(c, row, rows, places, zeros, table, size, p.x, p.xStride, 1);
    else if (!patches) rowTiles(p, row, rows, table, rowsOfOwn, <usize>p.x + x, y);
    const start = made ? made + <usize>(row >>> 2) * size : table;
    const tileEnd = start + <usize>((rows + 3) >>> 2) * size;
    for (let n = panel; n < lastPanel; n++) {
      const column = n << 3;
      const width = min(p.n - column, 8);
      let b = <usize>p.w + w;
      if (p.wColumn) {
        packPanel(unpacked, b + <usize>column * p.wColumn, k, p.wStep, p.wColumn, width);
        b = unpacked;
      } else if (hybrid && !p.wStep) {
        widenPairs(unpacked, b + <usize>n * panelBytes<Hybrid>(k), k);
        b = unpacked;
      } else b += <usize>n * k * STEP;
      if (hybrid) tiles<Hybrid>(p, start, tileEnd, size, b, column, width);
      else tiles<Float>(p, start, tileEnd, size, b, column, width);
    }
    row += rows;
  }
}

/** Hybrid, relaxed: rows `first` to `end` by panels `panel` to `last` in the rooms of an unpacked panel and of quantized rows. */
function productOfFours(
  p: GemmF32,
  first: u32,
  end: u32,
  panel: u32,
  last: u32,
  unpacked: usize,
  own: usize,
  x: usize,
  w: usize,
  y: usize,
): void {
  const k = p.k;
  const block = rowsOfFours(p.mBlock, k);
  for (let row = first; row < end; row += block) {
    const rows = min(block, end - row);
    for (let i: u32 = 0; i < rows; i++) {
      const from = x + <usize>(row + i) * p.xStride;
      if (p.asymmetric == WHOLE) packDynamic(own, i, from, p.xStride >>> 2, k, unpacked);
      else packFours(own, i, unpacked, k, quantizeOne(p, unpacked, from));
    }
    panelsOfFours(p, p.asymmetric == WHOLE, own, rows, panel, last, unpacked, w, y + <usize>row * p.yStride);
  }
}

/** The tiles of `rows` rows at `own` by panels `panel` to `last`. */
function panelsOfFours(p: GemmF32, whole: bool, own: usize, rows: u32, panel: u32, last: u32, unpacked: usize, w: usize, y: usize): void {
  const k = p.k;
  const wide = p.wStep != 0;
  for (let n = panel; n < last; n++) {
    const column = n << 3;
    const b = w + (wide ? <usize>n * k * STEP : <usize>n * panelBytes<Hybrid>(k));
    const moved = panelOfFours(unpacked, b, k, wide);
    tilesOfFours(p, whole, own, rows, unpacked, moved, y, column, min(p.n - column, 8));
  }
}

/** One row, by itself or as a part of all that was measured; returns its scale. */
// @ts-ignore: decorator
@inline function quantizeOne(p: GemmF32, target: usize, x: usize): f32 {
  const count = p.xStride >>> 2;
  if (p.asymmetric == WHOLE) return quantizeDynamic(target, x, count);
  return quantizeRow(target, x, count, <bool>(p.asymmetric & 1));
}

/** Tiles of rows where they stand, or of copies from `own` on; the last one repeated until there are whole tiles. */
function rowTiles(p: GemmF32, first: u32, rows: u32, table: usize, own: usize, x: usize, y: u32): void {
  const k = p.k;
  const hybrid = isHybrid(p);
  const end = (rows + 3) & ~3;
  let t = table;
  let at: usize = 0;
  let scale: f32 = 1;
  for (let i: u32 = 0; i < end; i++) {
    const row = first + min(i, rows - 1);
    const place = t + (<usize>(i & 3) << 2);
    const from = x + <usize>row * p.xStride;
    if (i < rows) {
      at = from;
      if (hybrid) scale = quantizeOne(p, own, from);
      else if (p.xStep != 4) gatherRow(own, from, k, p.xStep);
      if (hybrid || p.xStep != 4) {
        at = own;
        own += <usize>k << 2;
      }
    }
    store<u32>(place, p.y + y + row * p.yStride, 8);
    store<f32>(place, scale, 24);
    store<u32>(place, <u32>at, TILE);
    if ((i & 3) < 3) continue;
    changetype<Tile>(t).runs = 1;
    changetype<Tile>(t).length = k;
    t += TILE + 16;
  }
}
