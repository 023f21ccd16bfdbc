/**
 * Proofs of requantization, as `bindings/primitives/requantize/requantizeProof.ts` finds them and explains them, two thresholds at a
 * time.
 */

import { fillOnnxSteps, onnxForm } from "./onnx-steps";
import { clamp, first, found, setFirst, start, THRESHOLDS } from "./thresholds";

const MAGIC: f32 = 12582912;
const NEAR: f64 = 0.000003814697265625; // 2^-18
const SAFE: f64 = 1.156399968345947e-05; // 2^-16.4
const PLACES = memory.data<f64>([0.5, 0.3, 0.7, 0.15, 0.85, 0.05, 0.95]);

/** What is looked for: `proveSigned`, `provePositive`, `proveOnnx`, whose multipliers are the bits of float32 factors, or `proveOnce`. */
const SIGNED: i32 = 1;
const ONNX: i32 = 2;
const ONCE: i32 = 3;

/**
 * One of the proofs for n channels whose multipliers, shifts, least and greatest accumulators stand at
 * these addresses (i32, i32, f64, f64). Writes each one's scale and offset (f32), both NaN where there is none. Of eight
 * channels that share a record, those after one that failed are left NaN but where rounded once.
 */
export function prove(
  rule: i32,
  n: u32,
  multiplier: usize,
  shift: usize,
  min: usize,
  max: usize,
  lo: i32,
  hi: i32,
  zeroPoint: i32,
  scale: usize,
  offset: usize,
): void {
  let failed = false;
  for (let i: usize = 0; i < n; i++) {
    if ((i & 7) == 0) failed = false;
    store<f32>(scale + (i << 2), NaN);
    store<f32>(offset + (i << 2), NaN);
    if (failed && rule != ONCE) continue;
    failed = !proveChannel(
      rule,
      load<i32>(multiplier + (i << 2)),
      load<i32>(shift + (i << 2)),
      load<f64>(min + (i << 3)),
      load<f64>(max + (i << 3)),
      lo,
      hi,
      zeroPoint,
      scale + (i << 2),
      offset + (i << 2),
    );
  }
}

function proveChannel(
  rule: i32,
  multiplier: i32,
  shift: i32,
  min: f64,
  max: f64,
  lo: i32,
  hi: i32,
  zeroPoint: i32,
  scale: usize,
  offset: usize,
): bool {
  const signed = rule == SIGNED;
  let isFilled: bool;
  let nearest: f32;
  if (rule == ONNX) {
    nearest = reinterpret<f32>(multiplier);
    isFilled = fillOnnxSteps(nearest, min, max, lo, hi, zeroPoint);
  } else {
    nearest = <f32>(<f64>multiplier * power(shift - 31));
    isFilled = fillSteps(rule == ONCE, multiplier, -shift, min, max, lo, hi, zeroPoint);
  }
  if (!isFilled) return false;
  const count = found(lo, hi, min, max);
  if (count == 0) {
    const only = rule == ONNX ? onnxForm(<f32>min, nearest) : reference(rule == ONCE, <i64>min, multiplier, -shift);
    setFirst(clamp(only + zeroPoint, lo, hi) + 1);
  }
  const ulp = reinterpret<f32>((reinterpret<u32>(nearest) & 0x7f800000) - (23 << 23));
  for (let nudge = 0; nudge < 5; nudge++) {
    const units = nudge & 1 ? (nudge + 1) >> 1 : -(nudge >> 1);
    const s = nearest + <f32>units * ulp;
    if (signed) signedInterval(s, count, zeroPoint);
    else interval(s, count, zeroPoint);
    const least = leastOffset;
    const most = mostOffset;
    if (least > most) continue;
    for (let place: usize = 0; place < 7; place++) {
      const c = <f32>(least + (most - least) * load<f64>(PLACES + (place << 3)));
      if (most - least < 2 * SAFE && !agrees(signed, s, c, count, zeroPoint)) continue;
      if (!endsAgree(form(signed, <f32>min, s, c), form(signed, <f32>max, s, c), count, lo, hi, signed ? zeroPoint : 0)) continue;
      store<f32>(scale, s);
      store<f32>(offset, c);
      return true;
    }
  }
  return false;
}

/** 2^exponent, −1022 to 1023. */
function power(exponent: i32): f64 {
  return reinterpret<f64>(<u64>(exponent + 1023) << 52);
}

/** Writes the thresholds of all outputs; false where arithmetic here is not exact. Those that no accumulator reaches may be guesses. */
function fillSteps(once: bool, multiplier: i32, e: i32, least: f64, most: f64, lo: i32, hi: i32, zeroPoint: i32): bool {
  if (least < -1073741824 || most >= 1073741824 || e < 0 || e > 13 || multiplier == 0) return false;
  const unit = power(31 + e);
  const twice = e > 0 && !once;
  const above = -power(30 + e) - (twice ? 1073741824 : 0);
  // Outputs up to the zero point, whose ties go the other way, then those above it.
  const split = max(min(zeroPoint, hi), lo);
  const below = above + (twice ? 2147483648 : 0);
  findRun(THRESHOLDS, <f64>(lo + 1 - zeroPoint) * unit + below, unit, split - lo, multiplier, least, most);
  const upper = THRESHOLDS + (<usize>(split - lo) << 3);
  findRun(upper, <f64>(split + 1 - zeroPoint) * unit + above, unit, hi - split, multiplier, least, most);
  return true;
}

/**
 * The least accumulators whose products reach n, n + unit, …: `count` of them to `at`, and perhaps one more. Quotients
 * next to a whole number are settled by exact arithmetic.
 */
function findRun(at: usize, n: f64, unit: f64, count: i32, multiplier: i32, min: f64, max: f64): void {
  const inverse = f64x2.splat(1 / <f64>multiplier);
  const middle = f64x2.splat(0.5);
  const near = f64x2.splat(0.5 - NEAR);
  const stride = f64x2.splat(2 * unit);
  let both = f64x2.replace_lane(f64x2.splat(n), 1, n + unit);
  for (; count > 0; count -= 2) {
    const quotient = f64x2.mul(both, inverse);
    const least = f64x2.ceil(quotient);
    v128.store(at, least);
    if (v128.any_true(f64x2.gt(f64x2.abs(f64x2.sub(f64x2.sub(least, quotient), middle)), near))) {
      settle(at, f64x2.extract_lane(both, 0), multiplier, min, max);
      settle(at + 8, f64x2.extract_lane(both, 1), multiplier, min, max);
    }
    both = f64x2.add(both, stride);
    at += 16;
  }
}

/** The least accumulator whose product reaches n, from a guess that is off by less than one where it matters. */
function settle(address: usize, n: f64, multiplier: i32, min: f64, max: f64): void {
  const guess = load<f64>(address);
  if (guess < min - 1 || guess > max + 1) return;
  const target = <i64>n;
  let at = <i64>guess;
  while (at * <i64>multiplier < target) at++;
  while ((at - 1) * <i64>multiplier >= target) at--;
  store<f64>(address, <f64>at);
}

/** The reference on one accumulator, without the zero point. */
function reference(once: bool, acc: i64, multiplier: i32, e: i32): i32 {
  if (once) return <i32>((acc * <i64>multiplier + (<i64>1 << (30 + e))) >> (31 + e));
  const x = (acc * <i64>multiplier + (1 << 30)) >> 31;
  const size = ((x < 0 ? -x : x) + (e > 0 ? <i64>1 << (e - 1) : 0)) >> e;
  return <i32>(x < 0 ? -size : size);
}

let leastOffset: f64 = 0;
let mostOffset: f64 = 0;

/** Sets the offsets between which every threshold lands right in exact arithmetic. */
function interval(s: f32, count: i32, zeroPoint: i32): void {
  leastOffset = zeroPoint;
  mostOffset = zeroPoint;
  if (count == 0) return;
  const scale = f32x4.splat(s);
  const one = f64x2.splat(1);
  let edge = f64x2.replace_lane(f64x2.splat(<f64>first - 0.5), 1, <f64>first + 0.5);
  let least = f64x2.splat(-Infinity);
  let most = f64x2.splat(Infinity);
  let at = start;
  for (const end = start + (<usize>(count & ~1) << 3); at < end; at += 16) {
    const t = v128.load(at);
    least = f64x2.pmax(least, f64x2.sub(edge, scaled(t, scale)));
    most = f64x2.pmin(most, f64x2.sub(edge, scaled(f64x2.sub(t, one), scale)));
    edge = f64x2.add(edge, f64x2.splat(2));
  }
  leastOffset = max(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
  mostOffset = min(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
  if (count & 1) {
    const t = load<f64>(at);
    leastOffset = max(leastOffset, f64x2.extract_lane(edge, 0) - <f64>(<f32>t * s));
    mostOffset = min(mostOffset, f64x2.extract_lane(edge, 0) - <f64>(<f32>(t - 1) * s));
  }
}

/** The same for the signed form, where the offset takes the sign of the product. */
function signedInterval(s: f32, count: i32, zeroPoint: i32): void {
  leastOffset = 0;
  mostOffset = 0.5;
  let edge = <f64>(first - zeroPoint) - 0.5;
  for (let at = start, end = start + (<usize>count << 3); at < end; at += 8) {
    const t = load<f64>(at);
    const above = edge - <f64>(<f32>t * s);
    const below = edge - <f64>(<f32>(t - 1) * s);
    if (t >= 0) leastOffset = max(leastOffset, above);
    else mostOffset = min(mostOffset, -above);
    if (t >= 1) mostOffset = min(mostOffset, below);
    else leastOffset = max(leastOffset, -below);
    edge += 1;
  }
}

/** f32(t)·s of two f64, as f64. */
// @ts-ignore: decorator
@inline function scaled(t: v128, s: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.mul(f32x4.demote_f64x2_zero(t), s));
}

// @ts-ignore: decorator
@inline function form(signed: bool, acc: f32, s: f32, c: f32): f32 {
  const f = acc * s;
  return f + (signed && f < 0 ? -c : c) + MAGIC - MAGIC;
}

/** True where both sides of every threshold land right. */
function agrees(signed: bool, s: f32, c: f32, count: i32, zeroPoint: i32): bool {
  let v = <f32>(signed ? first - zeroPoint : first);
  let at = start;
  const end = start + (<usize>count << 3);
  if (!signed) {
    const one = f64x2.splat(1);
    const scale = f32x4.splat(s);
    const offset = f32x4.splat(c);
    let outputs = f32x4.replace_lane(f32x4.splat(v), 1, v + 1);
    for (; at + 16 <= end; at += 16) {
      const t = v128.load(at);
      const reaches = f32x4.ge(forms(t, scale, offset), outputs);
      const below = f32x4.lt(forms(f64x2.sub(t, one), scale, offset), outputs);
      if ((i32x4.bitmask(v128.and(reaches, below)) & 3) != 3) return false;
      outputs = f32x4.add(outputs, f32x4.splat(2));
      v += 2;
    }
  }
  for (; at < end; at += 8) {
    const t = load<f64>(at);
    if (form(signed, <f32>t, s, c) < v || form(signed, <f32>(t - 1), s, c) >= v) return false;
    v += 1;
  }
  return true;
}

/** `form` of two f64, not signed, in the first two lanes. */
// @ts-ignore: decorator
@inline function forms(t: v128, s: v128, c: v128): v128 {
  const magic = f32x4.splat(MAGIC);
  const f = f32x4.add(f32x4.mul(f32x4.demote_f64x2_zero(t), s), c);
  return f32x4.sub(f32x4.add(f, magic), magic);
}

function endsAgree(bottom: f32, top: f32, count: i32, lo: i32, hi: i32, added: i32): bool {
  if (!(abs(bottom) < 2097000 && abs(top) < 2097000)) return false;
  return clamp(<i32>bottom + added, lo, hi) == first - 1 && clamp(<i32>top + added, lo, hi) == first - 1 + count;
}
