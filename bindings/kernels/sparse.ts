/** Weights with zeros: packing only the blocks that are not zero, and when that pays. */
import { KR } from "./gemm.ts";
import type { ModuleName } from "./modules.ts";

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
export function packSparse(module: ModuleName, b: Int8Array, n: number, k: number): Sparse {
  const kr = BLOCK_K[module];
  const steps = Math.ceil(k / kr);
  const panels = Math.ceil(n / NR);
  const kept = Array.from({ length: panels }, (_, panel) => blocksOf(b, n, k, panel * NR, kr, steps));
  const blocks = kept.reduce((sum, list) => sum + list.length, 0);
  const index = new DataView(
    new ArrayBuffer(kept.reduce((sum, list) => sum + 4 + (list.length + (list.length & 1)) * 2, 0)),
  );
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
function blocksOf(b: Int8Array, n: number, k: number, first: number, kr: number, steps: number): readonly number[] {
  const last = Math.min(first + NR, n);
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
 * Density of blocks below which the sparse kernel is faster, from measurements of 196·512·512 and of the digits
 * networks: a block costs 4 % (SIMD128) and 8 % (relaxed) more than a dense step, and in an interpreter a quarter more
 * for its offset. Products of one or two rows have a wide dense tile, which only few blocks beat.
 */
const PAYS: { readonly [M in ModuleName]: number } = { scalar: 0.75, simd: 0.95, relaxed: 0.9 };
const PAYS_VECTOR = 0.3;

/** True where so few weights are zero that no share of blocks that pays can be: not worth looking for them. */
export function isDense(module: ModuleName, b: Int8Array): boolean {
  let zeros = 0;
  for (let i = 0; i < b.length; i++) zeros += b[i] === 0 ? 1 : 0;
  return zeros < (1 - PAYS[module]) * b.length;
}

/** True where B, with this share of blocks that are not zero, should be packed sparse. */
export function sparsePays(
  module: ModuleName,
  m: number,
  k: number,
  { blocks, total }: Sparse,
  vector: boolean,
): boolean {
  if (roundedRow(module, k) > MAX_OFFSET) return false;
  const limit = vector ? PAYS_VECTOR : PAYS[module];
  return m > 0 && blocks < limit * total;
}

function roundedRow(module: ModuleName, k: number): number {
  return k * LANE[module];
}
