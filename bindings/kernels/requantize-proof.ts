/**
 * Which float forms of requantization equal TFLite's integer arithmetic. Both are monotone in the accumulator, so they
 * are equal everywhere if they agree on both sides of each of the at most 255 steps of the clamped output.
 */
import type { Output } from "./requantize.ts";

/** One channel: q(acc) = roundingDivide(roundingDoublingHighMul(acc, multiplier), 2^−shift), min ≤ acc ≤ max. */
export interface Step {
  readonly multiplier: number;
  readonly shift: number;
  readonly min: number;
  readonly max: number;
}

const MAGIC = 12582912; // 1.5·2^23
/** Units in the last place by which the scale is moved to find one that agrees. */
const NUDGES = [0, 1, -1, 2, -2];
/** Where in the interval of possible offsets to try. */
const PLACES = [0.5, 0.3, 0.7, 0.15, 0.85, 0.05, 0.95];
const round = Math.fround;

/** Steps that some accumulator reaches: the output value, and the least accumulator that gives it. */
const values = new Float64Array(256);
const thresholds = new Float64Array(256);

/** The least whole number not below n/m, for exact n up to 2^53 and m below 2^31. */
function ceilDivide(n: number, m: number): number {
  let t = Math.ceil(n / m);
  const high = Math.floor(m / 65536);
  const low = m - high * 65536;
  // remainder n − t·m without rounding: both products are below 2^53
  const above = (x: number) => n - x * high * 65536 - x * low;
  while (above(t) > 0) t++;
  while (above(t - 1) <= 0) t--;
  return t;
}

/** Fills `values` and `thresholds`; returns how many, or −1 where the arithmetic here would not be exact. */
function findSteps({ multiplier, shift, min, max }: Step, { zeroPoint, lo, hi }: Output): number {
  const e = -shift;
  if (e < 0 || e > 13 || multiplier === 0 || min < -(2 ** 30) || max >= 2 ** 30) return -1;
  const unit = 2 ** (31 + e);
  const half = e > 0 ? 2 ** (30 + e) : 0;
  const up = e > 0 ? 2 ** 31 : 0;
  let count = 0;
  for (let v = lo + 1; v <= hi; v++) {
    const t = v - zeroPoint;
    // t > 0: (acc·m + 2^30 + half) ≥ t·unit; t ≤ 0: ties go away from zero, so one whole product more is needed
    const t0 = ceilDivide(t * unit - half - 2 ** 30 + (t > 0 ? 0 : up), multiplier);
    if (t0 <= min) continue;
    if (t0 > max) break;
    values[count] = v;
    thresholds[count] = t0;
    count++;
  }
  return count;
}

/** What the reference gives at the least and greatest accumulator, from the steps in between. */
function ends(count: number, step: Step, output: Output): readonly [number, number] | undefined {
  if (count > 0) return [(values[0] as number) - 1, values[count - 1] as number];
  const only = clamp(reference(step.min, step, output.zeroPoint), output);
  return [only, only];
}

/** The reference itself, on one accumulator. */
export function reference(acc: number, { multiplier, shift }: Step, zeroPoint: number): number {
  const left = shift > 0 ? acc << shift : acc;
  const x = Number((BigInt(left) * BigInt(multiplier) + (1n << 30n)) >> 31n);
  const scale = 2 ** Math.max(-shift, 0);
  return zeroPoint + Math.sign(x) * Math.floor((Math.abs(x) + (scale > 1 ? scale / 2 : 0)) / scale);
}

function clamp(q: number, { lo, hi }: Output): number {
  return Math.min(Math.max(q, lo), hi);
}

/** Float scales near the real multiplier. */
function scaleOf({ multiplier, shift }: Step, nudge: number): number {
  const s = round(multiplier * 2 ** (shift - 31));
  return s + nudge * 2 ** (Math.floor(Math.log2(s)) - 23);
}

/** True where `form` gives the reference's value on both sides of every step and at both ends. */
function agrees(form: (acc: number) => number, count: number, step: Step, output: Output): boolean {
  for (let i = 0; i < count; i++) {
    const t = thresholds[i] as number;
    const v = values[i] as number;
    if (form(t) < v || form(t - 1) >= v) return false;
  }
  const [first, last] = ends(count, step, output) as readonly [number, number];
  const bottom = form(step.min);
  const top = form(step.max);
  return (
    Math.abs(bottom) < 2 ** 21 &&
    Math.abs(top) < 2 ** 21 &&
    clamp(bottom, output) === first &&
    clamp(top, output) === last
  );
}

/**
 * Scale and offset with which round(f32(acc)·scale + offset) is the output, zero point included, where the clamp cuts
 * everything at and below zero (RELU); `undefined` where none was found.
 */
export function provePositive(step: Step, output: Output): readonly [number, number] | undefined {
  const count = findSteps(step, output);
  if (count < 0) return undefined;
  for (const nudge of NUDGES) {
    const s = scaleOf(step, nudge);
    let least = -Infinity;
    let most = Infinity;
    for (let i = 0; i < count; i++) {
      const t = thresholds[i] as number;
      const edge = (values[i] as number) - 0.5;
      least = Math.max(least, edge - round(round(t) * s));
      most = Math.min(most, edge - round(round(t - 1) * s));
    }
    if (count === 0) least = most = output.zeroPoint;
    if (least > most) continue;
    for (const place of PLACES) {
      const c = round(least + (most - least) * place);
      const form = (acc: number) => round(round(round(round(acc) * s) + c) + MAGIC) - MAGIC;
      if (agrees(form, count, step, output)) return [s, c];
    }
  }
  return undefined;
}

/** The same for outputs on both sides of the zero point: round(f + copysign(half, f)) with f = f32(acc)·scale. */
export function proveSigned(step: Step, output: Output): readonly [number, number] | undefined {
  const { zeroPoint } = output;
  const count = findSteps(step, output);
  if (count < 0) return undefined;
  for (const nudge of NUDGES) {
    const s = scaleOf(step, nudge);
    let least = 0;
    let most = 0.5;
    for (let i = 0; i < count; i++) {
      const t = thresholds[i] as number;
      const edge = (values[i] as number) - zeroPoint - 0.5;
      const at = edge - round(round(t) * s);
      const below = edge - round(round(t - 1) * s);
      if (t >= 0) least = Math.max(least, at);
      else most = Math.min(most, -at);
      if (t - 1 >= 0) most = Math.min(most, below);
      else least = Math.max(least, -below);
    }
    if (least > most) continue;
    for (const place of PLACES) {
      const c = round(least + (most - least) * place);
      const form = (acc: number) => {
        const f = round(round(acc) * s);
        return round(round(f + (f < 0 ? -c : c)) + MAGIC) - MAGIC + zeroPoint;
      };
      if (agrees(form, count, step, output)) return [s, c];
    }
  }
  return undefined;
}
