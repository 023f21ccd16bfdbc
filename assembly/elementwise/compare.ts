/** Comparisons of two operands with broadcasting; results are bytes 0 or 1. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { CompareQs8, PairsInt } from "./params";
import { element, FLOAT32, whole } from "../common/element";
import { rescale } from "../common/fixedpoint";

// PairsInt.form: what makes the comparison true, the sum of 1 (equal), 2 (greater) and 4 (less)

export function compare(p: PairsInt, part: u32, parts: u32): void {
  if (p.type == FLOAT32) walk<f32>(p, part, parts);
  else walk<i64>(p, part, parts);
}

// @ts-ignore: decorator
@inline function verdict<T>(p: PairsInt, a: T, b: T): u32 {
  const bits = <u32>(a == b) | (<u32>(a > b) << 1) | (<u32>(a < b) << 2);
  return <u32>((bits & p.form) != 0) ^ p.extra;
}

function walk<T>(p: PairsInt, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  let y = <usize>p.y + i;
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let count = min(p.d5 - (i % p.d5), end - i);
    i += count;
    for (; count; count--) {
      store<u8>(y, verdict<T>(p, element<T>(p.type, a), element<T>(p.type, b)));
      a += p.a5;
      b += p.b5;
      y++;
    }
  }
}

export function compareQs8(p: CompareQs8, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  for (let i = runStart(p, part, parts); i < end; i++) {
    const a = (<i32>whole(p.type, walkOperand(p, i, true)) - p.aZeroPoint) << 8;
    const b = (<i32>whole(p.type, walkOperand(p, i, false)) - p.bZeroPoint) << 8;
    const u = rescale(a, p.aMultiplier, p.aShift);
    const v = rescale(b, p.bMultiplier, p.bShift);
    store<u8>(<usize>p.y + i, verdict<i32>(p, u, v));
  }
}
