/** Functions of two integers as they are, with broadcasting. Results wrap; what is divided by 0 is 0. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { PairsInt } from "./params";
import { INT32, INT8, sizeOf, storeWhole, UINT8, whole } from "../common/element";

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
  const size = <usize>sizeOf(p.type);
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  let y = <usize>p.y + <usize>i * size;
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let column = i % p.d5;
    for (let row = (i / p.d5) % p.d4; row < p.d4 && i < end; row++) {
      const count = min(p.d5 - column, end - i);
      run(p, a, b, y, count);
      a += p.a4 - column * p.a5;
      b += p.b4 - column * p.b5;
      y += <usize>count * size;
      column = 0;
      i += count;
    }
  }
}

function run(p: PairsInt, a: usize, b: usize, y: usize, count: u32): void {
  const type = p.type;
  const size = <usize>sizeOf(type);
  const done = type == INT32 ? vectors(p, a, b, y, count) : type == INT8 || type == UINT8 ? bytes(p, a, b, y, count, type == INT8) : 0;
  a += done * p.a5;
  b += done * p.b5;
  const end = y + <usize>count * size;
  for (y += done * size; y < end; y += size) {
    storeWhole(type, y, value(p, whole(type, a), whole(type, b)));
    a += p.a5;
    b += p.b5;
  }
}

/** Whole vectors of int32, of the functions that vectors have; returns how many elements they hold. */
function vectors(p: PairsInt, a: usize, b: usize, y: usize, count: u32): usize {
  if (!ASC_FEATURE_SIMD || (p.form > MUL && p.form != MAX && p.form != MIN)) return 0;
  else {
    const wholes = (<usize>count << 2) & ~15;
    const stepA: usize = p.a5 ? 16 : 0;
    const stepB: usize = p.b5 ? 16 : 0;
    let u = v128.load32_splat(a);
    let v = v128.load32_splat(b);
    for (const end = y + wholes; y < end; y += 16) {
      if (stepA) u = v128.load(a);
      if (stepB) v = v128.load(b);
      v128.store(y, vector(u, v, p.form));
      a += stepA;
      b += stepB;
    }
    return wholes >>> 2;
  }
}

/** Whole vectors of the greater or less of two bytes; returns how many elements they hold. */
function bytes(p: PairsInt, a: usize, b: usize, y: usize, count: u32, signed: bool): usize {
  if (!ASC_FEATURE_SIMD || (p.form != MAX && p.form != MIN)) return 0;
  else {
    const flip = i8x16.splat(signed ? 0 : -128);
    const least = p.form == MIN;
    const wholes = <usize>count & ~15;
    let u = v128.load8_splat(a);
    let v = v128.load8_splat(b);
    for (const end = y + wholes; y < end; y += 16) {
      if (p.a5) u = v128.load(a);
      if (p.b5) v = v128.load(b);
      const more = i8x16.gt_s(v128.xor(u, flip), v128.xor(v, flip));
      v128.store(y, least ? v128.bitselect(v, u, more) : v128.bitselect(u, v, more));
      a += 16;
      b += 16;
    }
    return wholes;
  }
}

// @ts-ignore: decorator
@inline function vector(a: v128, b: v128, form: u32): v128 {
  if (form == ADD) return i32x4.add(a, b);
  else if (form == SUB) return i32x4.sub(a, b);
  else if (form == MAX) return i32x4.max_s(a, b);
  else if (form == MIN) return i32x4.min_s(a, b);
  else return i32x4.mul(a, b);
}

function value(p: PairsInt, a: i64, b: i64): i64 {
  switch (p.form) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return quotient(a, b);
    case MAX: return max<i64>(a, b);
    case MIN: return min<i64>(a, b);
    case SQUARED_DIFFERENCE: return (a - b) * (a - b);
    case FLOOR_DIV: return quotient(a, b) - <i64>(remainder(a, b) != 0 && (a ^ b) < 0);
    case FLOOR_MOD: {
      const rest = remainder(a, b);
      return rest != 0 && (rest ^ b) < 0 ? rest + b : rest;
    }
    case POW: return power(a, b);
    case XOR: return a ^ b;
    case AND: return a & b;
    case OR: return a | b;
    default: return a >> min<i64>(max<i64>(b, 0), <i64>p.extra);
  }
}

// @ts-ignore: decorator
@inline function quotient(a: i64, b: i64): i64 {
  if (b == 0) return 0;
  return b == -1 ? 0 - a : a / b;
}

// @ts-ignore: decorator
@inline function remainder(a: i64, b: i64): i64 {
  return b == 0 ? 0 : a % b;
}

/** Negative exponents give what 1 over the power is, cut. */
function power(a: i64, b: i64): i64 {
  if (b < 0) return a == 1 ? 1 : a == -1 ? 1 - ((b & 1) << 1) : 0;
  let result: i64 = 1;
  for (; b; b >>= 1) {
    if (b & 1) result *= a;
    a *= a;
  }
  return result;
}
