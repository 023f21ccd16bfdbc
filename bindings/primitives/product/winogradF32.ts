/** Winograd's F(2×2, 3×3) of float32, see `assembly/product/winograd-f32.ts`: when it applies, its packing, its parameter values. */
import type { ParamBlocks } from "../params.ts";
import { convF32Params, type PatchesF32, type ProductF32, packPanelsF32 } from "./gemmF32.ts";
import { NR, roundUp } from "./panels.ts";

/** Channels and columns for which both kernels were measured. */
const LEAST_CHANNELS = 8;
/** Channels that are transformed at a time. */
const LANES = 4;
/** Tiles below which the transformed weights, 16 for 9, are read for too few outputs. */
const LEAST_TILES = 16;
/** Bytes of transformed tiles and of their products that stay in the nearer caches. */
const BLOCK_BYTES = 192 * 1024;
const LEAST_BLOCK = 16;
/** Bytes of four rows in the table of products, and between positions. */
const ENTRY_BYTES = 56;
const APART_BYTES = 64;

/** Tiles of two by two outputs; `undefined` where Winograd does not apply or pay. */
export function winogradTiles({ m, n }: ProductF32, patches: PatchesF32): number | undefined {
  const { kernel, stride, dilation, output, input, channels, before } = patches;
  const is = (size: readonly number[], ...wanted: number[]) => wanted.every((each, i) => size[i] === each);
  if (!is(kernel, 1, 3, 3) || !is(stride, 1, 1, 1) || !is(dilation, 1, 1, 1)) return undefined;
  if (input[0] !== 1 || output[0] !== 1 || before[0] !== 0) return undefined;
  const [, outH, outW] = output;
  const images = m / (outH * outW);
  const tiles = images * Math.ceil(outH / 2) * Math.ceil(outW / 2);
  const fits = [channels, n].every((each) => each % LANES === 0 && each >= LEAST_CHANNELS);
  return fits && tiles >= LEAST_TILES && pays(m, n, channels, tiles) ? tiles : undefined;
}

/**
 * Whether tiles take less time than m rows of patches, in multiply-adds at full speed. Fitted to 60 sizes, 7×7 to 56×56 and 43×3 of 8 to 64
 * channels, where it finds the faster kernel, or one that takes 6 % longer at most.
 */
function pays(m: number, n: number, channels: number, tiles: number): boolean {
  const transformed = 16 * roundUp(tiles, 4) * channels * n + tiles * (36 * channels + 140 * n + 1500) + 25000;
  return transformed < 9 * m * channels * n + m * (11 * n + 240);
}

/** Values of the kernel's block, and the scratch bytes per thread; w is of `transformWeightsF32`. */
export function winogradF32Params(
  product: ProductF32,
  patches: PatchesF32,
  tiles: number,
): { readonly params: ParamBlocks["WinogradF32"]; readonly scratchBytes: number } {
  const { n, bias = 0, lo = -Infinity, hi = Infinity } = product;
  const { channels } = patches;
  const { params } = convF32Params({ ...product, bias: 0, lo: -Infinity, hi: Infinity }, patches);
  const fit = Math.floor(BLOCK_BYTES / (64 * (channels + n)) / 4) * 4;
  const mBlock = Math.min(Math.max(fit, LEAST_BLOCK), roundUp(tiles, 4));
  return {
    params: { ...params, m: tiles, mBlock, k: channels, outputBias: bias, least: lo, most: hi },
    scratchBytes: mBlock * 4 * ENTRY_BYTES + 64 * channels + 64 * mBlock * (channels + n) + 32 * APART_BYTES,
  };
}

/** G g Gᵀ of weights `[n][3][3][channels]`, as panels `[16][n/8][channels][8]`. */
export function transformWeightsF32(b: Float32Array, n: number, channels: number): Uint8Array {
  const position = n * channels;
  const positions = new Float32Array(16 * position);
  const rows = new Float64Array(12);
  for (let at = 0; at < position; at++) {
    const c = at % channels;
    const first = (at - c) * 9 + c;
    for (let x = 0; x < 3; x++) spread(rows, x, 3, b, first + x * channels, 3 * channels);
    for (let y = 0; y < 4; y++) spread(positions, y * 4 * position + at, position, rows, y * 3, 1);
  }
  const size = roundUp(n, NR) * channels * 4;
  const bytes = new Uint8Array(16 * size);
  for (let i = 0; i < 16; i++)
    bytes.set(packPanelsF32(positions.subarray(i * position, (i + 1) * position), n, channels), i * size);
  return bytes;
}

/** G of three values: their first, half of their sums, their last. */
function spread(
  target: Float32Array | Float64Array,
  at: number,
  step: number,
  source: Float32Array | Float64Array,
  from: number,
  stride: number,
): void {
  const g0 = source[from] as number;
  const g1 = source[from + stride] as number;
  const g2 = source[from + 2 * stride] as number;
  target[at] = g0;
  target[at + step] = (g0 + g1 + g2) / 2;
  target[at + 2 * step] = (g0 - g1 + g2) / 2;
  target[at + 3 * step] = g2;
}
