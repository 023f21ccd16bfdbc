/** Where outputs step by onnxruntime's rule, rint(f32(acc)·scale), as `findOnnxSteps` of `requantizeProof.ts` finds it. */

import { THRESHOLDS } from "./thresholds";

const MAGIC: f32 = 12582912;

/**
 * Writes the thresholds of all outputs; false where arithmetic here is not exact. Guesses are tried two at a time, and most are right;
 * those that no accumulator reaches may stay guesses.
 */
export function fillOnnxSteps(scale: f32, least: f64, most: f64, lo: i32, hi: i32, zeroPoint: i32): bool {
  if (least < -1073741824 || most >= 1073741824 || scale < 9.31322574615478515625e-10) return false;
  const inverse = f64x2.splat(1 / <f64>scale);
  const factor = f32x4.splat(scale);
  const lowest = <f64>(lo + 1 - zeroPoint);
  let t = f64x2.replace_lane(f64x2.splat(lowest), 1, lowest + 1);
  const end = THRESHOLDS + (<usize>(hi - lo) << 3);
  for (let at = THRESHOLDS; at < end; at += 16) {
    const guess = f64x2.ceil(f64x2.mul(f64x2.sub(t, f64x2.splat(0.5)), inverse));
    v128.store(at, guess);
    const outputs = f32x4.demote_f64x2_zero(t);
    const reaches = f32x4.ge(onnxForms(guess, factor), outputs);
    const below = f32x4.lt(onnxForms(f64x2.sub(guess, f64x2.splat(1)), factor), outputs);
    if ((i32x4.bitmask(v128.and(reaches, below)) & 3) != 3)
      for (let i: usize = 0; i < 2; i++)
        settle(at + (i << 3), <i32>f64x2.extract_lane(t, 0) + <i32>i, scale, least, most);
    t = f64x2.add(t, f64x2.splat(2));
  }
  return true;
}

/** The least accumulator that reaches t, from a guess. */
function settle(address: usize, t: i32, scale: f32, least: f64, most: f64): void {
  let at = load<f64>(address);
  if (at < least - 1 || at > most + 1) return;
  while (onnxForm(<f32>at, scale) < t) at += 1;
  while (onnxForm(<f32>(at - 1), scale) >= t) at -= 1;
  store<f64>(address, at);
}

/** The rule on one accumulator, without the zero point. */
// @ts-ignore: decorator
@inline export function onnxForm(acc: f32, scale: f32): i32 {
  return <i32>(acc * scale + MAGIC - MAGIC);
}

/** `onnxForm` of two f64, in the first two lanes. */
// @ts-ignore: decorator
@inline function onnxForms(acc: v128, scale: v128): v128 {
  const magic = f32x4.splat(MAGIC);
  return f32x4.sub(f32x4.add(f32x4.mul(f32x4.demote_f64x2_zero(acc), scale), magic), magic);
}
