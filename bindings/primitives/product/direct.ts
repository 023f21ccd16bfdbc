/** Convolution without patches, see `assembly/product/direct.simd.ts`: when it applies, and its packing. */

import type { ModuleName } from "../modules.ts";
import type { Patches } from "../params.ts";
import { LANES_BEYOND, tileRows } from "./gemm.ts";
import { KR } from "./panels.ts";

/** Steps of a kernel row below which its loop costs more than gathering patches. */
const LEAST_STEPS = 3;
/** Bytes of packed input rows that stay in the nearest caches. */
const IMAGE_BYTES = 32 * 1024;
/** Bytes of one step of one pixel, and what may be written beyond the last tile. */
const LANE = 4;
const SLACK = 3 * 6 * LANE + LANES_BEYOND;
/** Pixels of an output row that make a tile. */
export const LEAST_PIXELS = 4;

/** The kernel with its rows of k rounded up to whole steps, and how many output rows make a block. */
export interface Direct<T> {
  readonly k: number;
  readonly data: T;
  readonly mBlock: number;
  readonly scratchBytes: number;
}

/** Whether direct convolution serves better than patches. */
export function takesDirect(module: ModuleName, n: number, xStride: number, forms: string, g: Patches): boolean {
  if (module === "scalar" || g.dilationW !== 1 || xStride !== g.inC || n % 8 !== 0) return false;
  if (g.outW < LEAST_PIXELS || forms.includes("exact")) return false;
  return Math.ceil((g.kW * g.inC) / KR[module]) >= LEAST_STEPS;
}

/** B, int8 or int16 [n][kH·kW·inC], for direct convolution; `undefined` where patches serve better. */
export function directLayout<T extends Int8Array | Int16Array>(
  module: ModuleName,
  b: T,
  n: number,
  xStride: number,
  forms: string,
  g: Patches,
): Direct<T> | undefined {
  if (!takesDirect(module, n, xStride, forms, g)) return undefined;
  const kr = KR[module];
  const row = g.kW * g.inC;
  const padded = Math.ceil(row / kr) * kr;
  const k = g.kH * padded;
  const pitch = tileRows(module, g.outW) * (padded / kr) * LANE;
  const reach = (g.kH - 1) * g.dilationH + 1;
  const fit = Math.floor((IMAGE_BYTES / pitch - reach) / g.strideH) + 1;
  const mBlock = Math.min(Math.max(fit, Math.ceil(40 / g.outW)), g.outH);
  const rows = (mBlock - 1) * g.strideH + reach;
  const line = ((g.outW - 1) * g.strideW + g.kW) * g.inC + 16;
  const data = (b instanceof Int16Array ? new Int16Array(n * k) : new Int8Array(n * k)) as T;
  for (let line = 0; line < n * g.kH; line++) data.set(b.subarray(line * row, (line + 1) * row), line * padded);
  const wideB = module === "simd" ? k * 16 : 0;
  return { k, data, mBlock, scratchBytes: rows * pitch + SLACK + wideB + line };
}
