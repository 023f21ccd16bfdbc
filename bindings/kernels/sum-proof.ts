/**
 * Whether one linear form in 32 bits equals TFLite's addition, whose operands and sum are rounded one after the other.
 * The function has 65536 pairs of arguments: all of them are looked at, once per ADD or SUB when a model is planned.
 */
import { highMul, roundingShift } from "./fixedpoint.ts";
import type { Multiplier, Range } from "./quantization.ts";

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
  readonly form: 1 | 2;
  readonly highFactors: number;
  readonly lowFactors: number;
  readonly zero: number;
  readonly offset: number;
}

/** Fraction bits of the forms 1 and 2 of `assembly/simd/add.ts`. */
const FORMS = [
  [1, 22],
  [2, 21],
] as const;

/** The linear form, where it holds for every pair; 97 of 100 additions with random scales have one. */
export function proveSum(sum: Sum, { lo, hi }: Range): LinearSum | undefined {
  const a = scaledOperand(sum.a, sum.aZeroPoint);
  const b = scaledOperand(sum.b, sum.bZeroPoint).map((v) => sum.sign * v);
  const steps = stepsOf(sum.y, lo - sum.yZeroPoint, hi - sum.yZeroPoint);
  if (steps === undefined) return undefined;
  const unit = sum.y.multiplier * 2 ** (sum.y.shift - 11);
  const aReal = sum.a.multiplier * 2 ** (sum.a.shift - 31) * unit;
  const bReal = sum.sign * sum.b.multiplier * 2 ** (sum.b.shift - 31) * unit;
  const reach =
    Math.abs(aReal) * (128 + Math.abs(sum.aZeroPoint)) + Math.abs(bReal) * (128 + Math.abs(sum.bZeroPoint)) + 2;
  for (const [form, fraction] of FORMS) {
    if (reach * 2 ** fraction >= 2 ** 31) continue;
    const aFactor = Math.round(aReal * 2 ** fraction);
    const bFactor = Math.round(bReal * 2 ** fraction);
    const offset = offsetOf(a, b, steps, lo - sum.yZeroPoint, 2 ** fraction, [
      { factor: aFactor, zeroPoint: sum.aZeroPoint },
      { factor: bFactor, zeroPoint: sum.bZeroPoint },
    ]);
    if (offset === undefined) return undefined;
    return {
      form,
      highFactors: ((aFactor >> 15) & 0xffff) | ((bFactor >> 15) << 16),
      lowFactors: (aFactor & 0x7fff) | ((bFactor & 0x7fff) << 16),
      zero: -sum.aZeroPoint * aFactor - sum.bZeroPoint * bFactor,
      offset,
    };
  }
  return undefined;
}

/** All 256 values of an operand as the reference scales them. */
function scaledOperand({ multiplier, shift }: Multiplier, zeroPoint: number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, i) =>
    roundingShift(highMul((i - 128 - zeroPoint) * 2 ** 20, multiplier), -shift),
  );
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

interface Term {
  readonly factor: number;
  readonly zeroPoint: number;
}

/** An offset with which every pair comes out right, one half if it is one of them. Plain loops: 65536 turns. */
function offsetOf(
  a: Float64Array,
  b: Float64Array,
  steps: Float64Array,
  lo: number,
  unit: number,
  terms: readonly [Term, Term],
): number | undefined {
  const [{ factor: aFactor, zeroPoint: aZero }, { factor: bFactor, zeroPoint: bZero }] = terms;
  const last = steps.length;
  let least = -Infinity;
  let most = Infinity;
  for (let j = 0; j < 256; j++) {
    const v = b[j] as number;
    const tRow = (j - 128 - bZero) * bFactor - (128 + aZero) * aFactor;
    let n = 0;
    for (let i = 0; i < 256; i++) {
      const s = (a[i] as number) + v;
      while (n < last && s >= (steps[n] as number)) n++;
      const t = tRow + i * aFactor;
      const need = (lo + n) * unit - (t < 0 ? t - 1 : t);
      if (n > 0 && need > least) least = need;
      if (n < last && need + unit - 1 < most) most = need + unit - 1;
    }
    if (least > most) return undefined;
  }
  const half = unit / 2;
  return Math.min(Math.max(half, least), most);
}
