/**
 * The work of planning that takes longest, in two forms that give the same: these functions, and packer.wasm
 * (`assembly/packer.ts`, `bindings/packer`), several times faster in a fresh process.
 */
import { interleave } from "../product/gemm.ts";
import type { Channels, Output } from "./requantize.ts";
import { provePositive, proveSigned, type Step } from "./requantize-proof.ts";

/** The forms that are looked for; see `assembly/requantize/requantize.simd.ts`. */
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

/** Who does the longest of the work of planning. Opaque: `loadPacker` gives it, `planGraph` takes it. */
export interface Packer {
  /** @internal One of the float forms for every channel. */
  prove(form: FloatForm, channels: Channels, output: Output): Proofs;
  /** @internal Sums of n rows of k weights. */
  sumRows(data: Int8Array, n: number, k: number): RowSums;
  /** @internal Panels `[n/8][k/KR][8][KR]` of B, int8 `[n][k]`, zero beyond n and k. */
  packPanels(kr: 2 | 4, b: Int8Array, n: number, k: number): Uint8Array;
}

/** Channels that share one record: after one that fails, the others need no proof. */
const PANEL = 8;

/** One channel as the proofs take it. */
function stepOf(channels: Channels, c: number): Step {
  return {
    multiplier: channels.multiplier[c] as number,
    shift: channels.shift[c] as number,
    min: channels.min[c] as number,
    max: channels.max[c] as number,
  };
}

export const packer: Packer = {
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
