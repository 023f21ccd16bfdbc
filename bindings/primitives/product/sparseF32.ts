/**
 * Float weights of which most are zeros, for `assembly/product/spmm-f32.simd.ts`: packing, and when it pays. A zero that is left
 * out makes no NaN of an infinity, so every module leaves out the same ones: by the costs of the vector modules.
 */
import type { ProductF32 } from "./gemmF32.ts";

/** Rows side by side, and their bytes. */
const ROWS = 32;
const STEP = 128;
/** Of a weight that is kept, in weights of the dense product; of turning rows into columns and outputs back, shared by n outputs and by k. */
const COST = 1.05;
const PER_N = 3;
const PER_K = 3;
const DENSE = 0.9;

/** Scratch bytes per thread: columns, and four outputs. */
export const sparseScratchF32 = (k: number): number => (k + 4) * STEP;

/** The weights, `[n][k]`, that are not zero; `undefined` where the dense product is faster. */
export function packSparseF32(
  b: Float32Array,
  bias: Float32Array | undefined,
  { m, n, k }: Pick<ProductF32, "m" | "n" | "k">,
): Uint8Array | undefined {
  if (m < ROWS || n % 4 !== 0 || k % 4 !== 0) return undefined;
  const kept = keptOf(b);
  const blocks = (Math.ceil(m / ROWS) * ROWS) / m;
  if (((kept / b.length) * COST + PER_N / n + PER_K / k) * blocks > DENSE) return undefined;
  const words = new Uint32Array(2 * (n + kept));
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (let o = 0; o < n; o++) {
    const head = at;
    floats[at + 1] = bias?.[o] ?? 0;
    at += 2;
    for (let i = 0; i < k; i++) {
      const value = b[o * k + i] as number;
      if (value === 0) continue;
      words[at] = i * STEP;
      floats[at + 1] = value;
      at += 2;
    }
    words[head] = (at - head - 2) * 4;
  }
  return new Uint8Array(words.buffer);
}

/** How many are not zero. */
function keptOf(b: Float32Array): number {
  let kept = 0;
  for (let i = 0; i < b.length; i++) if (b[i] !== 0) kept++;
  return kept;
}
