import { Add } from "./params";
import { runEnd, runStart, walkOperand } from "./broadcast";
import { clamp, highMul, roundingShift } from "../common/fixedpoint";

/**
 * int8 addition: both operands shifted left by 20, scaled to twice the larger scale, added, scaled to the output. A
 * negative bMultiplier subtracts: the operand is scaled by its absolute value first, so that ties round as in TFLite.
 */
export function add(p: Add, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    const count = min(p.d5 - (i % p.d5), end - i);
    addRun(p, walkOperand(p, i, true), walkOperand(p, i, false), <usize>p.y + i, count);
    i += count;
  }
}

function addRun(p: Add, a: usize, b: usize, y: usize, count: u32): void {
  const aStep = <usize>p.a5;
  const bStep = <usize>p.b5;
  const aShift = -p.aShift;
  const bShift = -p.bShift;
  const sign = p.bMultiplier >> 31;
  const aMultiplier = p.aMultiplier;
  const bMultiplier = (p.bMultiplier ^ sign) - sign;
  for (const end = y + count; y < end; y++) {
    const u = roundingShift(highMul((<i32>load<i8>(a) - p.aZeroPoint) << 20, aMultiplier), aShift);
    const v = roundingShift(highMul((<i32>load<i8>(b) - p.bZeroPoint) << 20, bMultiplier), bShift);
    const sum = highMul(u + ((v ^ sign) - sign), p.yMultiplier);
    store<i8>(y, clamp(roundingShift(sum, -p.yShift) + p.yZeroPoint, p.lo, p.hi));
    a += aStep;
    b += bStep;
  }
}
