/** Packing for `assembly/product/wide.ts` and `finish.ts`: weights of up to 16 bits, and records of int16 outputs. */
import type { ModuleName } from "../modules.ts";
import type { Multipliers } from "../requantize/quantization.ts";
import { NR, roundUp } from "./panels.ts";

/** Bytes of packed rows that stay in the nearest caches, and the most rows. */
const BLOCK_BYTES = 24 * 1024;
const MAX_ROWS = 128;
/** Rows that share what is read of a panel, however long they are. */
const LEAST_ROWS = 48;
/** Bytes of the sums of four rows. */
const SUMS = 256;
const INT32 = 2 ** 31;

/** Packed columns: bytes, and bytes of an element. */
export interface WidePanels {
  readonly bytes: Uint8Array;
  readonly wBytes: 1 | 2;
}

/** Weights `[n][k]` as the module takes them, in int8 where all fit: rows of whole pairs, or `[n/8][k/2][8][2]`. */
export function packWideWeights(module: ModuleName, w: Int16Array, n: number, k: number): WidePanels {
  const [least, greatest] = extremes(w);
  const narrow = least >= -128 && greatest <= 127;
  const pairs = Math.ceil(k / 2);
  const packed = new (narrow ? Int8Array : Int16Array)(roundUp(n, NR) * pairs * 2);
  for (let column = 0; column < n; column++) {
    const base =
      module === "scalar" ? column * pairs * 2 : Math.floor(column / NR) * pairs * NR * 2 + (column % NR) * 2;
    const step = module === "scalar" ? 2 : NR * 2;
    packColumn(packed, base, step, w, column * k, k);
  }
  return { bytes: new Uint8Array(packed.buffer), wBytes: narrow ? 1 : 2 };
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

/** Puts k weights in pairs that are `step` apart. */
function packColumn(
  packed: Int8Array | Int16Array,
  base: number,
  step: number,
  w: Int16Array,
  from: number,
  k: number,
): void {
  for (let i = 0; i < k; i++) packed[base + (i >> 1) * step + (i & 1)] = w[from + i] as number;
}

/** The least and the greatest of weights and 0. */
export function extremes(w: Int16Array): readonly [number, number] {
  let least = 0;
  let greatest = 0;
  for (let i = 0; i < w.length; i++) {
    const value = w[i] as number;
    if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  return [least, greatest];
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
export interface Sums {
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
