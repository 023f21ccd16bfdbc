/** Functions of one pair, or one number, written as TensorFlow Lite's kernels are; on BigInt where they are of integers. */
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import * as fp from "./fixedpoint.ts";

const f = Math.fround;
const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;
const held = (x: number, lo = -MAX_F32, hi = MAX_F32) => Math.min(Math.max(x, lo), hi);

/** float32, without activation. */
export const REALS: { readonly [kind: string]: (a: number, b: number) => number } = {
  add: (a, b) => held(f(a + b)),
  sub: (a, b) => held(f(a - b)),
  mul: (a, b) => held(f(a * b)),
  div: (a, b) => held(f(a / b)),
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
  squaredDifference: (a, b) => f(f(a - b) * f(a - b)),
  prelu: (a, b) => (a >= 0 ? a : f(a * b)),
  floorDiv: (a, b) => Math.floor(f(a / b)),
  floorMod(a, b) {
    const rest = a % b;
    return rest !== 0 && b < 0 !== rest < 0 ? f(rest + b) : rest;
  },
};

/** Integers; the caller wraps. */
export const WHOLES: { readonly [kind: string]: (a: bigint, b: bigint, bits: number) => bigint } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
  squaredDifference: (a, b) => (a - b) ** 2n,
  floorDiv: (a, b) => (b === 0n ? 0n : (a - ((((a % b) + b) % b) as bigint)) / b),
  floorMod: (a, b) => (b === 0n ? 0n : ((a % b) + b) % b),
  bitwiseXor: (a, b) => a ^ b,
  rightShift: (a, b, bits) => a >> (b < 0n ? 0n : b >= BigInt(bits) ? BigInt(bits - 1) : b),
};

export const COMPARED: { readonly [kind: string]: (a: number, b: number) => boolean } = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
};

interface Scales {
  readonly a: Affine;
  readonly b: Affine;
  readonly y: Affine;
}

function times(value: number, real: number): number {
  const { multiplier, shift } = fp.quantizeMultiplier(real);
  return fp.multiplyByQuantizedMultiplier(value, multiplier, shift);
}

/** Quantized functions of two numbers, before the clamp. */
export const SCALED: {
  readonly [kind: string]: (p: number, q: number, scales: Scales, dtype?: "int8" | "int16") => number;
} = {
  add: (p, q, scales) => sum(p, q, 1, scales),
  sub: (p, q, scales) => sum(p, q, -1, scales),
  mul: (p, q, { a, b, y }) => times((p - a.zeroPoint) * (q - b.zeroPoint), (a.scale * b.scale) / y.scale) + y.zeroPoint,
  squaredDifference(p, q, { a, b, y }, dtype) {
    const twice = 2 * Math.max(a.scale, b.scale);
    const left = dtype === "int16" ? 1 : 128;
    const difference =
      times((p - a.zeroPoint) * left, a.scale / twice) - times((q - b.zeroPoint) * left, b.scale / twice);
    return times(difference * difference, twice ** 2 / (left ** 2 * y.scale)) + y.zeroPoint;
  },
  prelu(p, q, { a, b, y }) {
    const x = p - a.zeroPoint;
    const down = f(f(a.scale * b.scale) / y.scale);
    return (x >= 0 ? times(x, f(a.scale / y.scale)) : times(x * (q - b.zeroPoint), down)) + y.zeroPoint;
  },
  div: (p, q, { a, b, y }) => quotient(p - a.zeroPoint, q - b.zeroPoint, a.scale / (b.scale * y.scale)) + y.zeroPoint,
};

/** DivElementwise: a times the reciprocal of b's mantissa, a with as many leading bits as it can have; 0's mantissa is 0. */
function quotient(a: number, b: number, factor: number): number {
  if (b < 0) return quotient(-a, -b, factor);
  const zeros = Math.clz32(b);
  const mantissa = b === 0 ? 0 : b * 2 ** zeros;
  const headroom = Math.clz32(a < 0 ? ~a : a) - 1;
  const { multiplier, shift } = fp.quantizeMultiplier(factor);
  const high = fp.saturatingRoundingDoublingHighMul;
  const scaled = high(high(a * 2 ** headroom, fp.oneOverOnePlusX(mantissa - 2 ** 31)), multiplier);
  const exponent = 31 - zeros + headroom - shift;
  // beyond 31 its mask of the remainder is all ones, and x86 shifts by the low five bits
  return exponent > 31 ? (scaled >> (exponent & 31)) + (scaled >= 0 ? 1 : 0) : fp.roundingDivideByPOT(scaled, exponent);
}

/** Sums of int16, shifted left by 15. */
function sum(p: number, q: number, sign: number, { a, b, y }: Scales): number {
  const twice = 2 * Math.max(a.scale, b.scale);
  const left = times((p - a.zeroPoint) * 2 ** 15, a.scale / twice);
  const right = times((q - b.zeroPoint) * 2 ** 15, b.scale / twice);
  return times(left + sign * right, twice / (2 ** 15 * y.scale)) + y.zeroPoint;
}

/** A number of int8 with a scale as comparisons see it. */
export function comparable(q: number, { scale, zeroPoint }: Affine): number {
  return times((q - zeroPoint) * 256, scale);
}
