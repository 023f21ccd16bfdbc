/** Packing for `assembly/product/wide.ts` and `finish.ts`: weights of up to 16 bits, and records of int16 outputs. */
import type { ModuleName } from "../modules.ts";
import type { Multipliers } from "../requantize/quantization.ts";
import type { Packer, Packing } from "../requantize/types.ts";
import { NR, roundUp } from "./panels.ts";

/** Bytes of packed rows that stay in the nearest caches, and the most rows. */
const BLOCK_BYTES = 24 * 1024;
const MAX_ROWS = 128;
/** Rows that share what is read of a panel, however long they are. */
const LEAST_ROWS = 48;
/** Bytes of the sums of four rows. */
const SUMS = 256;
const INT32 = 2 ** 31;

/** What is known of weights `[n][k]` by one look at each. */
export interface WeightStatistics {
  /** The sum of each channel's weights, and of those over zero. */
  readonly sums: Int32Array;
  readonly positives: Int32Array;
  /** The least and the greatest of all weights and 0. */
  readonly least: number;
  readonly greatest: number;
}

/** Looks at weights `[n][k]`. */
export function statisticsOf(w: Int16Array, n: number): WeightStatistics {
  const found = { sums: new Int32Array(n), positives: new Int32Array(n), least: 0, greatest: 0 };
  const k = w.length / n;
  for (let c = 0; c < n; c++) lookAt(w, c, k, found);
  return found;
}

/** Adds channel c; loops over weights are functions of a row, since those are compiled after few calls. */
function lookAt(
  w: Int16Array,
  c: number,
  k: number,
  found: { readonly sums: Int32Array; readonly positives: Int32Array; least: number; greatest: number },
): void {
  let sum = 0;
  let positive = 0;
  let { least, greatest } = found;
  for (let i = c * k, end = i + k; i < end; i++) {
    const value = w[i] as number;
    sum += value;
    // signs are random: a branch on them costs more than all else
    positive += value & ~(value >> 31);
    if (value > greatest) greatest = value;
    if (value < least) least = value;
  }
  found.sums[c] = sum;
  found.positives[c] = positive;
  found.least = least;
  found.greatest = greatest;
}

/** Packed columns, and bytes of an element. */
interface WidePanels {
  readonly panels: Packing;
  readonly wBytes: 1 | 2;
}

/** Weights `[n][k]` as the module takes them, in int8 where all fit: rows of whole pairs, or `[n/8][k/2][8][2]`. */
export function packWideWeights(
  module: ModuleName,
  w: Int16Array,
  n: number,
  { least, greatest }: WeightStatistics,
  packer: Packer,
): WidePanels {
  const k = w.length / n;
  const narrow = least >= -128 && greatest <= 127;
  const own = narrow ? Int8Array.from(w) : w;
  const wBytes = narrow ? 1 : 2;
  const pair = wBytes * 2;
  const length = roundUp(n, NR) * Math.ceil(k / 2) * pair;
  const bytes = new Int8Array(own.buffer, own.byteOffset, own.byteLength);
  return {
    panels: {
      length,
      write: (target) => {
        if (module === "scalar") writeRows(target, bytes, k * wBytes, Math.ceil(k / 2) * pair);
        else packer.packPanels(pair as 2 | 4, bytes, n, k * wBytes, target);
      },
    },
    wBytes,
  };
}

/** Rows of `size` bytes, each `stride` after the one before, zeros between and after them. */
function writeRows(target: Uint8Array, bytes: Int8Array, size: number, stride: number): void {
  target.fill(0);
  for (let from = 0, to = 0; from < bytes.length; from += size, to += stride)
    target.set(bytes.subarray(from, from + size), to);
}

/** One channel's weights less their zero point; a function of its own, since those are compiled after few calls. */
export function centre(
  w: Int16Array,
  at: number,
  depth: number,
  data: Int8Array,
  from: number,
  step: number,
  zeroPoint: number,
): void {
  for (let i = 0; i < depth; i++) w[at + i] = (data[from + i * step] as number) - zeroPoint;
}

/** Bytes of columns that are packed when they are known, in the scratch of thread 0. */
export const columnBytes = (n: number, pairs: number): number => roundUp(n, NR) * pairs * 4;

/** How rows are blocked; `columns` bytes stand before them in scratch. */
export function wideLayout(m: number, pairs: number, columns: number) {
  const fit = Math.floor(BLOCK_BYTES / Math.max(pairs * 4, 1) / 4) * 4;
  const mBlock = Math.min(Math.max(fit, LEAST_ROWS), roundUp(m, 4), MAX_ROWS);
  return { mBlock, rows: columns, scratchBytes: columns + SUMS + mBlock * 4 + mBlock * pairs * 4 };
}

/**
 * How the reference rounds: `twice` sums of 32 bits by all of the multiplier, `upper` sums of 64 bits by its upper half,
 * `once` by all of it in one rounding.
 */
export type Rounding = "twice" | "upper" | "once";

/** What is known of the sums of each channel. */
interface Sums {
  readonly bias: ArrayLike<number | bigint> | undefined;
  /** Bounds of each sum with its bias. */
  readonly most: Float64Array;
}

/** The forms of `finish.ts`. */
const LANES64 = 0;
const LANES32 = 1;
const UNIFORM = 2;
const RECORD = 144;

/** Records of `finish.ts` for n channels. `narrow`: the kernel has sums of 32 bits, and y is int16. */
export function packLanes(
  module: ModuleName,
  n: number,
  { multiplier, shift }: Multipliers,
  { bias, most }: Sums,
  rounding: Rounding,
  narrow: boolean,
): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(n / NR) * RECORD);
  const view = new DataView(bytes.buffer);
  const one = multiplier.length === 1;
  for (let first = 0; first < n; first += NR) {
    const at = (first / NR) * RECORD;
    const end = Math.min(first + NR, n);
    const lanes = Array.from({ length: end - first }, (_, i) => {
      const c = one ? 0 : first + i;
      return laneOf(multiplier[c] as number, shift[c] as number, rounding);
    });
    const common = narrow && module !== "scalar" ? commonShift(lanes, most.subarray(first, end), rounding) : undefined;
    for (const [i, lane] of lanes.entries()) {
      const value = BigInt(bias?.[first + i] ?? 0);
      if (common === undefined) view.setBigInt64(at + i * 8, value, true);
      else view.setInt32(at + i * 4, Number(value), true);
      view.setInt32(at + 64 + i * 4, lane.factor * (common === undefined ? 1 : 2 ** (common - lane.shift)), true);
      view.setInt32(at + 96 + i * 4, lane.shift, true);
    }
    const form = common !== undefined ? UNIFORM : rounding === "twice" ? LANES32 : LANES64;
    view.setUint32(at + 128, form, true);
    view.setUint32(at + 132, common ?? 0, true);
  }
  return bytes;
}

/** A channel's factor and shift: to the left for `twice`, else to the right. */
function laneOf(multiplier: number, shift: number, rounding: Rounding) {
  if (rounding === "twice") return { factor: multiplier, shift };
  if (rounding === "once") return { factor: multiplier, shift: Math.max(31 - shift, 1) };
  const factor = multiplier < 0x7fff0000 ? (multiplier + 2 ** 15) >> 16 : 0x7fff;
  return { factor, shift: Math.max(15 - shift, 1) };
}

/** One shift for all, where multipliers raised to it, and all sums and results, stay within 32 bits. */
function commonShift(
  lanes: readonly { readonly factor: number; readonly shift: number }[],
  most: Float64Array,
  rounding: Rounding,
): number | undefined {
  if (rounding === "twice") return undefined;
  const common = Math.max(...lanes.map(({ shift }) => shift));
  const fits = lanes.every(({ factor, shift }, i) => {
    const bound = most[i] as number;
    return factor * 2 ** (common - shift) < INT32 && bound < INT32 && (bound * factor) / 2 ** shift < INT32 - 2;
  });
  return fits ? common : undefined;
}
