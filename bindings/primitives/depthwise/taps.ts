/** Depthwise convolution tap by tap, see `assembly/depthwise/taps.simd.ts`: when it is the faster one, and its packing. */
import type { ModuleName } from "../modules.ts";
import { KR } from "../product/panels.ts";
import type { DwShape } from "./dwconv.ts";

/** Channels of a block. */
const LANES = 8;
/** Pixels that the other kernel computes at a time. */
const TILE = 4;
/**
 * Time of a row of outputs, in units of what a pixel takes here besides its products: by least squares over 140 shapes of 64
 * channels, both kernels measured in turns on simd. It chooses the faster one for 133 of them; the others lose 3 to 22 %.
 */
const PAIR_HERE = 0.113;
/** There: tiles of pixels and what a row takes besides, each of them with products of groups of rows. */
const TILE_THERE = 2.2;
const GROUP_THERE = 0.22;
const ROW_THERE = { dense: 0.975, strided: 0.616 } as const;
/** Times as much, there: where columns are skipped, where a row has less than a tile, and where 3x3 has its own loop. */
const STRIDED = 1.19;
const NARROW = 1.26;
const SPECIAL = 0.84;

/** Scratch of the kernel where it is the faster one; `undefined` elsewhere. */
export function tapsLayout(
  module: ModuleName,
  shape: DwShape,
  multiplier: number,
): { scratchBytes: number } | undefined {
  const { channels, kH, kW, outH, outW } = shape;
  if (module === "scalar" || multiplier !== 1 || channels % LANES !== 0) return undefined;
  const here = outH * outW * (1 + PAIR_HERE * Math.ceil((kH * kW) / 2));
  if (groupsTime(module, shape) <= here) return undefined;
  return { scratchBytes: Math.ceil(channels / 16) * 16 + 8 * Math.ceil((kH * kW) / 2) };
}

/** Time of all rows by the kernel that lays out groups of them. */
export function groupsTime(
  module: "simd" | "relaxed",
  { kH, kW, strideH, strideW, dilationH, outH, outW }: DwShape,
): number {
  const shared = strideH === 1 && dilationH === 1 && outH > 1 ? 2 : 1;
  const groups = Math.ceil((kH + shared - 1) / KR[module]) / shared;
  const tiles = Math.ceil(outW / TILE) + (strideW === 1 ? ROW_THERE.dense : ROW_THERE.strided);
  const special = kH === 3 && kW === 3 ? SPECIAL : 1;
  return (
    outH *
    tiles *
    (TILE_THERE + GROUP_THERE * groups * kW) *
    (strideW === 1 ? 1 : STRIDED) *
    (outW < TILE ? NARROW : 1) *
    special
  );
}

/** int8 [kH·kW][channels] as int16 `[channels/8][taps/2][8][2]`. */
export function packTaps(w: Int8Array | Int16Array, { channels, kH, kW }: DwShape): Uint8Array {
  const taps = kH * kW;
  const pairs = Math.ceil(taps / 2);
  const packed = new Int16Array(channels * pairs * 2);
  for (let tap = 0; tap < taps; tap++)
    for (let c = 0; c < channels; c++) {
      const block = Math.floor(c / LANES) * pairs + (tap >> 1);
      packed[(block * LANES + (c % LANES)) * 2 + (tap & 1)] = w[tap * channels + c] as number;
    }
  return new Uint8Array(packed.buffer);
}
