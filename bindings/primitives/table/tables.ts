import type { Activation } from "../../graph.ts";
import { expOfNegative, highMul, logistic, rescale, roundingShift, tanh } from "../requantize/fixedpoint.ts";
import {
  type Affine,
  activationRange,
  frexp,
  quantizeMultiplier,
  RANGE,
  type Range,
  roundedToEven,
  roundHalfAway,
} from "../requantize/quantization.ts";

type Byte = "int8" | "uint8";

/** 256 bytes, the entry of q at q & 255: a function of one 8-bit tensor, for the kernel `lookup`. */
export function byteTable(from: Byte, to: Byte, value: (q: number) => number): Uint8Array {
  const table = new Uint8Array(256);
  const { lo, hi } = RANGE[to];
  for (let q = RANGE[from].lo; q <= RANGE[from].hi; q++) table[q & 255] = Math.min(Math.max(value(q), lo), hi);
  return table;
}

/** Rescaling from one scale and zero point to another, with a clamp (RELU and its kin; QUANTIZE of 8-bit types). */
export function rescaleTable(from: Byte, x: Affine, to: Byte, y: Affine, activation: Activation = "none"): Uint8Array {
  const { multiplier, shift } = quantizeMultiplier(x.scale / y.scale);
  const { lo, hi } = activationRange(activation, to, y);
  return byteTable(from, to, (q) => {
    const value = rescale(q - x.zeroPoint, multiplier, shift) + y.zeroPoint;
    return Math.min(Math.max(value, lo), hi);
  });
}

/** Rescaling as ONNX's DequantizeLinear and QuantizeLinear do it, in float32 and half to even. */
export function nearestTable(from: Byte, x: Affine, to: Byte, y: Affine, { lo, hi }: Range): Uint8Array {
  const { fround } = Math;
  return byteTable(from, to, (q) => {
    const real = fround(fround(q - x.zeroPoint) * fround(x.scale));
    return Math.min(Math.max(roundedToEven(fround(real / fround(y.scale))) + y.zeroPoint, lo), hi);
  });
}

/** LEAKY_RELU on int8: one multiplier from zero up, another, which holds alpha, below. Products in doubles, as in TFLM. */
export function leakyReluTable(x: Affine, y: Affine, alpha: number): Uint8Array {
  const up = quantizeMultiplier(x.scale / y.scale);
  const down = quantizeMultiplier((x.scale * Math.fround(alpha)) / y.scale);
  return byteTable("int8", "int8", (q) => {
    const value = q - x.zeroPoint;
    const { multiplier, shift } = value >= 0 ? up : down;
    return rescale(value, multiplier, shift) + y.zeroPoint;
  });
}

/** ABS on int8; with equal scales nothing is rescaled. */
export function absTable(x: Affine, y: Affine): Uint8Array {
  const { multiplier, shift } = quantizeMultiplier(Math.fround(x.scale / y.scale));
  return byteTable("int8", "int8", (q) => {
    const value = Math.abs(q - x.zeroPoint);
    return (x.scale === y.scale ? value : rescale(value, multiplier, shift)) + y.zeroPoint;
  });
}

/** Scale of the input of a function of Q4.27 numbers, and the radius from which the function is saturated. */
function toQ4({ scale }: Affine): { multiplier: number; shift: number; radius: number } {
  const { fraction, exponent } = frexp(scale * 2 ** 27);
  const multiplier = Math.min(roundHalfAway(fraction * 2 ** 31), 2 ** 31 - 1);
  return { multiplier, shift: exponent, radius: inputRadius(4, exponent) };
}

/** The largest input whose Q(integerBits) value stays inside the fixed-point range after a left shift. */
function inputRadius(integerBits: number, shift: number): number {
  return Math.floor(((2 ** integerBits - 1) * 2 ** (31 - integerBits)) / 2 ** shift);
}

/** LOGISTIC on int8; output scale 1/256, zero point −128. */
export function logisticTable(x: Affine): Uint8Array {
  const { multiplier, shift, radius } = toQ4(x);
  return byteTable("int8", "int8", (q) => {
    const value = q - x.zeroPoint;
    if (value <= -radius) return -128;
    if (value >= radius) return 127;
    return roundingShift(logistic(rescale(value, multiplier, shift)), 23) - 128;
  });
}

/** TANH on int8; output scale 1/128, zero point 0. */
export function tanhTable(x: Affine): Uint8Array {
  const { multiplier, shift, radius } = toQ4(x);
  return byteTable("int8", "int8", (q) => {
    const value = q - x.zeroPoint;
    if (value <= -radius) return -128;
    if (value >= radius) return 127;
    return roundingShift(tanh(rescale(value, multiplier, shift)), 24);
  });
}

/** Scale · beta as a factor to Q5.26, and the largest difference that counts; 0 where it is below 2^−26. */
function toQ5(scale: number, beta: number): { multiplier: number; shift: number; radius: number } {
  const real = Math.min(Math.fround(beta) * scale * 2 ** 26, 2 ** 31 - 1);
  const { multiplier, shift } = quantizeMultiplier(real > 1 ? real : 0);
  return { multiplier, shift, radius: inputRadius(5, shift) };
}

/** The exponentials of SOFTMAX: entry d is exp(−d · scale · beta) in Q0.31, 0 where the reference skips it. */
export function softmaxTable({ scale }: Affine, beta: number): Int32Array {
  const { multiplier, shift, radius } = toQ5(scale, beta);
  return Int32Array.from({ length: 256 }, (_, d) =>
    d > radius ? 0 : expOfNegative(highMul(-d * 2 ** shift, multiplier), 5),
  );
}

/** What LOG_SOFTMAX takes of differences d to the row's maximum. */
interface LogSoftmaxTables {
  /** exp(−d · scale) in Q12.19, 0 where the reference skips it, and −d · scale in Q5.26. */
  readonly exps: Int32Array;
  readonly differences: Int32Array;
  /** The least −d that counts, and the factor from Q5.26 back to −d. */
  readonly least: number;
  readonly multiplier: number;
  readonly shift: number;
}

/** The tables and factors of LOG_SOFTMAX on 8 bits. */
export function logSoftmaxTables({ scale }: Affine): LogSoftmaxTables {
  const { multiplier, shift, radius } = toQ5(scale, 1);
  const differences = Int32Array.from({ length: 256 }, (_, d) =>
    d > radius ? 0 : highMul(-d * 2 ** shift, multiplier),
  );
  const exps = differences.map((q5, d) => (d > radius ? 0 : roundingShift(expOfNegative(q5, 5), 12)));
  return { exps, differences, least: -radius, ...quantizeMultiplier(2 ** (31 - shift) / multiplier) };
}

/** HARD_SWISH on int8 in int16 arithmetic; the exponents wrap where TFLite's int16 masks do. */
export function hardSwishTable(x: Affine, y: Affine): Uint8Array {
  const hires = Math.fround(x.scale / 128);
  const out = quantizeMultiplier(Math.fround(hires / y.scale));
  const gate = quantizeMultiplier(Math.fround(hires / Math.fround(3 / 32768)));
  return byteTable("int8", "int8", (q) => {
    const value = (q - x.zeroPoint) * 128;
    const scaled = highMul16(value, toInt16(out.multiplier));
    let weight = gate.shift > 0 ? saturate16(value * 2 ** (gate.shift - 1)) : value;
    weight = highMul16(weight, toInt16(gate.multiplier));
    if (gate.shift > 0) weight = saturate16(weight * 2);
    if (gate.shift < 0) weight = roundingShift16(weight, -gate.shift);
    weight = (weight + 2 ** 15) >> 1;
    return roundingShift16(Math.trunc((weight * scaled) / 2 ** 15), -out.shift) + y.zeroPoint;
  });
}

/** A Q0.31 multiplier as Q0.15. */
function toInt16(multiplier: number): number {
  return Math.min((multiplier + 2 ** 15) / 2 ** 16, 32767) | 0;
}

function saturate16(x: number): number {
  return Math.min(Math.max(x, -32768), 32767);
}

/** floor((a·b + 2^14) / 2^15) of int16, saturating. */
function highMul16(a: number, b: number): number {
  return Math.min((a * b + 2 ** 14) >> 15, 32767);
}

/** roundingShift on int16, whose mask of `exponent` ones is −1 from 16 on. */
function roundingShift16(x: number, exponent: number): number {
  const mask = exponent > 15 ? -1 : 2 ** exponent - 1;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}
