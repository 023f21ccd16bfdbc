import { Add } from "./params";
import { runEnd, runStart, walkOperand } from "./broadcast";
import { clamp, rescale } from "../common/fixedpoint";

/** int8 multiplication: the product of the two differences to their zero points, rescaled once. */
export function mul(p: Add, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    const count = min(p.d5 - (i % p.d5), end - i);
    mulRun(p, walkOperand(p, i, true), walkOperand(p, i, false), <usize>p.y + i, count);
    i += count;
  }
}

function mulRun(p: Add, a: usize, b: usize, y: usize, count: u32): void {
  const aStep = <usize>p.a5;
  const bStep = <usize>p.b5;
  for (const end = y + count; y < end; y++) {
    const product = (<i32>load<i8>(a) - p.aZeroPoint) * (<i32>load<i8>(b) - p.bZeroPoint);
    store<i8>(y, clamp(rescale(product, p.yMultiplier, p.yShift) + p.yZeroPoint, p.lo, p.hi));
    a += aStep;
    b += bStep;
  }
}
