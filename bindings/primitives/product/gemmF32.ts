/** Float32 and hybrid products, see `assembly/product/gemm-f32.ts`: packed panels, blocks of rows, parameter values. */
import type { ParamBlocks } from "../params.ts";
import type { Packer, Packing } from "../requantize/types.ts";
import { bytesOf, roundUp } from "./panels.ts";

/** Columns of a panel, rows of a tile, bytes that the kernel keeps of a tile and of each run of its rows, and of places. */
const NR = 8;
const MR = 4;
const TILE_BYTES = 40;
const RUN_BYTES = 16;
const PLACES_BYTES = 64;
/** Bytes of rows that stay in the nearer caches while all panels pass over them, and the least of rows. */
const BLOCK_BYTES = 64 * 1024;
const LEAST_ROWS = 16;

type GemmF32 = ParamBlocks["GemmF32"];
type ConvF32 = ParamBlocks["ConvF32"];

/** C[m,n] = clamp(A[m,k] · B[k,n] + bias): what callers say of it; strides in bytes. */
export interface ProductF32 {
  readonly x: number;
  readonly y: number;
  /** Panels of `packPanelsF32` or `packPanelsHybrid`, or B as it stands where `wColumn` is given. */
  readonly w: number;
  /** n floats; none where absent. */
  readonly bias?: number;
  readonly m: number;
  readonly n: number;
  /** Floats of a row. */
  readonly k: number;
  /** Between rows of A: k floats where absent; between its elements: a float. */
  readonly xStride?: number;
  readonly xStep?: number;
  /** Between rows of C: n floats where absent. */
  readonly yStride?: number;
  /** B in memory, float32: bytes between its k's and between its columns. Hybrid: a `wStep` of 1 says that panels are int16. */
  readonly wStep?: number;
  readonly wColumn?: number;
  /** Several products: how many, and the address of their offsets of A, B and C in bytes, u32 each; see `offsetsF32`. */
  readonly batches?: number;
  readonly offsetsTable?: number;
  /** The clamp; none where absent. */
  readonly lo?: number;
  readonly hi?: number;
  /** Hybrid: n float scales of the int8 columns of B, and whether A is quantized with a zero point; `onnx`: as a whole. */
  readonly scaleTable?: number;
  readonly asymmetric?: boolean | "onnx";
  /** Whether both scales are multiplied before the sum is; of `onnx` they always are. */
  readonly scalesFirst?: boolean;
  /** Of a convolution: the address of `tilesF32`; none where absent. */
  readonly tilesTable?: number;
}

/** The patches of a convolution: sizes in elements, strides of C in bytes. */
export interface PatchesF32 {
  readonly input: Size3;
  readonly channels: number;
  readonly output: Size3;
  readonly kernel: Size3;
  readonly stride: Size3;
  readonly dilation: Size3;
  /** Padding before the first input. */
  readonly before: Size3;
  readonly yBatch: number;
  readonly yPlane: number;
  readonly yLine: number;
  /** Where the images begin, of which x is a group of channels. */
  readonly images: number;
}
/** Depth, height, width. */
export type Size3 = readonly [number, number, number];

/** What `packPanelsF32` gives of the B that `take` gives when it is written. */
export function panelsF32(take: () => Float32Array, n: number, k: number): Packing {
  const write = (target: Uint8Array) => {
    const b = take();
    const packed = new Float32Array(target.buffer, target.byteOffset, target.length / 4);
    if (n % NR > 0) packed.fill(0);
    for (let column = 0; column < n; column++) {
      let to = (column - (column % NR)) * k + (column % NR);
      for (let from = column * k; from < (column + 1) * k; from++, to += NR) packed[to] = b[from] as number;
    }
  };
  return { length: roundUp(n, NR) * k * 4, write };
}

/** Packs B, float32 `[n][k]`, into panels `[n/8][k][8]`, zero beyond n. */
export const packPanelsF32 = (b: Float32Array, n: number, k: number): Uint8Array => bytesOf(panelsF32(() => b, n, k));

/**
 * B, int8 `[n][taps][channels]` or int16 where it is wide, which `take` gives when it is written, as panels of pairs of channels,
 * `[n/8][taps·channels/2][8][2]`.
 */
export function panelsHybrid(
  take: () => Int8Array | Int16Array,
  size: 1 | 2,
  n: number,
  taps: number,
  channels: number,
  { packPanels }: Pick<Packer, "packPanels">,
): Packing {
  const even = roundUp(channels, 2);
  const write = (target: Uint8Array) => {
    let b = take();
    if (even !== channels) {
      const padded = new (b instanceof Int16Array ? Int16Array : Int8Array)(n * taps * even);
      for (let tap = 0; tap < n * taps; tap++) padded.set(b.subarray(tap * channels, (tap + 1) * channels), tap * even);
      b = padded;
    }
    const bytes = new Int8Array(b.buffer, b.byteOffset, b.byteLength);
    packPanels(b instanceof Int16Array ? 4 : 2, bytes, n, taps * even * b.BYTES_PER_ELEMENT, target);
  };
  return { length: roundUp(n, NR) * taps * even * size, write };
}

/** The bytes of `panelsHybrid`. */
export const packPanelsHybrid = (
  b: Int8Array | Int16Array,
  n: number,
  taps: number,
  channels: number,
  packer: Pick<Packer, "packPanels">,
): Uint8Array => bytesOf(panelsHybrid(() => b, b instanceof Int16Array ? 2 : 1, n, taps, channels, packer));

/** The table of `batches` products at these byte offsets of A, B and C. */
export function offsetsF32(offsets: readonly (readonly [number, number, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(offsets.length * 12));
  for (const [i, each] of offsets.entries())
    for (let j = 0; j < 3; j++) view.setUint32(i * 12 + j * 4, each[j] as number, true);
  return new Uint8Array(view.buffer);
}

/** Values of the block of `gemmF32` and `gemmHybrid`, and the scratch bytes per thread. */
export function gemmF32Params(product: ProductF32): { readonly params: GemmF32; readonly scratchBytes: number } {
  const hybrid = product.scaleTable !== undefined;
  const { m, n } = product;
  const k = hybrid ? Math.ceil(product.k / 2) : product.k;
  const mBlock = rowsOf(m, k);
  const params = {
    x: product.x,
    y: product.y,
    w: product.w,
    bias: product.bias ?? 0,
    scratch: 0,
    scratchStride: 0,
    m,
    n,
    k,
    xStride: product.xStride ?? product.k * 4,
    xStep: product.xStep ?? 4,
    yStride: product.yStride ?? n * 4,
    wStep: product.wStep ?? 0,
    wColumn: product.wColumn ?? 0,
    batches: product.batches ?? 1,
    offsetsTable: product.offsetsTable ?? 0,
    mBlock,
    lo: product.lo ?? -Infinity,
    hi: product.hi ?? Infinity,
    scaleTable: product.scaleTable ?? 0,
    asymmetric: product.asymmetric === "onnx" ? 2 : (product.asymmetric ? 1 : 0) + (product.scalesFirst ? 4 : 0),
  };
  const own = hybrid || params.xStep !== 4 ? mBlock * k * 4 : 0;
  const tiles = (mBlock / MR) * (TILE_BYTES + RUN_BYTES);
  return { params, scratchBytes: tiles + panelBytes(product, k) + own };
}

/** Values of the block of `convF32` and `convHybrid`, and the scratch bytes per thread. */
export function convF32Params(
  product: ProductF32,
  patches: PatchesF32,
): { readonly params: ConvF32; readonly scratchBytes: number } {
  const hybrid = product.scaleTable !== undefined;
  const { channels } = patches;
  const inC = hybrid ? Math.ceil(channels / 2) : channels;
  const [kD, kH, kW] = patches.kernel;
  const [inD, inH, inW] = patches.input;
  const [outD, outH, outW] = patches.output;
  const [strideD, strideH, strideW] = patches.stride;
  const [dilationD, dilationH, dilationW] = patches.dilation;
  const [padFront, padTop, padLeft] = patches.before;
  const k = kD * kH * kW * inC;
  const mBlock = rowsOf(product.m, k);
  const { params } = gemmF32Params(product);
  // the image, and patches by fours
  const own = hybrid ? 16 + inD * inH * inW * inC * 4 + foursBytes(mBlock, k) : 0;
  const tiles = (mBlock / MR) * (TILE_BYTES + kD * kH * kW * RUN_BYTES);
  return {
    params: {
      ...params,
      k,
      mBlock,
      inD,
      inH,
      inW,
      inC,
      outD,
      outH,
      outW,
      kD,
      kH,
      kW,
      strideD,
      strideH,
      strideW,
      dilationD,
      dilationH,
      dilationW,
      padFront,
      padTop,
      padLeft,
      channels,
      yBatch: patches.yBatch,
      yPlane: patches.yPlane,
      yLine: patches.yLine,
      images: patches.images,
      tilesTable: product.tilesTable ?? 0,
    },
    scratchBytes: tiles + PLACES_BYTES + kW * inC * 4 + panelBytes(product, k) + own,
  };
}

/** Rows of a block: as many as the caches keep, not many more than there are. */
function rowsOf(m: number, k: number): number {
  const fit = Math.floor(BLOCK_BYTES / (4 * Math.max(k, 1)) / MR) * MR;
  return Math.min(Math.max(fit, LEAST_ROWS), roundUp(m, MR));
}

/** Tiles of six rows, of pairs by bytes: `assembly/product/hybrid-fours-pack.ts`. */
function foursBytes(m: number, k: number): number {
  return Math.ceil(m / 6) * (80 + Math.ceil(k / 2) * 24);
}

/** A panel that is unpacked, or of int8 widened. */
function panelBytes({ wColumn, scaleTable }: ProductF32, k: number): number {
  return wColumn === undefined && scaleTable === undefined ? 0 : k * NR * 4;
}
