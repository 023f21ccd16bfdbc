import type { Activation } from "../../graph.ts";

/** A positive real as an int32 fixed-point factor: real = multiplier · 2^(shift − 31), multiplier in [2^30, 2^31). */
export interface Multiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** One scale and one zero point. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Bounds of a clamp, in quantized units. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Types that scales are given to. */
export type Quantized = "int8" | "uint8" | "int16" | "int32";

/** What a quantized type holds. */
export const RANGE: { readonly [Q in Quantized]: Range } = {
  int8: { lo: -128, hi: 127 },
  uint8: { lo: 0, hi: 255 },
  int16: { lo: -32768, hi: 32767 },
  int32: { lo: -(2 ** 31), hi: 2 ** 31 - 1 },
};

/** Rounds half away from zero, as C's round does. */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

/** Rounds half to even, as rint does. */
export function roundedToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The bits of one double: its word with the sign and the exponent is the second on little-endian machines. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
/** The exponent field of doubles in [0.5, 1). */
const HALF = 1022;
/** Subnormal doubles times this are normal. */
const NORMAL = 2 ** 64;

/** x = fraction · 2^exponent with |fraction| in [0.5, 1); exact. */
export function frexp(x: number): { readonly fraction: number; readonly exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 };
  double[0] = x;
  const high = words[HIGH] as number;
  const field = (high >>> 20) & 0x7ff;
  if (field === 0) {
    const { fraction, exponent } = frexp(x * NORMAL);
    return { fraction, exponent: exponent - 64 };
  }
  words[HIGH] = (high & 0x800fffff) | (HALF << 20);
  return { fraction: double[0], exponent: field - HALF };
}

/** TFLite's QuantizeMultiplier: the 31-bit factor nearest to `real`; below 2^−32 it is flushed to 0. */
export function quantizeMultiplier(real: number): Multiplier {
  const { fraction, exponent } = frexp(real);
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  let shift = exponent;
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

let powers: Float64Array | undefined;

/** 2^(−i) for i from 0 to 63. */
export function halves(): Float64Array {
  powers ??= new Float64Array(64).map((_, i) => 2 ** -i);
  return powers;
}

/** Several factors; of a struct of arrays, since layers have thousands. */
export interface Multipliers {
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
}

/** `quantizeMultiplier` of each. */
export function quantizeMultipliers(reals: ArrayLike<number>): Multipliers {
  const multiplier = new Int32Array(reals.length);
  const shift = new Int32Array(reals.length);
  for (let i = 0; i < reals.length; i++) {
    double[0] = reals[i] as number;
    const high = words[HIGH] as number;
    const field = high >>> 20;
    // 2^(−31) to 2^(30): neither a sign, nor rounding at an end
    if (field > HALF - 31 && field < HALF + 30) {
      words[HIGH] = (high & 0xfffff) | (HALF << 20);
      const factor = double[0] * 2 ** 31;
      const whole = Math.floor(factor);
      const rounded = factor - whole >= 0.5 ? whole + 1 : whole;
      multiplier[i] = rounded === 2 ** 31 ? 2 ** 30 : rounded;
      shift[i] = rounded === 2 ** 31 ? field - HALF + 1 : field - HALF;
    } else {
      const one = quantizeMultiplier(reals[i] as number);
      multiplier[i] = one.multiplier;
      shift[i] = one.shift;
    }
  }
  return { multiplier, shift };
}

/** Real bounds of an activation. */
export const BOUNDS: { readonly [A in Activation]: readonly [number, number] } = {
  none: [-Infinity, Infinity],
  relu: [0, Infinity],
  relu6: [0, 6],
  reluN1To1: [-1, 1],
};

const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;

/** The clamp that an activation is on floats: to finite numbers where there is none, as in TFLite; else to `most`. */
export function boundsOf(activation: Activation, most = MAX_F32): Range {
  const [lo, hi] = BOUNDS[activation];
  return { lo: Math.max(lo, -most), hi: Math.min(hi, most) };
}

/** The clamp that an activation is on a quantized tensor; the division is in float32, as in TFLite. */
export function activationRange(activation: Activation, dtype: Quantized, { scale, zeroPoint }: Affine): Range {
  const [least, most] = BOUNDS[activation];
  const { lo, hi } = RANGE[dtype];
  const quantized = (bound: number) => zeroPoint + roundHalfAway(Math.fround(Math.fround(bound) / Math.fround(scale)));
  return { lo: Math.max(lo, quantized(least)), hi: Math.min(hi, quantized(most)) };
}
