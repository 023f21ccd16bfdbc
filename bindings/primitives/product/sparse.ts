/** Weights with zeros: packing only the blocks that are not zero, and when that pays. */

import type { ModuleName } from "../modules.ts";
import { rowBytes, SPARE } from "./gemm.ts";
import { KR, roundUp } from "./panels.ts";

/** Columns of a block; in k a block is one step of the module's inner loop. */
const NR = 8;
const BLOCK_K: { readonly [M in ModuleName]: number } = { scalar: 4, simd: KR.simd, relaxed: KR.relaxed };
/** What offsets count of m activations of one k: bytes of one row, in the relaxed module of a tile; the scalar module counts k's. */
function offsetOf(module: ModuleName, m: number): number {
  if (module === "scalar") return 1;
  if (module === "simd") return 2;
  return m > FEW_ROWS ? 6 : 4;
}
/** Rows of A up to which tiles of the relaxed module have four, else six. */
const FEW_ROWS = 16;
/** Offsets are 16 bits. */
const MAX_OFFSET = 65535;

/** B as its blocks that are not zero. */
export interface Sparse {
  readonly weights: Uint8Array;
  /** Per panel of 8 columns: u32 number of blocks, then each block's u16 offset, padded to 4 bytes. */
  readonly index: Uint8Array;
  /** Blocks that are not zero, and all blocks. */
  readonly blocks: number;
  readonly total: number;
}

/**
 * The blocks of B, int8 [n][k], that are not zero. Vector modules store a block as [8][KR] like a step of a dense panel;
 * the scalar module stores a panel's blocks column by column, four k's each.
 */
function packSparse(module: ModuleName, b: Int8Array, n: number, k: number, m: number): Sparse {
  const kr = BLOCK_K[module];
  const offset = offsetOf(module, m);
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
    for (const [i, step] of list.entries()) index.setUint16(at + i * 2, step * kr * offset, true);
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
 * B, int8 [n][k], for `spmmColumns`: of each output its pairs of weights that are not both zero, or in the relaxed module its weights that are not zero by
 * fours, and where their activations stand. See `assembly/product/spmm-columns.simd.ts`.
 */
function packColumns(module: "simd" | "relaxed", b: Int8Array, n: number, k: number): Sparse {
  const { width, bytes } = COLUMN_UNIT[module];
  const steps = Math.ceil(k / width);
  const kept = Array.from({ length: n }, (_, o) => blocksOf(b, n, k, o, width, steps, 1));
  const blocks = kept.reduce((sum, list) => sum + list.length, 0);
  // Places of a step of four bytes.
  const places = KR[module] / width;
  const padded = kept.map((list) => roundUp(list.length, places));
  const weights = new (module === "simd" ? Int16Array : Int8Array)(
    padded.reduce((sum, count) => sum + count, 0) * width,
  );
  const index = new DataView(new ArrayBuffer(padded.reduce((sum, count) => sum + 4 + roundUp(count, 2) * 2, 0)));
  let at = 0;
  let w = 0;
  for (const [o, list] of kept.entries()) {
    const count = padded[o] as number;
    index.setUint32(at, count / places, true);
    at += 4;
    for (const [i, step] of list.entries()) {
      index.setUint16(at + i * 2, step * bytes, true);
      for (let j = 0; j < width && step * width + j < k; j++)
        weights[w + i * width + j] = b[o * k + step * width + j] as number;
    }
    w += count * width;
    at += roundUp(count, 2) * 2;
  }
  return { weights: new Uint8Array(weights.buffer), index: new Uint8Array(index.buffer), blocks, total: n * steps };
}

/** Bytes of the index of these lists. */
function indexBytes(kept: readonly (readonly number[])[]): number {
  return kept.reduce((sum, list) => sum + 4 + (list.length + (list.length & 1)) * 2, 0);
}

/** Rows of A side by side in `spmmColumns`, where there are many, and the weights that it leaves out together with the bytes of their columns. */
const COLUMN_ROWS = 16;
const MANY_ROWS = 28;
const COLUMN_UNIT = { simd: { width: 2, bytes: 64 }, relaxed: { width: 1, bytes: 16 } } as const;

/** Rows that the blocks of m rows have in all, some of them computed twice. */
function columnRows(m: number): number {
  const rest = m % MANY_ROWS;
  if (m < MANY_ROWS) return roundUp(m, COLUMN_ROWS);
  return m - rest + (rest > COLUMN_ROWS ? MANY_ROWS : rest > 0 ? COLUMN_ROWS : 0);
}

/** Scratch per thread of `spmmColumns`: the columns, and eight outputs as columns and as rows. */
export function columnsScratch(module: ModuleName, k: number): number {
  return SPARE + rowBytes(module, k) * COLUMN_ROWS * 2 + 512;
}

/**
 * Time of a sparse kernel by that of the dense tiles: for the share that it keeps, against n, against k, and always. Fitted to layers of 16 to 384
 * channels and 16 to 196 rows, some per cent on the safe side.
 */
interface Cost {
  readonly kept: number;
  readonly perN: number;
  readonly perK: number;
  readonly always: number;
}

const PROPORTIONAL = { perN: 0, perK: 0, always: 0 };
const BLOCK_COST: { readonly [M in ModuleName]: Cost } = {
  scalar: { kept: 1.33, ...PROPORTIONAL },
  simd: { kept: 0.93, perN: 1.7, perK: 3.1, always: 0.06 },
  relaxed: { kept: 0.88, perN: 2.1, perK: 4.3, always: 0.16 },
};
/** Products of one or two rows have a wide dense tile, which only few blocks beat. */
const VECTOR_COST: Cost = { kept: 3.33, ...PROPORTIONAL };
const COLUMN_COST = {
  simd: { kept: 0.85, perN: 1.4, perK: 6.8, always: 0.155 },
  relaxed: { kept: 1.75, perN: 3.4, perK: 9.5, always: 0.35 },
} as const;
/** Share of zeros below which nothing can pay: not worth looking. */
const LEAST_ZEROS: { readonly [M in ModuleName]: number } = { scalar: 0.25, simd: 0.07, relaxed: 0.2 };

const costOf = ({ kept, perN, perK, always }: Cost, { blocks, total }: Sparse, n: number, k: number): number =>
  (kept * blocks) / total + perN / n + perK / k + always;

/**
 * Inputs of one output that `spmmColumns` leaves out together where all are zeros, of which weights may make a pattern; none for rows that it does not take.
 * Those of the module simd: fours, which the relaxed one takes, cost more accuracy than they save time.
 */
export function columnSteps({ m, patches }: Pick<Rows, "m" | "patches">): readonly number[] {
  return takesColumns(m, patches) ? [COLUMN_UNIT.simd.width] : [];
}

const takesColumns = (m: number, patches: boolean): boolean => !patches && m >= COLUMN_ROWS;

/** How B should be packed: the fastest of the three by the costs above. */
type Choice =
  | { readonly kind: "dense" }
  | { readonly kind: "blocks"; readonly sparse: Sparse }
  | { readonly kind: "columns"; readonly sparse: Sparse };

/** What a product is to the choice: its rows, whether they are patches, whether they are one or two, and the time of its dense kernel by that of tiles. */
interface Rows {
  readonly m: number;
  readonly patches: boolean;
  readonly vector: boolean;
  readonly dense: () => number;
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
  if (zeros < LEAST_ZEROS[module] * b.length || k * offsetOf(module, rows.m) > MAX_OFFSET) return dense;
  const blocks = packSparse(module, b, n, k, rows.m);
  const blockCost = costOf(rows.vector ? VECTOR_COST : BLOCK_COST[module], blocks, n, k);
  const best: Choice = blockCost < 1 && blockCost < rows.dense() ? { kind: "blocks", sparse: blocks } : dense;
  if (module === "scalar" || !takesColumns(rows.m, rows.patches) || k < COLUMN_ROWS) return best;
  const { width, bytes } = COLUMN_UNIT[module];
  if (Math.ceil(k / width) * bytes > MAX_OFFSET) return best;
  const columns = packColumns(module, b, n, k);
  const columnCost = (costOf(COLUMN_COST[module], columns, n, k) * columnRows(rows.m)) / rows.m;
  return columnCost < Math.min(1, blockCost) ? { kind: "columns", sparse: columns } : best;
}
