/**
 * The work of planning that takes longest, in two forms that give the same: these functions, and planner.wasm
 * (`assembly/planner.ts`), some ten times faster in a fresh process, which `loadModule` brings along where it can.
 */
import { interleave, roundUp } from "./gemm.ts";
import type { Channels, Output } from "./requantize.ts";
import { provePositive, proveSigned, type Step } from "./requantize-proof.ts";

/** The forms that are looked for; see `assembly/simd/requantize.ts`. */
export type FloatForm = "signed" | "positive";

/** Two values for each channel, as a record of the vector modules holds them; NaN where no proof was found. */
export interface Proofs {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** What is known of rows of weights. */
export interface RowSums {
  /** Of each row. */
  readonly sum: Int32Array;
  /** Of each row's absolute values. */
  readonly size: Int32Array;
  /** How many weights of all rows are zero. */
  readonly zeros: number;
}

export interface Planner {
  /** One of the float forms for every channel. */
  prove(form: FloatForm, channels: Channels, output: Output): Proofs;
  /** Sums of n rows of k weights. */
  sumRows(data: Int8Array, n: number, k: number): RowSums;
  /** Panels `[n/8][k/KR][8][KR]` of B, int8 `[n][k]`, zero beyond n and k. */
  packPanels(kr: 2 | 4, b: Int8Array, n: number, k: number): Uint8Array;
}

/** Channels that share one record: after one that fails, the others need no proof. */
const PANEL = 8;
/** Bytes of a page of wasm memory. */
const PAGE = 65536;

/** One channel as the proofs take it. */
export function stepOf(channels: Channels, c: number): Step {
  return {
    multiplier: channels.multiplier[c] as number,
    shift: channels.shift[c] as number,
    min: channels.min[c] as number,
    max: channels.max[c] as number,
  };
}

export const planner: Planner = {
  prove(form, channels, output) {
    const n = channels.bias.length;
    const a = new Float32Array(n).fill(Number.NaN);
    const b = new Float32Array(n).fill(Number.NaN);
    const proveStep = form === "positive" ? provePositive : proveSigned;
    for (let c = 0; c < n; ) {
      const values = proveStep(stepOf(channels, c), output);
      if (values === undefined) {
        c += PANEL - (c % PANEL);
        continue;
      }
      a[c] = values[0];
      b[c] = values[1];
      c++;
    }
    return { a, b };
  },
  sumRows(data, n, k) {
    const sum = new Int32Array(n);
    const size = new Int32Array(n);
    let zeros = 0;
    for (let row = 0, at = 0; row < n; row++) {
      let total = 0;
      let totalSize = 0;
      for (const end = at + k; at < end; at++) {
        const w = data[at] as number;
        total += w;
        totalSize += w < 0 ? -w : w;
        if (w === 0) zeros++;
      }
      sum[row] = total;
      size[row] = totalSize;
    }
    return { sum, size, zeros };
  },
  packPanels: interleave,
};

/** What planner.wasm exports; see `assembly/planner.ts`. */
export interface PlannerExports {
  readonly memory: WebAssembly.Memory;
  /** First free address. */
  readonly HEAP: WebAssembly.Global;
  readonly prove: (
    signed: boolean,
    n: number,
    multiplier: number,
    shift: number,
    min: number,
    max: number,
    lo: number,
    hi: number,
    zeroPoint: number,
    scale: number,
    offset: number,
  ) => void;
  readonly sumRows: (weights: number, n: number, k: number, sum: number, size: number) => number;
  readonly packPanels: (target: number, weights: number, n: number, k: number, kr: number) => void;
}

/** The same by planner.wasm, whose memory holds the arguments of one call. */
export function wasmPlanner({ memory, HEAP, ...functions }: PlannerExports): Planner {
  /** Addresses of arrays of these byte lengths, and the memory they stand in, grown where it must. */
  const reserve = (...lengths: readonly number[]) => {
    const addresses: number[] = [];
    let end = HEAP.value as number;
    for (const length of lengths) {
      addresses.push(end);
      end += roundUp(length, 16);
    }
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return { buffer: memory.buffer, addresses };
  };
  return {
    prove(form, { bias, multiplier, shift, min, max }, { lo, hi, zeroPoint }) {
      const n = bias.length;
      const { buffer, addresses } = reserve(n * 4, n * 4, n * 8, n * 8, n * 4, n * 4);
      const [m = 0, s = 0, least = 0, most = 0, a = 0, b = 0] = addresses;
      new Int32Array(buffer, m, n).set(multiplier);
      new Int32Array(buffer, s, n).set(shift);
      new Float64Array(buffer, least, n).set(min);
      new Float64Array(buffer, most, n).set(max);
      functions.prove(form === "signed", n, m, s, least, most, lo, hi, zeroPoint, a, b);
      return { a: new Float32Array(buffer, a, n).slice(), b: new Float32Array(buffer, b, n).slice() };
    },
    sumRows(data, n, k) {
      const { buffer, addresses } = reserve(n * k, n * 4, n * 4);
      const [weights = 0, sum = 0, size = 0] = addresses;
      new Int8Array(buffer, weights, n * k).set(data);
      const zeros = functions.sumRows(weights, n, k, sum, size);
      return { sum: new Int32Array(buffer, sum, n).slice(), size: new Int32Array(buffer, size, n).slice(), zeros };
    },
    packPanels(kr, data, n, k) {
      if (k % kr !== 0) return planner.packPanels(kr, data, n, k);
      const bytes = roundUp(n, PANEL) * k;
      const { buffer, addresses } = reserve(n * k, bytes);
      const [weights = 0, target = 0] = addresses;
      new Int8Array(buffer, weights, n * k).set(data);
      const panels = new Uint8Array(buffer, target, bytes);
      panels.fill(0, Math.floor(n / PANEL) * PANEL * k);
      functions.packPanels(target, weights, n, k, kr);
      return panels.slice();
    },
  };
}
