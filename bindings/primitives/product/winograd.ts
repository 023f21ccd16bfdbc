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

/** The transformed weights, and how many rows of tiles make a block. */
export interface Winograd {
  readonly weights: Uint8Array;
  readonly mBlock: number;
  readonly scratchBytes: number;
}

/** B, int8 [n][3][3][inC], for Winograd's kernel; `undefined` where it does not apply. */
export function winogradLayout(
  module: ModuleName,
  b: Int8Array,
  n: number,
  xStride: number,
  forms: string,
  g: Patches,
): Winograd | undefined {
  const steps = [g.strideH, g.strideW, g.dilationH, g.dilationW];
  if (module !== "simd" || g.kH !== 3 || g.kW !== 3 || steps.some((step) => step !== 1)) return undefined;
  if (g.inC % LANES !== 0 || n % LANES !== 0 || n < LEAST_OUTPUTS || xStride !== g.inC) return undefined;
  if (9 * g.inC > MOST_DEPTH || forms.includes("exact")) return undefined;
  if (g.padTop < 0 || g.padTop > 2 || g.padLeft < 0 || g.padLeft > 2) return undefined;
  const tilesW = Math.ceil(g.outW / 2);
  const tilesH = Math.ceil(g.outH / 2);
  const tileBytes = 32 * g.inC;
  const mBlock = Math.min(Math.max(Math.floor(BLOCK_BYTES / (tileBytes * tilesW)), Math.ceil(4 / tilesW)), tilesH);
  const lines = (2 * mBlock + 2) * (2 * tilesW + 2) * g.inC;
  const tiles = Math.ceil((mBlock * tilesW) / 4) * 4 * tileBytes;
  const weights = new Uint8Array(transformWeights(b, n, g.inC).buffer);
  return { weights, mBlock, scratchBytes: lines + FIXED_BYTES + tiles };
}

/** (2G) g (2G)ᵀ of every pair of channels, `[n/8][16][inC/2][8][2]`. */
function transformWeights(b: Int8Array, n: number, inC: number): Int16Array {
  const u = new Int16Array(n * 16 * inC);
  const rows = new Int32Array(12);
  for (let column = 0; column < n; column++) {
    for (let c = 0; c < inC; c++) {
      const at = column * 9 * inC + c;
      for (let x = 0; x < 3; x++) {
        const g0 = b[at + x * inC] as number;
        const g1 = b[at + (x + 3) * inC] as number;
        const g2 = b[at + (x + 6) * inC] as number;
        rows[x] = 2 * g0;
        rows[x + 3] = g0 + g1 + g2;
        rows[x + 6] = g0 - g1 + g2;
        rows[x + 9] = 2 * g2;
      }
      let target = (((column >> 3) * 16 * inC) >> 1) * 16 + (c >> 1) * 16 + (column & 7) * 2 + (c & 1);
      for (let row = 0; row < 12; row += 3) {
        const g0 = rows[row] as number;
        const g1 = rows[row + 1] as number;
        const g2 = rows[row + 2] as number;
        u[target] = 2 * g0;
        u[target + 8 * inC] = g0 + g1 + g2;
        u[target + 16 * inC] = g0 - g1 + g2;
        u[target + 24 * inC] = 2 * g2;
        target += 32 * inC;
      }
    }
  }
  return u;
}
