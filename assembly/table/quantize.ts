import { Quantize } from "./params";
import { share } from "../common/split";

/** float32 to a byte in [lo, hi]: x / scale rounded half away from zero or to even, plus the zero point. NaN becomes lo. */
export function quantize(p: Quantize, part: u32, parts: u32): void {
  quantizeRange(p, share(p.count, part, parts), share(p.count, part + 1, parts));
}

/** Elements start … end − 1. */
export function quantizeRange(p: Quantize, start: u32, end: u32): void {
  const lo = <f32>(p.lo - p.zeroPoint);
  const hi = <f32>(p.hi - p.zeroPoint);
  let x = <usize>p.x + (<usize>start << 2);
  let y = <usize>p.y + start;
  for (const last = <usize>p.y + end; y < last; y++) {
    let v = load<f32>(x) / p.scale;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    const whole = trunc<f32>(v);
    const q = p.even ? <i32>nearest<f32>(v) : <i32>whole + (abs<f32>(v - whole) >= 0.5 ? (v < 0 ? -1 : 1) : 0);
    store<u8>(y, q + p.zeroPoint);
    x += 4;
  }
}

/** A byte, signed where lo is negative, to float32. */
export function dequantize(p: Quantize, part: u32, parts: u32): void {
  dequantizeRange(p, share(p.count, part, parts), share(p.count, part + 1, parts));
}

/** Elements start … end − 1. */
export function dequantizeRange(p: Quantize, start: u32, end: u32): void {
  let y = <usize>p.y + (<usize>start << 2);
  let x = <usize>p.x + start;
  for (const last = <usize>p.x + end; x < last; x++) {
    const q = p.lo < 0 ? <i32>load<i8>(x) : <i32>load<u8>(x);
    store<f32>(y, p.scale * <f32>(q - p.zeroPoint));
    y += 4;
  }
}
