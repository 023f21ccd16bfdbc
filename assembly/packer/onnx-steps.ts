/** Where outputs step by onnxruntime's rule, rint(f32(acc)·scale), as `findOnnxSteps` of `requantizeProof.ts` finds it. */

const MAGIC: f32 = 12582912;
/** What onnxruntime's rule is off by in all, of products up to 256. */
const ROUNDED: f64 = 0.00006103515625; // 2^-14

/** The first output that a threshold leads to. */
export let firstOnnxStep: i32 = 0;

/**
 * Writes the accumulators where the steps begin that some accumulator reaches, f64, to `thresholds`, and returns how many; −1 where
 * arithmetic here is not exact. Guesses that are surely right need no trial.
 */
export function findOnnxSteps(thresholds: usize, scale: f32, least: f64, most: f64, lo: i32, hi: i32, zeroPoint: i32): i32 {
  if (least < -1073741824 || most >= 1073741824 || scale < 9.31322574615478515625e-10) return -1;
  const factor = <f64>scale;
  let count = 0;
  for (let v = lo + 1; v <= hi; v++) {
    const t = <f64>(v - zeroPoint);
    const exact = (t - 0.5) / factor;
    let at = ceil(exact);
    if (at < least - 1) continue;
    if (at > most + 1) break;
    if ((at - exact) * factor < ROUNDED || (exact - at + 1) * factor < ROUNDED) {
      while (<f64>onnxForm(<f32>at, scale) < t) at += 1;
      while (<f64>onnxForm(<f32>(at - 1), scale) >= t) at -= 1;
    }
    if (at <= least) continue;
    if (at > most) break;
    if (count == 0) firstOnnxStep = v;
    store<f64>(thresholds + (<usize>count << 3), at);
    count++;
  }
  if (count == 0) firstOnnxStep = min(max(<i32>onnxForm(<f32>least, scale) + zeroPoint, lo), hi) + 1;
  return count;
}

// @ts-ignore: decorator
@inline function onnxForm(acc: f32, scale: f32): f32 {
  return acc * scale + MAGIC - MAGIC;
}
