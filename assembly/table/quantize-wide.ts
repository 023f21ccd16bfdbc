/** float32 to int16 or int32, and int16 to float32. @full */
import { Quantize } from "./params";
import { share } from "../common/split";

/** x / scale rounded half away from zero or to even, plus the zero point, in [lo, hi]; int32 where hi is beyond int16. NaN becomes lo. */
export function quantizeWide(p: Quantize, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const lo = <f64>p.lo;
  const hi = <f64>p.hi;
  for (let i = share(p.count, part, parts); i < end; i++) {
    const x = load<f32>(<usize>p.x + (<usize>i << 2)) / p.scale;
    const whole = trunc<f32>(x);
    const rounded = p.even ? nearest<f32>(x) : abs<f32>(x - whole) >= 0.5 ? whole + copysign<f32>(1, x) : whole;
    let v = <f64>rounded + p.zeroPoint;
    v = v > lo ? v : lo;
    const q = <i32>(v < hi ? v : hi);
    if (p.hi > 32767) store<i32>(<usize>p.y + (<usize>i << 2), q);
    else store<i16>(<usize>p.y + (<usize>i << 1), q);
  }
}

/** scale · (q − zero point). */
export function dequantizeS16(p: Quantize, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const q = <i32>load<i16>(<usize>p.x + (<usize>i << 1));
    store<f32>(<usize>p.y + (<usize>i << 2), p.scale * <f32>(q - p.zeroPoint));
  }
}
