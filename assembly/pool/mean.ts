import { Mean } from "./params";
import { clamp, rescale } from "../common/fixedpoint";
import { share } from "../common/split";

/** Mean of x `[outer, reduce, middle, reduce2, inner]` over both reduce dimensions; the multiplier holds 1/count. */
export function mean(p: Mean, part: u32, parts: u32): void {
  const total = p.outer * p.middle * p.inner;
  const end = share(total, part + 1, parts);
  const line = p.reduce2 * p.inner;
  const step = p.middle * line;
  const offset = p.xZeroPoint * <i32>(p.reduce * p.reduce2);
  for (let i = share(total, part, parts); i < end; i++) {
    const block = i / p.inner;
    const n = block / p.middle;
    let x = <usize>p.x + n * p.reduce * step + (block - n * p.middle) * line + (i - block * p.inner);
    let sum: i32 = 0;
    for (let r = p.reduce; r > 0; r--) {
      let at = x;
      for (let s = p.reduce2; s > 0; s--) {
        sum += load<i8>(at);
        at += p.inner;
      }
      x += step;
    }
    let value: i32;
    // by onnxruntime's rule, the multiplier being the bits of a float32
    if (p.shift == 64) value = <i32>max(min(nearest(<f32>(sum - offset) * reinterpret<f32>(p.multiplier)), <f32>1024), <f32>-1024);
    else value = rescale(sum - offset, p.multiplier, p.shift);
    store<i8>(<usize>p.y + i, clamp(value + p.yZeroPoint, -128, 127));
  }
}
