/** Functions of two float32 with broadcasting, four pairs at a time in vector modules. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { PairsF32 } from "./params";
import { load16, store16 } from "../common/edge.simd";
import { atLeast, atMost, floorOf, minus, over, plus, splat, times, whereLess } from "../common/lanes";

const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
const DIV: u32 = 3;
const MAX: u32 = 4;
const MIN: u32 = 5;
const SQUARED_DIFFERENCE: u32 = 6;
const PRELU: u32 = 7;
const FLOOR_DIV: u32 = 8;
/** From here on one pair at a time. */
const FLOOR_MOD: u32 = 9;
const POW: u32 = 10;
const ATAN2: u32 = 11;
const HYPOT: u32 = 12;

export function pairsF32(p: PairsF32, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let column = i % p.d5;
    for (let row = (i / p.d5) % p.d4; row < p.d4 && i < end; row++) {
      const count = min(p.d5 - column, end - i);
      run(p, a, b, <usize>p.y + (<usize>i << 2), count);
      a += p.a4 - column * p.a5;
      b += p.b4 - column * p.b5;
      column = 0;
      i += count;
    }
  }
}

function run(p: PairsF32, a: usize, b: usize, y: usize, count: u32): void {
  switch (p.form) {
    case ADD: return loop(p, a, b, y, count, ADD);
    case SUB: return loop(p, a, b, y, count, SUB);
    case MUL: return loop(p, a, b, y, count, MUL);
    case DIV: return loop(p, a, b, y, count, DIV);
    case MAX: return loop(p, a, b, y, count, MAX);
    case MIN: return loop(p, a, b, y, count, MIN);
    case SQUARED_DIFFERENCE: return loop(p, a, b, y, count, SQUARED_DIFFERENCE);
    case PRELU: return loop(p, a, b, y, count, PRELU);
    case FLOOR_DIV: return loop(p, a, b, y, count, FLOOR_DIV);
    default: return singly(p, a, b, y, count);
  }
}

// @ts-ignore: decorator
@inline function loop(p: PairsF32, a: usize, b: usize, y: usize, count: u32, form: u32): void {
  if (ASC_FEATURE_SIMD) {
    const lo = f32x4.splat(p.lo);
    const hi = f32x4.splat(p.hi);
    const stepA: usize = p.a5 ? 16 : 0;
    const stepB: usize = p.b5 ? 16 : 0;
    let u = v128.load32_splat(a);
    let v = v128.load32_splat(b);
    for (const end = y + ((<usize>count << 2) & ~15); y < end; y += 16) {
      if (stepA) u = v128.load(a);
      if (stepB) v = v128.load(b);
      v128.store(y, value<v128>(u, v, lo, hi, form));
      a += stepA;
      b += stepB;
    }
    const rest = (count & 3) << 2;
    if (rest) {
      if (stepA) u = load16(a, rest);
      if (stepB) v = load16(b, rest);
      store16(y, value<v128>(u, v, lo, hi, form), rest);
    }
  } else {
    for (; count; count--) {
      store<f32>(y, value<f32>(load<f32>(a), load<f32>(b), p.lo, p.hi, form));
      a += p.a5;
      b += p.b5;
      y += 4;
    }
  }
}

// @ts-ignore: decorator
@inline function value<T>(a: T, b: T, lo: T, hi: T, form: u32): T {
  if (form == ADD) return clamped<T>(plus<T>(a, b), lo, hi);
  else if (form == SUB) return clamped<T>(minus<T>(a, b), lo, hi);
  else if (form == MUL) return clamped<T>(times<T>(a, b), lo, hi);
  else if (form == DIV) return clamped<T>(over<T>(a, b), lo, hi);
  else if (form == MAX) return atLeast<T>(b, a);
  else if (form == MIN) return atMost<T>(b, a);
  else if (form == SQUARED_DIFFERENCE) return times<T>(minus<T>(a, b), minus<T>(a, b));
  else if (form == PRELU) return whereLess<T>(a, splat<T>(0), times<T>(a, b), a);
  else return floorOf<T>(over<T>(a, b));
}

// @ts-ignore: decorator
@inline function clamped<T>(x: T, lo: T, hi: T): T {
  return atMost<T>(atLeast<T>(x, lo), hi);
}

function singly(p: PairsF32, a: usize, b: usize, y: usize, count: u32): void {
  for (; count; count--) {
    store<f32>(y, single(p.form, load<f32>(a), load<f32>(b)));
    a += p.a5;
    b += p.b5;
    y += 4;
  }
}

function single(form: u32, a: f32, b: f32): f32 {
  if (form == FLOOR_MOD) {
    const rest = a % b;
    return rest != 0 && b < 0 != rest < 0 ? rest + b : rest;
  }
  if (form == POW) return NativeMathf.pow(a, b);
  if (form == ATAN2) return NativeMathf.atan2(a, b);
  return <f32>sqrt<f64>(<f64>a * <f64>a + <f64>b * <f64>b);
}
