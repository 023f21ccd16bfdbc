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
    let column = i % p.d5;
    for (let row = (i / p.d5) % p.d4; row < p.d4 && i < end; row++) {
      const count = min(p.d5 - column, end - i);
      run<T, W>(p, a, b, y, count);
      a += p.a4 - column * p.a5;
      b += p.b4 - column * p.b5;
      y += <usize>count * sizeof<T>();
      column = 0;
      i += count;
    }
  }
}

function run<T, W>(p: PairsInt, a: usize, b: usize, y: usize, count: u32): void {
  const done = vectors<T>(p, a, b, y, count);
  a += done * p.a5;
  b += done * p.b5;
  const end = y + <usize>count * sizeof<T>();
  for (y += done * sizeof<T>(); y < end; y += sizeof<T>()) {
    store<T>(y, <T>value<W>(p, <W>load<T>(a), <W>load<T>(b)));
    a += p.a5;
    b += p.b5;
  }
}

/** Whole vectors, of the functions that vectors have; returns how many elements they hold. */
function vectors<T>(p: PairsInt, a: usize, b: usize, y: usize, count: u32): usize {
  if (!ASC_FEATURE_SIMD || sizeof<T>() == 8) return 0;
  switch (p.form) {
    case ADD: return loop<T>(p, a, b, y, count, ADD);
    case SUB: return loop<T>(p, a, b, y, count, SUB);
    case MUL: return sizeof<T>() == 1 ? 0 : loop<T>(p, a, b, y, count, MUL);
    case MAX: return loop<T>(p, a, b, y, count, MAX);
    case MIN: return loop<T>(p, a, b, y, count, MIN);
    default: return 0;
  }
}

// @ts-ignore: decorator
@inline function loop<T>(p: PairsInt, a: usize, b: usize, y: usize, count: u32, form: u32): usize {
  if (!ASC_FEATURE_SIMD || sizeof<T>() == 8) return 0;
  else {
    const whole = (<usize>count * sizeof<T>()) & ~15;
    const stepA: usize = p.a5 ? 16 : 0;
    const stepB: usize = p.b5 ? 16 : 0;
    let u = v128.splat<T>(load<T>(a));
    let v = v128.splat<T>(load<T>(b));
    for (const end = y + whole; y < end; y += 16) {
      if (stepA) u = v128.load(a);
      if (stepB) v = v128.load(b);
      v128.store(y, vector<T>(u, v, form));
      a += stepA;
      b += stepB;
    }
    return whole / sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline function vector<T>(a: v128, b: v128, form: u32): v128 {
  if (form == ADD) return v128.add<T>(a, b);
  else if (form == SUB) return v128.sub<T>(a, b);
  else if (form == MAX) return v128.max<T>(a, b);
  else if (form == MIN) return v128.min<T>(a, b);
  else if (sizeof<T>() == 1) return a;
  else return v128.mul<T>(a, b);
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
