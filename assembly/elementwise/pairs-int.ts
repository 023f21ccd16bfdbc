/** Functions of two integers as they are, with broadcasting. Results wrap; what is divided by 0 is 0. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { PairsInt } from "./params";
import { INT16, INT32, INT64, INT8, UINT16, UINT32 } from "../common/element";

const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
/** Towards zero. */
const DIV: u32 = 3;
const MAX: u32 = 4;
const MIN: u32 = 5;
const SQUARED_DIFFERENCE: u32 = 6;
const FLOOR_DIV: u32 = 7;
const FLOOR_MOD: u32 = 8;
const POW: u32 = 9;
const XOR: u32 = 10;
const AND: u32 = 11;
const OR: u32 = 12;

export function pairsInt(p: PairsInt, part: u32, parts: u32): void {
  switch (p.type) {
    case INT8: return pairs<i8, i32>(p, part, parts);
    case INT16: return pairs<i16, i32>(p, part, parts);
    case UINT16: return pairs<u16, i32>(p, part, parts);
    case INT32: return pairs<i32, i32>(p, part, parts);
    case UINT32: return pairs<u32, i64>(p, part, parts);
    case INT64: return pairs<i64, i64>(p, part, parts);
    default: return pairs<u8, i32>(p, part, parts);
  }
}

function pairs<T, W>(p: PairsInt, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  let y = <usize>p.y + <usize>i * sizeof<T>();
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let count = min(p.d5 - (i % p.d5), end - i);
    i += count;
    for (; count; count--) {
      store<T>(y, <T>value<W>(p, <W>load<T>(a), <W>load<T>(b)));
      a += p.a5;
      b += p.b5;
      y += sizeof<T>();
    }
  }
}

function value<W>(p: PairsInt, a: W, b: W): W {
  switch (p.form) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return quotient<W>(a, b);
    case MAX: return max<W>(a, b);
    case MIN: return min<W>(a, b);
    case SQUARED_DIFFERENCE: return (a - b) * (a - b);
    case FLOOR_DIV: return quotient<W>(a, b) - <W>(remainder<W>(a, b) != 0 && (a ^ b) < 0);
    case FLOOR_MOD: {
      const rest = remainder<W>(a, b);
      return rest != 0 && (rest ^ b) < 0 ? rest + b : rest;
    }
    case POW: return power<W>(a, b);
    case XOR: return a ^ b;
    case AND: return a & b;
    case OR: return a | b;
    default: return a >> min<W>(max<W>(b, 0), <W>p.extra);
  }
}

// @ts-ignore: decorator
@inline function quotient<W>(a: W, b: W): W {
  if (b == 0) return 0;
  return b == -1 ? 0 - a : a / b;
}

// @ts-ignore: decorator
@inline function remainder<W>(a: W, b: W): W {
  return b == 0 ? 0 : a % b;
}

/** Negative exponents give what 1 over the power is, cut. */
function power<W>(a: W, b: W): W {
  if (b < 0) return a == 1 ? 1 : a == -1 ? 1 - ((b & 1) << 1) : 0;
  let result: W = 1;
  for (; b; b >>= 1) {
    if (b & 1) result *= a;
    a *= a;
  }
  return result;
}
