/** Functions of rows as TensorFlow Lite's reference kernels compute them, on BigInt-backed fixed point. */
import * as fp from "./fixedpoint.ts";

const f = Math.fround;
const round = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
const clamp = (x: number, lo: number, hi: number) => Math.min(Math.max(x, lo), hi);

/** gen_lut of 513 entries from −1 to 1. */
function lut(value: (x: number) => number, least: number, most: number): number[] {
  const step = f(f(most - least) / 512);
  const scaled = (x: number) => f(f(value(f(x))) * 32768);
  const table = Array.from({ length: 512 }, (_, i) => {
    const x = f(least + f(i * step));
    const sample = round(scaled(x));
    const interpolated = round(f(f(scaled(f(least + f((i + 1) * step))) + sample) / 2));
    const error = interpolated - round(scaled(f(x + f(step / 2))));
    return clamp(sample - round(error / 2), -32768, 32767);
  });
  return [...table, clamp(round(scaled(most)), -32768, 32767)];
}

function lookup(value: number, table: readonly number[]): number {
  const index = 256 + Math.floor(value / 128);
  const base = table[index] as number;
  return base + Math.floor((((table[index + 1] as number) - base) * (value & 127) + 64) / 128);
}

const EXP = lut(Math.exp, -10, 0);
const RECIPROCAL = lut((x) => 1 / f(1 + x), 0, 1);

/** SoftmaxInt16. */
export function softmaxInt16(row: readonly number[], scale: number, beta: number): number[] {
  const { multiplier, shift } = fp.quantizeMultiplier((scale * f(beta)) / (10 / 65535));
  const largest = Math.max(...row);
  const exps = row.map((q) =>
    lookup(clamp(fp.multiplyByQuantizedMultiplier(q - largest, multiplier, shift) + 32767, -32768, 32767), EXP),
  );
  const sum = exps.reduce((a, b) => a + b, 0);
  const headroom = Math.clz32(sum);
  const shifted = Math.floor((sum * 2 ** (headroom - 1) + 2 ** 13) / 2 ** 14) - 2 ** 15 - 2 ** 16;
  const reciprocal = lookup(clamp(shifted, -32768, 32767), RECIPROCAL);
  const right = 31 - headroom;
  return exps.map((e) => clamp(Math.floor((e * reciprocal + 2 ** (right - 1)) / 2 ** right), 0, 32767));
}

/** Reals that the fixed-point rows must be near to. */
export function softmaxReal(row: readonly number[], scale: number, beta: number): number[] {
  const largest = Math.max(...row);
  const exps = row.map((q) => Math.exp((q - largest) * scale * beta));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
}
