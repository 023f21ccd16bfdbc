import type { ModuleName } from "../modules.ts";
import { roundUp } from "./panels.ts";

/** Rows of the scalar module's register tile. */
const SCALAR_ROWS = 3;
/** Bytes of packed rows of A that stay in the nearest caches while all panels pass over them. */
const BLOCK_BYTES = 24 * 1024;
/** Bytes of patches that the vector modules gather at a time, and the most of them; what they need where there are none. */
const PATCH_BYTES = 2048;
const MAX_PATCHES = 24;
export const SPARE = 64;
/** Rows that make tiles of any size, rows that two tiles of a block have in common, and bytes that a tile writes beyond. */
const MULTIPLE = { simd: 4, relaxed: 12 };
const ROWS_BEYOND = 5;
export const LANES_BEYOND = 16;
/** Rows from which widening a panel of B once per block no longer shows. */
const BLOCK_ROWS = 48;
/** How much longer a block may be where it then has all rows: a second one of few rows would widen all of B again. */
const LONGER = 1.25;
/** Largest product of an int8 activation and a weight is 128·|w|; a scalar lane holds sums below 2^20. */
const LANE_SUM = 2 ** 20 / 128;
/** Steps of the scalar inner loop. */
const UNROLL = 8;

/** How rows are blocked, and the scratch bytes per thread that the kernels then use. */
interface Blocking {
  readonly mBlock: number;
  /** Steps of k after which the scalar module empties its lanes; 0 in the others. */
  readonly chunk: number;
  readonly scratchBytes: number;
}

/** Blocking of an m×k A; `patches` where rows are gathered (convolutions) rather than read in place. */
export function blocking(module: ModuleName, m: number, k: number, b: Int8Array, patches: boolean): Blocking {
  if (module === "scalar") {
    // one kernel row of each pixel is copied where it leaves the image; k bounds its length
    const rows = patches ? SCALAR_ROWS * k : 0;
    return { mBlock: SCALAR_ROWS, chunk: laneChunk(b, k), scratchBytes: k * 8 + rows };
  }
  const row = rowBytes(module, k);
  const multiple = MULTIPLE[module];
  const fit = Math.max(BLOCK_ROWS, Math.floor(BLOCK_BYTES / row / multiple) * multiple);
  const mBlock = m <= LONGER * fit ? m : fit;
  const wideB = module === "simd" ? roundUp(k, 2) * 16 : 0;
  const patch = roundUp(k, 16);
  const gathered = Math.min(Math.max(Math.floor(PATCH_BYTES / patch / multiple), 1) * multiple, MAX_PATCHES);
  const spare = SPARE + (patches ? gathered * patch : 0);
  return { mBlock, chunk: 0, scratchBytes: (mBlock + ROWS_BEYOND) * row + LANES_BEYOND + wideB + mBlock * 8 + spare };
}

/** Bytes of a row interleaved with others: `assembly/product/interleave.simd.ts`. */
export function rowBytes(module: ModuleName, k: number): number {
  return module === "simd" ? roundUp(k, 8) * 2 : roundUp(k, 16);
}

/** Rows of the tiles of a block, those that two tiles have in common counted twice: `assembly/product/gemm.simd.ts`. */
export function tileRows(module: ModuleName, rows: number): number {
  const six = module === "relaxed" && rows > 8 ? rows - (rows % 6) : 0;
  const rest = rows - six;
  const four = rest === 5 && six > 0 ? 0 : rest & ~3;
  const last = rest === four ? 0 : six > 0 && rest === 5 ? 6 : 4;
  return six + four + last;
}

/** Bytes before a block's tiles where rows have terms: `assembly/product/terms.simd.ts`. */
export function termsBytes(mBlock: number): number {
  return roundUp(mBlock + 8, 4) * 4;
}

/** The scalar module's products by pairs: steps of k it takes at a time, and at most. See `assembly/product/gemm.scalar.ts`. */
const PAIR_STEP = 16;
const MAX_PAIRED = 65536;

/** Scratch of a matrix–vector product: one row as it is packed, and the sums of few columns. */
export function vectorScratch(module: ModuleName, k: number): number {
  if (module === "scalar") return 4 * (Math.min(k, MAX_PAIRED) & -PAIR_STEP);
  return roundUp(k, 16) * (module === "simd" ? 2 : 1) + 32;
}

/** The longest run of k, in whole unrolled steps, over which no row of B can overflow a lane. */
function laneChunk(b: Int8Array, k: number): number {
  let chunk = roundUp(k, UNROLL);
  const fits = (steps: number) => {
    for (let row = 0; row < b.length; row += k)
      for (let start = 0; start < k; start += steps) {
        let sum = 0;
        const end = Math.min(start + steps, k);
        for (let i = start; i < end; i++) sum += Math.abs(b[row + i] as number);
        if (sum >= LANE_SUM) return false;
      }
    return true;
  };
  while (chunk > 32 && !fits(chunk)) chunk = Math.max(32, roundUp(Math.floor(chunk / 2), UNROLL));
  return chunk;
}

/** Weights of a layer up to which `packWide` is worth its memory: beyond, reading it costs what it saves. */
const WIDE_WEIGHTS = 128 * 1024;

/** True where a matrix–vector product gains from weights that take more memory than int8. */
export function wideningPays(module: ModuleName, n: number, k: number): boolean {
  return module !== "relaxed" && n * k <= WIDE_WEIGHTS;
}
