/**
 * The work of planning that takes longest, in two forms that give the same: these functions, and packer.wasm
 * (`assembly/packer.ts`, `bindings/packer`), several times faster in a fresh process.
 */
import { interleave } from "../product/panels.ts";
import { type OnnxStep, proveOnce, proveOnnx, provePositive, proveSigned, type Step } from "./requantizeProof.ts";
import type { Channels, Packer } from "./types.ts";

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

/** The same by onnxruntime's rule. */
function onnxStepOf({ scale, min, max }: Channels, c: number): OnnxStep {
  return { scale: scale?.[c] as number, min: min[c] as number, max: max[c] as number };
}

const INTEGER = { positive: provePositive, signed: proveSigned, once: proveOnce };

export const packer: Packer = {
  prove(form, channels, output) {
    const n = channels.bias.length;
    const a = new Float32Array(n).fill(Number.NaN);
    const b = new Float32Array(n).fill(Number.NaN);
    for (let c = 0; c < n; ) {
      const values =
        form === "onnx" ? proveOnnx(onnxStepOf(channels, c), output) : INTEGER[form](stepOf(channels, c), output);
      if (values === undefined) {
        c += form === "once" ? 1 : PANEL - (c % PANEL);
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
  packPanels: (kr, b, n, k, target) => target.set(interleave(kr, b, n, k)),
};
