/** Quantized functions of two int8 or int16 with broadcasting, beside the sums and products of int8. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { PairsQuantized } from "./params";
import { clamp, highMul, reciprocalOfOnePlus, rescale, roundingShift } from "../common/fixedpoint";

export const ADD: u32 = 0;
export const SUB: u32 = 1;
export const MUL: u32 = 2;
const SQUARED_DIFFERENCE: u32 = 3;
const DIV: u32 = 4;
/** b is the slope below 0: a·b by bMultiplier; a alone by aMultiplier. */
const PRELU: u32 = 5;

export function pairsQs8(p: PairsQuantized, part: u32, parts: u32): void {
  walk<i8>(p, part, parts);
}

export function pairsQs16(p: PairsQuantized, part: u32, parts: u32): void {
  walk<i16>(p, part, parts);
}

// @ts-ignore: decorator
@inline function walk<T>(p: PairsQuantized, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  let y = <usize>p.y + <usize>i * sizeof<T>();
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let count = min(p.d5 - (i % p.d5), end - i);
    i += count;
    for (; count; count--) {
      store<T>(y, quantizedPair(p, load<T>(a), load<T>(b)));
      a += p.a5;
      b += p.b5;
      y += sizeof<T>();
    }
  }
}

export function quantizedPair(p: PairsQuantized, q: i32, r: i32): i32 {
  const a = q - p.aZeroPoint;
  const b = r - p.bZeroPoint;
  let y: i32;
  switch (p.form) {
    case MUL: {
      y = rescale(a * b, p.yMultiplier, p.yShift);
      break;
    }
    case DIV: {
      y = quotient(p, a, b);
      break;
    }
    case PRELU: {
      y = a >= 0 ? rescale(a, p.aMultiplier, p.aShift) : rescale(a * b, p.bMultiplier, p.bShift);
      break;
    }
    default: {
      const u = roundingShift(highMul(a << p.left, p.aMultiplier), -p.aShift);
      const v = roundingShift(highMul(b << p.left, p.bMultiplier), -p.bShift);
      const sum = p.form == ADD ? u + v : u - v;
      y = rescale(p.form == SQUARED_DIFFERENCE ? sum * sum : sum, p.yMultiplier, p.yShift);
    }
  }
  return clamp(y + p.yZeroPoint, p.lo, p.hi);
}

/** a / b by the reciprocal of b's mantissa; 0 has none, its reciprocal is what the reference's steps make of nothing. */
function quotient(p: PairsQuantized, a: i32, b: i32): i32 {
  if (b < 0) {
    a = -a;
    b = -b;
  }
  const zeros = clz<i32>(b);
  // 0 << 32 is 0 << 0, which is 0
  const inverse = reciprocalOfOnePlus((b << zeros) ^ i32.MIN_VALUE);
  const headroom = clz<i32>(a ^ (a >> 31)) - 1;
  const scaled = highMul(highMul(a << headroom, inverse), p.yMultiplier);
  const exponent = 31 - zeros + headroom - p.yShift;
  // the reference shifts by more than 31 as its machine does: by the low five bits, with a mask of ones
  if (exponent > 31) return (scaled >> (exponent & 31)) + <i32>(scaled >= 0);
  return roundingShift(scaled, exponent);
}
