/** int8 functions of one element, as TensorFlow Lite Micro's reference kernels compute them. */
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import * as fp from "./fixedpoint.ts";

export const clampInt8 = (x: number) => Math.min(Math.max(x, -128), 127);
/** C's round. */
export const round = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** ReluQuantized with real bounds; 8-bit output from lo to hi. */
export function rectify(q: number, x: Affine, y: Affine, least: number, most: number, lo = -128, hi = 127): number {
  const { multiplier, shift } = fp.quantizeMultiplier(x.scale / y.scale);
  const value = y.zeroPoint + fp.multiplyByQuantizedMultiplier(q - x.zeroPoint, multiplier, shift);
  const bottom = Math.max(lo, y.zeroPoint + round(Math.fround(least / y.scale)));
  const top = Math.min(hi, y.zeroPoint + round(Math.fround(most / y.scale)));
  return Math.min(Math.max(value, bottom), top);
}

export function leakyRelu(q: number, x: Affine, y: Affine, alpha: number): number {
  const value = q - x.zeroPoint;
  const real = value >= 0 ? x.scale / y.scale : (x.scale * alpha) / y.scale;
  const { multiplier, shift } = fp.quantizeMultiplier(real);
  return clampInt8(y.zeroPoint + fp.multiplyByQuantizedMultiplier(value, multiplier, shift));
}

/** LOGISTIC or TANH: Q4 input, saturated from the radius on. */
function saturating(q: number, x: Affine, f: (raw: number) => number): number {
  let fraction = x.scale * 2 ** 27;
  let shift = 0;
  for (; fraction >= 1; shift++) fraction /= 2;
  for (; fraction < 0.5; shift--) fraction *= 2;
  const radius = Math.floor((15 * 2 ** 27) / 2 ** shift);
  const value = q - x.zeroPoint;
  if (value <= -radius) return -128;
  if (value >= radius) return 127;
  return f(fp.multiplyByQuantizedMultiplier(value, round(fraction * 2 ** 31), shift));
}

export function logistic(q: number, x: Affine): number {
  return saturating(q, x, (raw) => clampInt8(fp.roundingDivideByPOT(fp.logistic(raw), 31 - 8) - 128));
}

export function tanh(q: number, x: Affine): number {
  return saturating(q, x, (raw) => clampInt8(fp.roundingDivideByPOT(fp.tanh(raw), 31 - 7)));
}

const int16 = (x: number) => (x << 16) >> 16;

function saturatingLeftShift(value: number, amount: number): number {
  return Math.min(Math.max(value * 2 ** amount, -32768), 32767);
}

function highMul16(a: number, b: number): number {
  if (a === -32768 && b === -32768) return 32767;
  const product = a * b;
  return Math.trunc((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

/** RoundingDivideByPOT<int16>: the mask is an int16. */
function divideByPOT16(x: number, exponent: number): number {
  const mask = int16(Number((1n << BigInt(exponent)) - 1n));
  const threshold = int16((mask >> 1) + (x < 0 ? 1 : 0));
  return (x >> Math.min(exponent, 31)) + ((x & mask) > threshold ? 1 : 0);
}

function downScale(multiplier: number): number {
  return multiplier >= 2 ** 31 - 1 - (1 << 15) ? 32767 : (multiplier + (1 << 15)) >> 16;
}

export function hardSwish(q: number, x: Affine, y: Affine): number {
  const hires = Math.fround(Math.fround(1 / 128) * x.scale);
  const output = fp.quantizeMultiplier(Math.fround(hires / y.scale));
  const reluish = fp.quantizeMultiplier(Math.fround(hires / Math.fround(3 / 32768)));
  const value = int16((q - x.zeroPoint) * 128);
  const preshift = highMul16(value, downScale(output.multiplier));
  let gate = value;
  if (reluish.shift > 0) gate = saturatingLeftShift(gate, reluish.shift - 1);
  gate = highMul16(gate, downScale(reluish.multiplier));
  if (reluish.shift > 0) gate = saturatingLeftShift(gate, 1);
  if (reluish.shift < 0) gate = divideByPOT16(gate, -reluish.shift);
  gate = (gate + (1 << 15)) >> 1;
  const product = Math.trunc((gate * preshift) / (1 << 15));
  return clampInt8(divideByPOT16(product, -output.shift) + y.zeroPoint);
}

/** AffineQuantize: float32 division, rounded half away from zero. */
export function affineQuantize(x: number, { scale, zeroPoint }: Affine, lo: number, hi: number): number {
  const q = round(Math.fround(x / scale)) + zeroPoint;
  return Math.min(Math.max(q, lo), hi);
}
