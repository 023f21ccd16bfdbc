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
import { quantizeImage, quantizeRow } from "./hybrid-f32";
import { interleaveFour, interleaveSpread, packPanel } from "./pack-f32";
import { Float, Hybrid, panelBytes, tile } from "./tile-f32";

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
  /** Hybrid: scale of each column; whether A's zero point is free. */
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

/** Of each row of a block: where its C is, its scale, and where its patch begins. */
@unmanaged
class Row {
  y: u32;
  scale: f32;
  image: u32;
  z: i32;
  top: i32;
  left: i32;
}
const ROW: usize = 24;

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
  if (patches) for (let z = zeros; z < unpacked; z += 8) store<u64>(z, 0);
  if (p.m == 1 && !patches && !p.wColumn && p.xStep == 4) {
    let scale: f32 = 1;
    if (idof<K>() == idof<Hybrid>()) scale = quantizeRow(quantized, <usize>p.x + x, p.xStride >>> 2, p.asymmetric != 0);
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
    } else packRows<K>(p, row, rows, table, tiles, quantized, <usize>p.x + x, y);
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

/** Rows where they stand, the last one repeated until there are whole tiles. */
function packRows<K>(p: GemmF32, first: u32, rows: u32, table: usize, target: usize, quantized: usize, x: usize, y: u32): void {
  const k = p.k;
  const padded = (rows + 3) & ~3;
  for (let i: u32 = 0; i < padded; i++) {
    const at = min(i, rows - 1);
    const row = changetype<Row>(table + <usize>i * ROW);
    row.y = p.y + y + (first + at) * p.yStride;
    row.image = <u32>(x + <usize>(first + at) * p.xStride);
    if (idof<K>() == idof<Hybrid>()) {
      row.scale = quantizeRow(quantized, <usize>row.image, p.xStride >>> 2, p.asymmetric != 0);
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

/** Where line (kz, ky) of a row's patch stands; 0 where it is outside. */
// @ts-ignore: decorator
@inline function lineOf(p: ConvF32, row: usize, kz: u32, ky: u32, pixel: u32): usize {
  const r = changetype<Row>(row);
  const z = r.z + <i32>(kz * p.dilationD);
  const y = r.top + <i32>(ky * p.dilationH);
  if (<u32>z >= p.inD || <u32>y >= p.inH) return 0;
  return <usize>r.image + <usize>((z * p.inH + y) * p.inW) * pixel;
}

// @ts-ignore: decorator
@inline function tapOf(line: usize, x: i32, inW: u32, pixel: u32, zeros: usize): usize {
  return line != 0 && <u32>x < inW ? line + <usize>x * pixel : zeros;
}

// @ts-ignore: decorator
@inline function within(row: usize, reach: i32, inW: i32): bool {
  const left = changetype<Row>(row).left;
  return left >= 0 && left + reach <= inW;
}

/** The patches of four rows, whole kernel rows at a time where all four lie on the input. */
function packTile(p: ConvF32, row: usize, zeros: usize, target: usize, pixel: u32): void {
  const inW = p.inW;
  const kW = p.kW;
  const inC = p.inC;
  const x0 = changetype<Row>(row).left;
  const x1 = changetype<Row>(row + ROW).left;
  const x2 = changetype<Row>(row + 2 * ROW).left;
  const x3 = changetype<Row>(row + 3 * ROW).left;
  let inside = (p.dilationW == 1 || kW == 1) && (pixel == inC << 2 || kW == 1);
  for (let i: usize = 0; i < 4; i++) inside = inside && within(row + i * ROW, kW, inW);
  for (let kz: u32 = 0; kz < p.kD; kz++) {
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const l0 = lineOf(p, row, kz, ky, pixel);
      const l1 = lineOf(p, row + ROW, kz, ky, pixel);
      const l2 = lineOf(p, row + 2 * ROW, kz, ky, pixel);
      const l3 = lineOf(p, row + 3 * ROW, kz, ky, pixel);
      if (inside && l0 && l1 && l2 && l3) {
        const length = kW * inC;
        // Neighbours of one channel: what four rows read is four floats in a row.
        if (ASC_FEATURE_SIMD && pixel == 4 && inC == 1 && p.strideW == 1 && l0 == l1 && l0 == l2 && l0 == l3 && x3 == x0 + 3) {
          let from = l0 + (<usize>x0 << 2);
          for (const end = from + (<usize>kW << 2); from < end; from += 4) {
            v128.store(target, v128.load(from));
            target += 16;
          }
          continue;
        }
        interleaveFour(target, l0 + <usize>x0 * pixel, l1 + <usize>x1 * pixel, l2 + <usize>x2 * pixel, l3 + <usize>x3 * pixel, length);
        target += <usize>length << 4;
        continue;
      }
      for (let kx: u32 = 0; kx < kW; kx++) {
        const d = <i32>(kx * p.dilationW);
        const s0 = tapOf(l0, x0 + d, inW, pixel, zeros);
        const s1 = tapOf(l1, x1 + d, inW, pixel, zeros);
        const s2 = tapOf(l2, x2 + d, inW, pixel, zeros);
        const s3 = tapOf(l3, x3 + d, inW, pixel, zeros);
        interleaveFour(target, s0, s1, s2, s3, inC);
        target += <usize>inC << 4;
      }
    }
  }
}
