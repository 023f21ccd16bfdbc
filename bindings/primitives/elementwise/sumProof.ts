/**
 * Whether one linear form in 32 bits equals TFLite's addition, whose operands and sum are rounded one after the other.
 * The two differ by less than a known bound, so that of the 65536 pairs of arguments only those matter whose sum is that
 * close to where the output steps. As the operand with the larger scale is scaled by exactly 2^19, these are found by
 * the remainders of the other operand modulo 2^19: some microseconds in place of a millisecond for all pairs.
 */
import { highMul, roundingShift } from "../requantize/fixedpoint.ts";
import type { Multiplier, Range } from "../requantize/quantization.ts";

/** What an addition is made of: the operands' factors to 2^−20 of twice the larger scale, and the sum's to the output. */
export interface Sum {
  readonly a: Multiplier;
  readonly b: Multiplier;
  readonly y: Multiplier;
  readonly aZeroPoint: number;
  readonly bZeroPoint: number;
  readonly yZeroPoint: number;
  /** −1 subtracts. */
  readonly sign: 1 | -1;
}

/**
 * Fields of an `Add` block: y = zeroPoint + (t + offset − (t < 0)) >> fraction, t = a·aFactor + b·bFactor + zero, where
 * a factor is high·2^15 + low.
 */
export interface LinearSum {
  readonly form: number;
  readonly highFactors: number;
  readonly lowFactors: number;
  readonly zero: number;
  readonly offset: number;
}

/** Fraction bits of the forms 1 to 5 of `assembly/elementwise/rows.simd.ts`: as many as 32 bits leave. */
const FRACTIONS = [22, 21, 20, 19, 18] as const;

/** The factor of the operand with the larger scale: 2^20 times one half. */
const WHOLE = 2 ** 19;
/** What is added to the nearest factors, the least first. */
const NUDGES = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
] as const;
/** How far, in units of the form, an offset may be from one half. */
const TOLERANCE = 100;

/** The linear form, where it holds for every pair: for 997 of 1000 additions with random scales. */
export function proveSum(sum: Sum, { lo, hi }: Range): LinearSum | undefined {
  const steps = stepsOf(sum.y, lo - sum.yZeroPoint, hi - sum.yZeroPoint);
  if (steps === undefined) return undefined;
  const scale = sum.y.multiplier * 2 ** (sum.y.shift - 31);
  const aReal = sum.a.multiplier * 2 ** (sum.a.shift - 11) * scale;
  const bReal = sum.sign * sum.b.multiplier * 2 ** (sum.b.shift - 11) * scale;
  const reach =
    Math.abs(aReal) * (128 + Math.abs(sum.aZeroPoint)) + Math.abs(bReal) * (128 + Math.abs(sum.bZeroPoint)) + 2;
  for (const [at, fraction] of FRACTIONS.entries()) {
    const unit = 2 ** fraction;
    if (reach * unit >= 2 ** 31) continue;
    for (const [aNudge, bNudge] of NUDGES) {
      const aFactor = Math.round(aReal * unit) + aNudge;
      const bFactor = Math.round(bReal * unit) + bNudge;
      const a = { ...sum.a, zeroPoint: sum.aZeroPoint, sign: 1, factor: aFactor };
      const b = { ...sum.b, zeroPoint: sum.bZeroPoint, sign: sum.sign, factor: bFactor };
      const [whole, other] = a.multiplier === 2 ** 30 && a.shift === 0 ? [a, b] : [b, a];
      if (whole.multiplier !== 2 ** 30 || whole.shift !== 0) return undefined;
      const off = 300 + 256 * (Math.abs(aNudge) + Math.abs(bNudge));
      const bound = 2 ** (1 + sum.y.shift) + 3 * scale + (off + TOLERANCE) / unit;
      const offset = offsetOf(whole, other, steps, lo - sum.yZeroPoint, unit, Math.ceil(bound / scale));
      if (offset === undefined) continue;
      return {
        form: at + 1,
        highFactors: ((aFactor >> 15) & 0xffff) | ((bFactor >> 15) << 16),
        lowFactors: (aFactor & 0x7fff) | ((bFactor & 0x7fff) << 16),
        zero: -sum.aZeroPoint * aFactor - sum.bZeroPoint * bFactor,
        offset,
      };
    }
  }
  return undefined;
}

/** All 256 values of an operand as the reference scales them. */
function scaledOperand({ multiplier, shift }: Multiplier, zeroPoint: number): Float64Array {
  const values = new Float64Array(256);
  for (let i = 0; i < 256; i++) values[i] = roundingShift(highMul((i - 128 - zeroPoint) * 2 ** 20, multiplier), -shift);
  return values;
}

/** For each output above `lo` the least sum that gives it; zero points are taken off. */
function stepsOf({ multiplier, shift }: Multiplier, lo: number, hi: number): Float64Array | undefined {
  const e = -shift;
  if (multiplier === 0 || e < 0 || hi < lo) return undefined;
  const steps = new Float64Array(hi - lo);
  for (let i = 0; i < steps.length; i++) {
    const v = lo + 1 + i;
    const n = v * 2 ** (31 + e) - 2 ** 30 - (e === 0 ? 0 : 2 ** (30 + e) - (v > 0 ? 0 : 2 ** 31));
    let at = Math.ceil(n / multiplier);
    if (at > 2 ** 30) at = 2 ** 30;
    else if (at < -(2 ** 30)) at = -(2 ** 30);
    else {
      while (roundingShift(highMul(at, multiplier), e) < v) at++;
      while (roundingShift(highMul(at - 1, multiplier), e) >= v) at--;
    }
    steps[i] = at;
  }
  return steps;
}

interface Operand extends Multiplier {
  readonly zeroPoint: number;
  readonly sign: number;
  readonly factor: number;
}

/** Remainders modulo 2^19 in buckets of 2^10. */
const BUCKETS = 512;
const heads = new Int16Array(BUCKETS);
const nexts = new Int16Array(256);

/**
 * An offset with which all pairs come out right, one half if it is one of them. In units of the output, of scale
 * c = 2^−19·(factor of `whole`)/unit: a step lies within 2·2^−e + c of where rounding the real sum has it; the factors
 * are off by 1/2 and what they are nudged by, and the differences to zero points at most 255; the scaled operand is off by 1. So pairs further than
 * `near` from a step are right with every offset that TOLERANCE allows, and the others are looked at.
 */
function offsetOf(
  whole: Operand,
  other: Operand,
  steps: Float64Array,
  lo: number,
  unit: number,
  near: number,
): number | undefined {
  if (near >= WHOLE / BUCKETS) return undefined;
  const values = scaledOperand(other, other.zeroPoint);
  heads.fill(-1);
  for (let j = 0; j < 256; j++) {
    values[j] = other.sign * (values[j] as number);
    const bucket = ((values[j] as number) & (WHOLE - 1)) >> 10;
    nexts[j] = heads[bucket] as number;
    heads[bucket] = j;
  }
  let least = unit / 2 - TOLERANCE;
  let most = unit / 2 + TOLERANCE;
  for (let n = 0; n < steps.length && least <= most; n++) {
    const step = steps[n] as number;
    const first = (step - near) >> 10;
    const last = (step + near) >> 10;
    for (let bucket = first; bucket <= last; bucket++) {
      for (let j = heads[bucket & (BUCKETS - 1)] as number; j >= 0; j = nexts[j] as number) {
        const value = values[j] as number;
        const x = Math.round((step - value) / WHOLE);
        const distance = x * WHOLE + value - step;
        const i = whole.sign * x + whole.zeroPoint;
        if (Math.abs(distance) > near || i < -128 || i > 127) continue;
        const t = whole.sign * x * whole.factor + (j - 128 - other.zeroPoint) * other.factor;
        const need = (lo + 1 + n) * unit - (t < 0 ? t - 1 : t);
        if (distance >= 0) least = Math.max(least, need);
        else most = Math.min(most, need - 1);
      }
    }
  }
  return least > most ? undefined : Math.min(Math.max(unit / 2, least), most);
}
