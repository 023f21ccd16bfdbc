/**
 * Which float forms of requantization equal TFLite's integer arithmetic. Both are monotone in the accumulator, so they
 * are equal everywhere if they agree on both sides of each of the at most 255 steps of the clamped output, and at both
 * ends. The loops here run for every channel of a model when it is planned: plain numbers, no closures.
 */
import type { Output } from "./types.ts";

/** One channel: q(acc) = roundingDivide(roundingDoublingHighMul(acc, multiplier), 2^−shift), min ≤ acc ≤ max. */
export interface Step {
  /** Or rounded once, halves up: floor(acc·multiplier/2^(31−shift) + ½). */
  readonly once?: true;
  readonly multiplier: number;
  readonly shift: number;
  readonly min: number;
  readonly max: number;
}

/** One channel by onnxruntime's rule. */
export interface OnnxStep {
  readonly scale: number;
  readonly min: number;
  readonly max: number;
}

const MAGIC = 12582912; // 1.5·2^23
/** Units in the last place by which the scale is moved to find one that agrees. */
const NUDGES = [0, 1, -1, 2, -2];
/** Quotients up to 2^31 are off by less than this; nearer to a whole number, the exact remainder decides. */
const NEAR = 2 ** -18;
/** What onnxruntime's rule is off by in all, of products up to 256: guesses farther from a whole number are right. */
const ROUNDED = 2 ** -14;
/**
 * Half an interval of offsets from which its middle needs no trial: the offset is below 256, so its rounding is off by at most
 * 2^−17, and f + c is below 128 at every step, so that one is off by at most 2^−18; below 256, with a half for offset, by 2^−17.
 */
const SAFE = 2 ** -16.4;
/** Where in the interval of possible offsets to try. */
const PLACES = [0.5, 0.3, 0.7, 0.15, 0.85, 0.05, 0.95];
const round = Math.fround;

/** The steps that some accumulator reaches: step i goes to output first + i at accumulator thresholds[i]. */
const thresholds = new Float64Array(256);
let first = 0;

/**
 * Fills `thresholds` and `first`; returns how many, or −1 where the arithmetic here would not be exact. A step at
 * output v, t = v − zeroPoint, begins at the least acc with acc·m + 2^30 + half ≥ t·2^(31+e) where t > 0; below, ties
 * go away from zero, which takes one whole unit of the first rounding more. Of one rounding it is acc·m + half, on both sides.
 */
function findSteps(step: Step, output: Output): number {
  const { multiplier, min, max } = step;
  const e = -step.shift;
  if (min < -(2 ** 30) || max >= 2 ** 30 || e < 0) return -1;
  if (e > 13 || multiplier === 0) return -1;
  const unit = 2 ** (31 + e);
  const twice = e > 0 && !step.once;
  const half = 2 ** (30 + e) + (twice ? 2 ** 30 : 0);
  const up = twice ? 2 ** 31 : 0;
  const inverse = 1 / multiplier;
  const high = Math.floor(multiplier / 65536);
  const low = multiplier - high * 65536;
  let count = 0;
  for (let v = output.lo + 1; v <= output.hi; v++) {
    const t = v - output.zeroPoint;
    const n = t * unit - half + (t > 0 ? 0 : up);
    const quotient = n * inverse;
    let at = Math.ceil(quotient);
    if (at < min - 1) continue;
    if (at > max + 1) break;
    if (at - quotient < NEAR || quotient - at + 1 < NEAR) {
      // The remainders are exact: both products are under 2^53.
      while (n - at * high * 65536 - at * low > 0) at++;
      while (n - (at - 1) * high * 65536 - (at - 1) * low <= 0) at--;
    }
    if (at <= min) continue;
    if (at > max) break;
    if (count === 0) first = v;
    thresholds[count++] = at;
  }
  if (count === 0) first = clamp(reference(min, step, output.zeroPoint), output) + 1;
  return count;
}

/** The same of onnxruntime's rule, rint(f32(acc)·scale), half to even; scales too small to have an inverse are not looked at. */
function findOnnxSteps({ scale, min, max }: OnnxStep, output: Output): number {
  if (min < -(2 ** 30) || max >= 2 ** 30 || scale < 2 ** -30) return -1;
  const value = (acc: number) => round(round(round(round(acc) * scale) + MAGIC) - MAGIC);
  let count = 0;
  for (let v = output.lo + 1; v <= output.hi; v++) {
    const t = v - output.zeroPoint;
    const exact = (t - 0.5) / scale;
    let at = Math.ceil(exact);
    if (at < min - 1) continue;
    if (at > max + 1) break;
    if ((at - exact) * scale < ROUNDED || (exact - at + 1) * scale < ROUNDED) {
      while (value(at) < t) at++;
      while (value(at - 1) >= t) at--;
    }
    if (at <= min) continue;
    if (at > max) break;
    if (count === 0) first = v;
    thresholds[count++] = at;
  }
  if (count === 0) first = clamp(value(min) + output.zeroPoint, output) + 1;
  return count;
}

/** The reference itself, on one accumulator. */
export function reference(acc: number, { multiplier, shift, once }: Step, zeroPoint: number): number {
  if (once)
    return zeroPoint + Number((BigInt(acc) * BigInt(multiplier) + (1n << BigInt(30 - shift))) >> BigInt(31 - shift));
  const left = shift > 0 ? acc << shift : acc;
  const x = Number((BigInt(left) * BigInt(multiplier) + (1n << 30n)) >> 31n);
  const scale = 2 ** Math.max(-shift, 0);
  return zeroPoint + Math.sign(x) * Math.floor((Math.abs(x) + (scale > 1 ? scale / 2 : 0)) / scale);
}

/** A value within the output's range. */
export function clamp(q: number, { lo, hi }: Output): number {
  return Math.min(Math.max(q, lo), hi);
}

/** Float scales near one. */
function nudged(s: number, nudge: number): number {
  return round(s + nudge * 2 ** (Math.floor(Math.log2(s)) - 23));
}

/** round(f + c), f = f32(acc)·s. */
function positiveForm(acc: number, s: number, c: number): number {
  return round(round(round(round(acc) * s) + c) + MAGIC) - MAGIC;
}

/** round(f + copysign(c, f)). */
function signedForm(acc: number, s: number, c: number): number {
  const f = round(round(acc) * s);
  return round(round(f + (f < 0 ? -c : c)) + MAGIC) - MAGIC;
}

function positiveAgrees(s: number, c: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const t = thresholds[i] as number;
    if (positiveForm(t, s, c) < first + i || positiveForm(t - 1, s, c) >= first + i) return false;
  }
  return true;
}

function signedAgrees(s: number, c: number, count: number, zeroPoint: number): boolean {
  for (let i = 0; i < count; i++) {
    const t = thresholds[i] as number;
    const v = first + i - zeroPoint;
    if (signedForm(t, s, c) < v || signedForm(t - 1, s, c) >= v) return false;
  }
  return true;
}

/** Values that stay well inside the magic number's range. */
const MOST = 2097000;

/** The values at the least and greatest accumulator, before `added`: inside that range, and right after clamping. */
function endsAgree(bottom: number, top: number, count: number, output: Output, added: number): boolean {
  return (
    Math.abs(bottom) < MOST &&
    Math.abs(top) < MOST &&
    clamp(bottom + added, output) === first - 1 &&
    clamp(top + added, output) === first - 1 + count
  );
}

/**
 * Scale and offset with which round(f32(acc)·scale + offset) is the output, zero point included, where the clamp cuts
 * everything at and below zero (RELU); `undefined` where none was found.
 */
export function provePositive(step: Step, output: Output): readonly [number, number] | undefined {
  const count = findSteps(step, output);
  return count < 0 ? undefined : offsetOf(round(step.multiplier * 2 ** (step.shift - 31)), step, count, output);
}

/** The same where it is rounded once, halves up: on both sides of the zero point. */
export const proveOnce = (step: Step, output: Output): readonly [number, number] | undefined =>
  provePositive({ ...step, once: true }, output);

/** The same for onnxruntime's rule, on both sides of the zero point. */
export function proveOnnx(step: OnnxStep, output: Output): readonly [number, number] | undefined {
  const count = findOnnxSteps(step, output);
  return count < 0 ? undefined : offsetOf(step.scale, step, count, output);
}

function offsetOf(
  scale: number,
  step: Pick<Step, "min" | "max">,
  count: number,
  output: Output,
): readonly [number, number] | undefined {
  for (const nudge of NUDGES) {
    const s = nudged(scale, nudge);
    let least = count === 0 ? output.zeroPoint : -Infinity;
    let most = count === 0 ? output.zeroPoint : Infinity;
    for (let i = 0; i < count; i++) {
      const t = thresholds[i] as number;
      least = Math.max(least, first + i - 0.5 - round(round(t) * s));
      most = Math.min(most, first + i - 0.5 - round(round(t - 1) * s));
    }
    if (least > most) continue;
    for (const place of PLACES) {
      const c = round(least + (most - least) * place);
      if (most - least < 2 * SAFE && !positiveAgrees(s, c, count)) continue;
      if (endsAgree(positiveForm(step.min, s, c), positiveForm(step.max, s, c), count, output, 0)) return [s, c];
    }
  }
  return undefined;
}

/** The same for outputs on both sides of the zero point: round(f + copysign(half, f)), the zero point added after. */
export function proveSigned(step: Step, output: Output): readonly [number, number] | undefined {
  const { zeroPoint } = output;
  const count = findSteps(step, output);
  if (count < 0) return undefined;
  for (const nudge of NUDGES) {
    const s = nudged(round(step.multiplier * 2 ** (step.shift - 31)), nudge);
    let least = 0;
    let most = 0.5;
    for (let i = 0; i < count; i++) {
      const t = thresholds[i] as number;
      const edge = first + i - zeroPoint - 0.5;
      const at = edge - round(round(t) * s);
      const below = edge - round(round(t - 1) * s);
      if (t >= 0) least = Math.max(least, at);
      else most = Math.min(most, -at);
      if (t >= 1) most = Math.min(most, below);
      else least = Math.max(least, -below);
    }
    if (least > most) continue;
    for (const place of PLACES) {
      const c = round(least + (most - least) * place);
      if (most - least < 2 * SAFE && !signedAgrees(s, c, count, zeroPoint)) continue;
      if (endsAgree(signedForm(step.min, s, c), signedForm(step.max, s, c), count, output, zeroPoint)) return [s, c];
    }
  }
  return undefined;
}
