/** int8 ADD, SUB and MUL of one pair, as TensorFlow Lite Micro's reference kernels compute them. */
import type { Affine, Range } from "../../bindings/primitives/requantize/quantization.ts";
import * as fp from "./fixedpoint.ts";

interface Pair {
  readonly a: Affine;
  readonly b: Affine;
  readonly y: Affine;
  readonly range: Range;
}

const clamp = (x: number, { lo, hi }: Range) => Math.min(Math.max(x, lo), hi);

/** The value shifted left by 20 and scaled by a real below 1. */
function scaled(value: number, real: number): number {
  const { multiplier, shift } = fp.quantizeMultiplier(real);
  return fp.roundingDivideByPOT(fp.saturatingRoundingDoublingHighMul(value, multiplier), -shift);
}

export function add(p: number, q: number, { a, b, y, range }: Pair): number {
  const twice = 2 * Math.max(a.scale, b.scale);
  const left = scaled((p - a.zeroPoint) * (1 << 20), a.scale / twice);
  const right = scaled((q - b.zeroPoint) * (1 << 20), b.scale / twice);
  return clamp(scaled(left + right, twice / ((1 << 20) * y.scale)) + y.zeroPoint, range);
}

/** The factors are float32 here. */
export function sub(p: number, q: number, { a, b, y, range }: Pair): number {
  const twice = 2 * Math.max(a.scale, b.scale);
  const left = scaled((p - a.zeroPoint) * (1 << 20), a.scale / twice);
  const right = scaled((q - b.zeroPoint) * (1 << 20), b.scale / twice);
  const real = twice / ((1 << 20) * y.scale);
  return clamp(scaled(left - right, real) + y.zeroPoint, range);
}

export function mul(p: number, q: number, { a, b, y, range }: Pair): number {
  const { multiplier, shift } = fp.quantizeMultiplier((a.scale * b.scale) / y.scale);
  const product = (p - a.zeroPoint) * (q - b.zeroPoint);
  return clamp(fp.multiplyByQuantizedMultiplier(product, multiplier, shift) + y.zeroPoint, range);
}

/** Element of a dense operand that meets the result's index, sizes aligned at the last dimension. */
export function broadcastIndex(shape: readonly number[], index: readonly number[]): number {
  let at = 0;
  for (const [i, size] of shape.entries()) {
    const k = index[i + index.length - shape.length] as number;
    at = at * size + (size === 1 ? 0 : k);
  }
  return at;
}

/** Every index of a shape in order. */
export function* indices(shape: readonly number[]): Generator<readonly number[]> {
  const count = shape.reduce((product, n) => product * n, 1);
  for (let i = 0; i < count; i++) {
    const index: number[] = [];
    let rest = i;
    for (const size of [...shape].reverse()) {
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    yield index;
  }
}
