/** Winograd's F(2×2, 3×3), see `assembly/product/winograd.simd.ts`: when it applies, and its packing. */

import type { ModuleName } from "../modules.ts";
import type { Patches } from "../params.ts";

/** Bytes of transformed tiles that stay in the nearer caches while all panels pass over them. */
const BLOCK_BYTES = 64 * 1024;
/** Output channels below which transforming the input costs more than it saves. */
const LEAST_OUTPUTS = 16;
/** Channels that are transformed at a time, and columns of a panel. */
const LANES = 8;
/** Four times a sum of products with inputs of −128 must fit in int32. */
const MOST_DEPTH = 2 ** 29 / 2 ** 14;
/** Scratch beside lines and tiles: products of four tiles, and one step of the transform. */
const FIXED_BYTES = 2048 + 1024;

/** Heights and widths that are blocks of 3×3 two apart. */
const SIZES: readonly number[] = [3, 5, 7];
/** Kernels of more taps pay from so many input channels on. */
const FEW_TAPS = 25;
const LEAST_INPUTS = 16;

/** The transformed weights, the channels of a tile in all its blocks, and how many rows of tiles are made at a time. */
interface Winograd {
  readonly weights: Uint8Array;
  readonly k: number;
  readonly mBlock: number;
  readonly scratchBytes: number;
}

/** Whether Winograd's kernel applies. */
export function takesWinograd(module: ModuleName, n: number, xStride: number, forms: string, g: Patches): boolean {
  const steps = [g.strideH, g.strideW, g.dilationH, g.dilationW];
  if (module !== "simd" || !SIZES.includes(g.kH) || !SIZES.includes(g.kW)) return false;
  if (steps.some((step) => step !== 1)) return false;
  if (g.inC % LANES !== 0 || n % LANES !== 0 || n < LEAST_OUTPUTS || xStride !== g.inC) return false;
  if (g.kH * g.kW > FEW_TAPS && g.inC < LEAST_INPUTS) return false;
  if (g.kH * g.kW * g.inC > MOST_DEPTH || forms.includes("exact")) return false;
  return g.padTop >= 0 && g.padTop < g.kH && g.padLeft >= 0 && g.padLeft < g.kW;
}

/** B, int8 [n][kH][kW][inC], for Winograd's kernel; `undefined` where it does not apply. */
export function winogradLayout(
  module: ModuleName,
  b: Int8Array,
  n: number,
  xStride: number,
  forms: string,
  g: Patches,
): Winograd | undefined {
  if (!takesWinograd(module, n, xStride, forms, g)) return undefined;
  const tilesW = Math.ceil(g.outW / 2);
  const tilesH = Math.ceil(g.outH / 2);
  const k = (g.kH >> 1) * (g.kW >> 1) * g.inC;
  const tileBytes = 32 * k;
  const mBlock = Math.min(Math.max(Math.floor(BLOCK_BYTES / (tileBytes * tilesW)), Math.ceil(4 / tilesW)), tilesH);
  const lines = (2 * mBlock + g.kH - 1) * (2 * tilesW + g.kW - 1) * g.inC;
  const tiles = Math.ceil((mBlock * tilesW) / 4) * 4 * tileBytes;
  const weights = new Uint8Array(transformWeights(b, n, k, g).buffer);
  return { weights, k, mBlock, scratchBytes: lines + FIXED_BYTES + tiles };
}

/** (2G) g (2G)ᵀ of every pair of channels, `[n/8][16][k/2][8][2]`, k channels of each block of 3×3 after the other. */
function transformWeights(b: Int8Array, n: number, k: number, g: Patches): Int16Array {
  const u = new Int16Array(n * 16 * k);
  let first = 0;
  for (let top = 0; top < g.kH - 1; top += 2)
    for (let left = 0; left < g.kW - 1; left += 2) {
      for (let column = 0; column < n; column++) transformBlock(u, b, k, column, first, top, left, g);
      first += g.inC;
    }
  return u;
}

/** The block of taps at `top` and `left` of one column, as the channels from `first` on. */
function transformBlock(
  u: Int16Array,
  b: Int8Array,
  k: number,
  column: number,
  first: number,
  top: number,
  left: number,
  { kH, kW, inC }: Patches,
): void {
  const rows = new Int32Array(12);
  const line = kW * inC;
  const panel = (((column >> 3) * 16 * k) >> 1) * 16 + (column & 7) * 2;
  for (let c = 0; c < inC; c++) {
    // Taps that the block above or to the left has are nothing here.
    for (let x = left === 0 ? 0 : 1; x < 3; x++) {
      const at = (column * kH + top) * line + (left + x) * inC + c;
      const g0 = top === 0 ? (b[at] as number) : 0;
      const g1 = b[at + line] as number;
      const g2 = b[at + 2 * line] as number;
      rows[x] = 2 * g0;
      rows[x + 3] = g0 + g1 + g2;
      rows[x + 6] = g0 - g1 + g2;
      rows[x + 9] = 2 * g2;
    }
    let target = panel + ((first + c) >> 1) * 16 + (c & 1);
    for (let row = 0; row < 12; row += 3) {
      const g0 = rows[row] as number;
      const g1 = rows[row + 1] as number;
      const g2 = rows[row + 2] as number;
      u[target] = 2 * g0;
      u[target + 8 * k] = g0 + g1 + g2;
      u[target + 16 * k] = g0 - g1 + g2;
      u[target + 24 * k] = 2 * g2;
      target += 32 * k;
    }
  }
}
