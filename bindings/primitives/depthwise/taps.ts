/** Depthwise convolution tap by tap, see `assembly/depthwise/taps.simd.ts`: when it is the faster one, and its packing. */
import type { ModuleName } from "../modules.ts";
import { KR } from "../product/panels.ts";
import type { DwShape } from "./dwconv.ts";

/** Channels of a block. */
const LANES = 8;
/** Pixels that the other kernel computes at a time. */
const TILE = 4;
/** Vector instructions of a product: here, and there where no lane is wasted; measured as time, not counted. */
const COST_HERE = 0.75;
const COST_THERE = 0.42;

/** Scratch of the kernel where it is the faster one; `undefined` elsewhere. */
export function tapsLayout(
  module: ModuleName,
  shape: DwShape,
  multiplier: number,
): { scratchBytes: number } | undefined {
  const { channels, kH, kW, strideH, dilationH, outH, outW } = shape;
  if (module === "scalar" || multiplier !== 1 || channels % LANES !== 0) return undefined;
  const kr = KR[module];
  const shared = strideH === 1 && dilationH === 1 && outH > 1 ? 2 : 1;
  const rows = Math.ceil((kH + shared - 1) / kr) * kr;
  const waste = (rows / kH) * ((Math.ceil(outW / TILE) * TILE) / outW);
  const even = (2 * Math.ceil((kH * kW) / 2)) / (kH * kW);
  if (waste * COST_THERE <= even * COST_HERE) return undefined;
  return { scratchBytes: Math.ceil(channels / 16) * 16 + 8 * Math.ceil((kH * kW) / 2) };
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
