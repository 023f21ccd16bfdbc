/** Weights with zeros: packing only the blocks that are not zero, and when that pays. */

import type { ModuleName } from "../modules.ts";
import { rowBytes, SPARE } from "./gemm.ts";
import { KR } from "./panels.ts";

/** Columns of a block; in k a block is one step of the module's inner loop. */
const NR = 8;
const BLOCK_K: { readonly [M in ModuleName]: number } = { scalar: 4, simd: KR.simd, relaxed: KR.relaxed };
/** Bytes of one packed activation, in which offsets count; the scalar module counts k's. */
const LANE: { readonly [M in ModuleName]: number } = { scalar: 1, simd: 2, relaxed: 1 };
/** Offsets are 16 bits. */
const MAX_OFFSET = 65535;

/** B as its blocks that are not zero. */
export interface Sparse {
  readonly weights: Uint8Array;
  /** Per panel of 8 columns: u32 number of blocks, then each block's u16 offset in a packed row, padded to 4 bytes. */
  readonly index: Uint8Array;
  /** Blocks that are not zero, and all blocks. */
  readonly blocks: number;
  readonly total: number;
}

/**
 * The blocks of B, int8 [n][k], that are not zero. Vector modules store a block as [8][KR] like a step of a dense panel;
 * the scalar module stores a panel's blocks column by column, four k's each.
 */
function packSparse(module: ModuleName, b: Int8Array, n: number, k: number): Sparse {
  const kr = BLOCK_K[module];
  const steps = Math.ceil(k / kr);
  const panels = Math.ceil(n / NR);
  const kept = Array.from({ length: panels }, (_, panel) => blocksOf(b, n, k, panel * NR, kr, steps));
  const blocks = kept.reduce((sum, list) => sum + list.length, 0);
  const index = new DataView(new ArrayBuffer(indexBytes(kept)));
  const weights = new Int8Array(blocks * kr * NR);
  let at = 0;
  let w = 0;
  for (const [panel, list] of kept.entries()) {
    index.setUint32(at, list.length, true);
    at += 4;
    for (const [i, step] of list.entries()) index.setUint16(at + i * 2, step * kr * LANE[module], true);
    at += (list.length + (list.length & 1)) * 2;
    const width = Math.min(NR, n - panel * NR);
    for (const [i, step] of list.entries())
      for (let c = 0; c < width; c++)
        for (let j = 0; j < kr && step * kr + j < k; j++) {
          const target = module === "scalar" ? w + (c * list.length + i) * kr + j : w + (i * NR + c) * kr + j;
          weights[target] = b[(panel * NR + c) * k + step * kr + j] as number;
        }
    w += list.length * kr * (module === "scalar" ? width : NR);
  }
  return {
    weights: new Uint8Array(weights.buffer, 0, w),
    index: new Uint8Array(index.buffer),
    blocks,
    total: panels * steps,
  };
}

/** Steps of one panel in which some weight is not zero. */
function blocksOf(
  b: Int8Array,
  n: number,
  k: number,
  first: number,
  kr: number,
  steps: number,
  width = NR,
): readonly number[] {
  const last = Math.min(first + width, n);
  const found: number[] = [];
  for (let step = 0; step < steps; step++) {
    const end = Math.min((step + 1) * kr, k);
    let any = 0;
    for (let column = first; column < last; column++)
      for (let i = step * kr; i < end; i++) any |= b[column * k + i] as number;
    if (any !== 0) found.push(step);
  }
  return found;
}

/**
 * B, int8 [n][k], for `spmmColumns`: of each output the steps of KR weights that are not all zero, four bytes each, and
 * where their activations stand, in units of 16 bytes. See `assembly/product/spmm-columns.simd.ts`.
 */
function packColumns(module: "simd" | "relaxed", b: Int8Array, n: number, k: number): Sparse {
  const kr = BLOCK_K[module];
  const steps = Math.ceil(k / kr);
  const kept = Array.from({ length: n }, (_, o) => blocksOf(b, n, k, o, kr, steps, 1));
  const blocks = kept.reduce((sum, list) => sum + list.length, 0);
  const index = new DataView(new ArrayBuffer(indexBytes(kept)));
  const weights = new (module === "simd" ? Int16Array : Int8Array)(blocks * kr);
  let at = 0;
  let w = 0;
  for (const [o, list] of kept.entries()) {
    index.setUint32(at, list.length, true);
    at += 4;
    for (const [i, step] of list.entries()) {
      index.setUint16(at + i * 2, step * COLUMN_UNITS, true);
      for (let j = 0; j < kr && step * kr + j < k; j++) weights[w + j] = b[o * k + step * kr + j] as number;
      w += kr;
    }
    at += (list.length + (list.length & 1)) * 2;
  }
  return { weights: new Uint8Array(weights.buffer), index: new Uint8Array(index.buffer), blocks, total: n * steps };
}

/** Bytes of the index of these lists. */
function indexBytes(kept: readonly (readonly number[])[]): number {
  return kept.reduce((sum, list) => sum + 4 + (list.length + (list.length & 1)) * 2, 0);
}

/** Rows of A side by side in `spmmColumns`, and the 16-byte units of one step of them. */
const COLUMN_ROWS = 28;
const COLUMN_UNITS = 7;

/** Scratch per thread of `spmmColumns`: the columns, and eight outputs as columns and as rows. */
export function columnsScratch(module: ModuleName, k: number): number {
  return SPARE + rowBytes(module, k) * COLUMN_ROWS + 512;
}

/**
 * Density of blocks below which the sparse kernel is faster, from measurements of 196·512·512 and of the digits
 * networks: a block costs 7 % (SIMD128) and a quarter (relaxed, whose dense tile has six rows) more than a dense step, and
 * in an interpreter a quarter more for its offset. Products of one or two rows have a wide dense tile, which only few
 * blocks beat.
 */
const PAYS: { readonly [M in ModuleName]: number } = { scalar: 0.75, simd: 0.93, relaxed: 0.8 };
const PAYS_VECTOR = 0.3;

/**
 * Cost of a step that `spmmColumns` keeps, in dense steps; and of turning rows into columns, shared by n outputs, and
 * outputs back into rows, against k: fitted to layers of 16 to 512 channels.
 */
const COLUMN_COST: { readonly [M in ModuleName]: number } = { scalar: Infinity, simd: 1.2, relaxed: 1.42 };
const COLUMN_PER_N: { readonly [M in ModuleName]: number } = { scalar: 0, simd: 8, relaxed: 16 };
const COLUMN_PER_K: { readonly [M in ModuleName]: number } = { scalar: 0, simd: 12, relaxed: 24 };

/**
 * Inputs of one output that `spmmColumns` leaves out together where all are zeros, of which weights may make a pattern; none for rows that it does not take.
 * Those of the module simd: fours, which the relaxed one takes, cost more accuracy than they save time.
 */
export function columnSteps({ m, patches }: Pick<Rows, "m" | "patches">): readonly number[] {
  return takesColumns(m, patches) ? [BLOCK_K.simd] : [];
}

const takesColumns = (m: number, patches: boolean): boolean => !patches && m >= COLUMN_ROWS / 2;

/** How B should be packed: the fastest of the three by the costs above. */
export type Choice =
  | { readonly kind: "dense" }
  | { readonly kind: "blocks"; readonly sparse: Sparse }
  | { readonly kind: "columns"; readonly sparse: Sparse };

/** What a product is to the choice: its rows, whether they are patches, and whether they are one or two. */
export interface Rows {
  readonly m: number;
  readonly patches: boolean;
  readonly vector: boolean;
}

/** Chooses for B, int8 [n][k], of which so many weights are zero. */
export function choosePacking(
  module: ModuleName,
  b: Int8Array,
  n: number,
  k: number,
  zeros: number,
  rows: Rows,
): Choice {
  const dense: Choice = { kind: "dense" };
  // So few weights are zero that no packing of them can pay: not worth looking.
  if (zeros < (1 - PAYS[module]) * b.length || k * LANE[module] > MAX_OFFSET) return dense;
  const blocks = packSparse(module, b, n, k);
  const blockCost = rows.vector
    ? blocks.blocks / blocks.total / PAYS_VECTOR
    : blocks.blocks / blocks.total / PAYS[module];
  let best: Choice = blockCost < 1 ? { kind: "blocks", sparse: blocks } : dense;
  if (module === "scalar" || !takesColumns(rows.m, rows.patches)) return best;
  if (Math.ceil(k / BLOCK_K[module]) * COLUMN_UNITS > MAX_OFFSET) return best;
  const columns = packColumns(module, b, n, k);
  const filled = rows.m / (Math.ceil(rows.m / COLUMN_ROWS) * COLUMN_ROWS);
  const turning = COLUMN_PER_N[module] / n + COLUMN_PER_K[module] / k;
  const columnCost = ((columns.blocks / columns.total) * COLUMN_COST[module] + turning) / filled;
  if (columnCost < Math.min(1, blockCost)) best = { kind: "columns", sparse: columns };
  return best;
}
