/**
 * Products of float32, and of float32 with int8 weights (hybrid): convolutions of two and three dimensions, rows of
 * matrices, batches of them. Rows of A are interleaved in fours, [k][4], and panels of eight columns of B, [k][8], pass over a
 * block of them. Every output is one sum in the order of k, so that all modules and any number of parts give the same bytes.
 *
 * Hybrid: an element is two k's, as int16 in A and int8 in B; sums are int32. See `hybrid-f32.ts` for what makes A.
 *
 * Scratch: a table of the block's rows | zeros | an unpacked panel of B | the interleaved rows | what hybrid quantizes.
 * @full
 */
import { share } from "../common/split";
import { gemvF32 } from "./gemv-f32";
import { leastOf, mostOf, quantizeDynamic, quantizeImage, quantizeRow } from "./hybrid-f32";
import { interleaveFour, interleaveSpread, packPanel } from "./pack-f32";
import { packTile, ROW, Row } from "./patches-f32";
import { Float, Hybrid, panelBytes, tile } from "./tile-f32";

/** Hybrid: A is quantized as a whole. */
export const WHOLE: u32 = 2;

/** C[m,n] = clamp(A[m,k] · B[k,n] + bias), in floats. Strides and steps in bytes. */
@unmanaged
export class GemmF32 {
  x: u32;
  y: u32;
  w: u32;
  /** n floats; 0: none. */
  bias: u32;
  scratch: u32;
  scratchStride: u32;
  m: u32;
  n: u32;
  /** Elements of a row: floats, or pairs of int8 where hybrid. */
  k: u32;
  /** Between rows of A, its elements, and rows of C. */
  xStride: u32;
  xStep: u32;
  yStride: u32;
  /** B that is not packed: between its k's and its columns. 0: panels. */
  wStep: u32;
  wColumn: u32;
  /** Matrices, and for each the u32 offsets in bytes of its A, B and C. */
  batches: u32;
  offsetsTable: u32;
  /** Rows interleaved at a time, a multiple of 4. */
  mBlock: u32;
  lo: f32;
  hi: f32;
  /** Hybrid: scale of each column; 1: A's zero point is free; 2: A is quantized as a whole by onnxruntime's rules. */
  scaleTable: u32;
  asymmetric: u32;
}

/** A convolution as the product of its patches, [kD][kH][kW][inC] each. y strides in bytes; `xStride` is a pixel's bytes. */
@unmanaged
export class ConvF32 extends GemmF32 {
  inD: u32;
  inH: u32;
  inW: u32;
  inC: u32;
  outD: u32;
  outH: u32;
  outW: u32;
  kD: u32;
  kH: u32;
  kW: u32;
  strideD: u32;
  strideH: u32;
  strideW: u32;
  dilationD: u32;
  dilationH: u32;
  dilationW: u32;
  padFront: i32;
  padTop: i32;
  padLeft: i32;
  /** Between images, planes and lines of C. */
  yBatch: u32;
  yPlane: u32;
  yLine: u32;
  /** Hybrid: where the images begin, of which x may be a group of channels. */
  images: u32;
  /** Hybrid: channels of the group; inC is pairs of them. */
  channels: u32;
}


/** @train */
export function gemmF32(p: GemmF32, part: u32, parts: u32): void {
  matrices<Float>(p, part, parts);
}

/** @train */
export function convF32(p: ConvF32, part: u32, parts: u32): void {
  product<Float>(p, part, parts, 0, 0, 0, true);
}

export function gemmHybrid(p: GemmF32, part: u32, parts: u32): void {
  matrices<Hybrid>(p, part, parts);
}

export function convHybrid(p: ConvF32, part: u32, parts: u32): void {
  product<Hybrid>(p, part, parts, 0, 0, 0, true);
}

// @ts-ignore: decorator
@inline function matrices<K>(p: GemmF32, part: u32, parts: u32): void {
  const batches = p.batches;
  const whole = batches >= parts;
  const end = whole ? share(batches, part + 1, parts) : batches;
  for (let b: u32 = whole ? share(batches, part, parts) : 0; b < end; b++) {
    const o = <usize>p.offsetsTable + <usize>b * 12;
    product<K>(p, whole ? 0 : part, whole ? 1 : parts, load<u32>(o), load<u32>(o, 4), load<u32>(o, 8), false);
  }
}

/** Parts share the rows, or the panels where there are few rows. */
function product<K>(p: GemmF32, part: u32, parts: u32, x: u32, w: u32, y: u32, patches: bool): void {
  const byRows = p.m >= parts << 2;
  const fours = (p.m + 3) >>> 2;
  const panels = (p.n + 7) >>> 3;
  const first: u32 = byRows ? share(fours, part, parts) << 2 : 0;
  const end = byRows ? min(share(fours, part + 1, parts) << 2, p.m) : p.m;
  const panel: u32 = byRows ? 0 : share(panels, part, parts);
  const lastPanel = byRows ? panels : share(panels, part + 1, parts);
  if (first >= end || panel >= lastPanel) return;
  const k = p.k;
  const table = <usize>p.scratch + <usize>part * p.scratchStride;
  const zeros = table + <usize>p.mBlock * ROW;
  const unpacked = zeros + (patches ? <usize>((changetype<ConvF32>(p).inC + 3) & ~3) << 2 : 0);
  const tiles = unpacked + (p.wColumn ? <usize>k << 5 : 0);
  const quantized = tiles + (<usize>p.mBlock * k << 2);
  let least: f32 = 0;
  let most: f32 = 0;
  if (idof<K>() == idof<Hybrid>() && !patches && p.asymmetric == WHOLE) {
    const count = p.m * (p.xStride >>> 2);
    least = leastOf(<usize>p.x + x, count);
    most = mostOf(<usize>p.x + x, count);
  }
  if (patches) for (let z = zeros; z < unpacked; z += 8) store<u64>(z, 0);
  if (p.m == 1 && !patches && !p.wColumn && p.xStep == 4) {
    let scale: f32 = 1;
    if (idof<K>() == idof<Hybrid>()) scale = quantizeOne(p, quantized, <usize>p.x + x, least, most);
    const a = idof<K>() == idof<Hybrid>() ? quantized : <usize>p.x + x;
    return gemvF32<K>(p, a, scale, <usize>p.w + w, <usize>p.y + y, panel, lastPanel);
  }
  let image: u32 = -1;
  for (let row = first; row < end; ) {
    let rows = min(p.mBlock, end - row);
    if (patches) {
      const c = changetype<ConvF32>(p);
      const size = c.outD * c.outH * c.outW;
      const batch = row / size;
      if (idof<K>() == idof<Hybrid>()) {
        rows = min(rows, (batch + 1) * size - row);
        if (image != batch) quantizeImage(c, batch, quantized);
        image = batch;
      }
      packPatches<K>(c, row, rows, table, zeros, tiles, quantized);
    } else packRows<K>(p, row, rows, table, tiles, quantized, <usize>p.x + x, y, least, most);
    const tileEnd = tiles + (<usize>((rows + 3) & ~3) * k << 2);
    for (let n = panel; n < lastPanel; n++) {
      const column = n << 3;
      const width = min(p.n - column, 8);
      let b = <usize>p.w + w;
      if (p.wColumn) {
        packPanel(unpacked, b + <usize>column * p.wColumn, k, p.wStep, p.wColumn, width);
        b = unpacked;
      } else b += <usize>n * panelBytes<K>(k);
      let r = table;
      for (let a = tiles; a < tileEnd; a += <usize>k << 4) {
        tile<K>(p, a, r, ROW, b, k, column, width);
        r += 4 * ROW;
      }
    }
    row += rows;
  }
}

/** One row, by itself or as a part of all from `least` to `most`; returns its scale. */
// @ts-ignore: decorator
@inline function quantizeOne(p: GemmF32, target: usize, x: usize, least: f32, most: f32): f32 {
  const count = p.xStride >>> 2;
  if (p.asymmetric == WHOLE) return quantizeDynamic(target, x, count, least, most);
  return quantizeRow(target, x, count, p.asymmetric != 0);
}

/** Rows where they stand, the last one repeated until there are whole tiles. */
function packRows<K>(
  p: GemmF32,
  first: u32,
  rows: u32,
  table: usize,
  target: usize,
  quantized: usize,
  x: usize,
  y: u32,
  least: f32,
  most: f32,
): void {
  const k = p.k;
  const padded = (rows + 3) & ~3;
  for (let i: u32 = 0; i < padded; i++) {
    const at = min(i, rows - 1);
    const row = changetype<Row>(table + <usize>i * ROW);
    row.y = p.y + y + (first + at) * p.yStride;
    row.image = <u32>(x + <usize>(first + at) * p.xStride);
    if (idof<K>() == idof<Hybrid>()) {
      row.scale = quantizeOne(p, quantized, <usize>row.image, least, most);
      row.image = <u32>quantized;
      quantized += <usize>k << 2;
    }
  }
  for (let i: u32 = 0; i < padded; i += 4) {
    const t = table + <usize>i * ROW;
    const s0 = <usize>changetype<Row>(t).image;
    const s1 = <usize>changetype<Row>(t + ROW).image;
    const s2 = <usize>changetype<Row>(t + 2 * ROW).image;
    const s3 = <usize>changetype<Row>(t + 3 * ROW).image;
    if (idof<K>() == idof<Hybrid>() || p.xStep == 4) interleaveFour(target, s0, s1, s2, s3, k);
    else interleaveSpread(target, s0, s1, s2, s3, k, p.xStep);
    target += <usize>k << 4;
  }
}

/** The patches of `rows` output pixels from pixel `first` on. */
function packPatches<K>(p: ConvF32, first: u32, rows: u32, table: usize, zeros: usize, target: usize, quantized: usize): void {
  const hybrid = idof<K>() == idof<Hybrid>();
  const padded = (rows + 3) & ~3;
  const pixel = hybrid ? p.inC << 2 : p.xStride;
  for (let i: u32 = 0; i < padded; i++) {
    const at = first + min(i, rows - 1);
    const row = changetype<Row>(table + <usize>i * ROW);
    const line = at / p.outW;
    const plane = line / p.outH;
    const batch = plane / p.outD;
    const ox = at - line * p.outW;
    const oy = line - plane * p.outH;
    const oz = plane - batch * p.outD;
    row.y = p.y + batch * p.yBatch + oz * p.yPlane + oy * p.yLine + ox * p.yStride;
    row.z = <i32>(oz * p.strideD) - p.padFront;
    row.top = <i32>(oy * p.strideH) - p.padTop;
    row.left = <i32>(ox * p.strideW) - p.padLeft;
    if (hybrid) {
      row.scale = load<f32>(quantized);
      row.image = <u32>quantized + 16;
    } else row.image = p.x + batch * p.inD * p.inH * p.inW * pixel;
  }
  for (let i: u32 = 0; i < padded; i += 4) {
    packTile(p, table + <usize>i * ROW, zeros, target, pixel);
    target += <usize>p.k << 4;
  }
}
