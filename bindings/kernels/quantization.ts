import type { Activation } from "../graph.ts";

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

/** What an 8-bit type holds. */
export const RANGE: { readonly int8: Range; readonly uint8: Range } = {
  int8: { lo: -128, hi: 127 },
  uint8: { lo: 0, hi: 255 },
};

/** Rounds half away from zero, as C's round does. */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

/** x = fraction · 2^exponent with |fraction| in [0.5, 1); exact. */
export function frexp(x: number): { readonly fraction: number; readonly exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 };
  let exponent = Math.max(-1021, Math.floor(Math.log2(Math.abs(x))) + 1);
  let fraction = x * 2 ** -exponent;
  for (; Math.abs(fraction) >= 1; exponent++) fraction /= 2;
  for (; Math.abs(fraction) < 0.5; exponent--) fraction *= 2;
  return { fraction, exponent };
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

/** Real bounds of an activation. */
const BOUNDS: { readonly [A in Activation]: readonly [number, number] } = {
  none: [-Infinity, Infinity],
  relu: [0, Infinity],
  relu6: [0, 6],
  reluN1To1: [-1, 1],
};

/** The clamp that an activation is on an 8-bit tensor; the division is in float32, as in TFLite. */
export function activationRange(activation: Activation, dtype: "int8" | "uint8", { scale, zeroPoint }: Affine): Range {
  const [least, most] = BOUNDS[activation];
  const { lo, hi } = RANGE[dtype];
  const quantized = (bound: number) => zeroPoint + roundHalfAway(Math.fround(Math.fround(bound) / Math.fround(scale)));
  return { lo: Math.max(lo, quantized(least)), hi: Math.min(hi, quantized(most)) };
}
