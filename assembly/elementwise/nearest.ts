/**
 * int8 sums and products by onnxruntime's rules, rounded half to even (@full). Form 2 is what floats between DequantizeLinear
 * and QuantizeLinear do. Form 0 of sums is two fused multiply–adds of float32: their products are exact in float64, so that
 * rounding the float64 sums is the same. Form 1 rounds after each step, with factors for which that gives the bytes of either.
 */
import { Nearest } from "./params";
import { runEnd, runStart, walkOperand } from "./broadcast";

/** y = rint(f32(a·aScale + f32(b·bScale + offset))), or rint((a·aScale + b·bScale) / yScale). */
export function addNearest(p: Nearest, part: u32, parts: u32): void {
  walk(p, part, parts, false);
}

/** y = rint(f32(f32(a·b·aScale) + offset)), or rint(a·aScale·(b·bScale) / yScale). */
export function mulNearest(p: Nearest, part: u32, parts: u32): void {
  walk(p, part, parts, true);
}

// @ts-ignore: decorator
@inline function walk(p: Nearest, part: u32, parts: u32, product: bool): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    const count = min(p.d5 - (i % p.d5), end - i);
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    for (const last = i + count; i < last; i++) {
      const u = <i32>load<i8>(a) - p.aZeroPoint;
      const v = <i32>load<i8>(b) - p.bZeroPoint;
      let value: f32;
      if (p.form == 2) {
        const left = <f32>u * p.aScale;
        const right = <f32>v * p.bScale;
        value = (product ? left * right : left + right) / p.yScale;
      } else if (product) value = <f32>(u * v) * p.aScale + p.offset;
      else if (p.form == 1) value = <f32>u * p.aScale + (<f32>v * p.bScale + p.offset);
      else value = <f32>(<f64>u * p.aScale + <f64>(<f32>(<f64>v * p.bScale + p.offset)));
      const rounded = <i32>min(max(nearest(value), <f32>-1024), <f32>1024) + p.yZeroPoint;
      store<i8>(<usize>p.y + i, min(max(rounded, p.lo), p.hi));
      a += p.a5;
      b += p.b5;
    }
  }
}
