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
/** Of loops: whichever the block says of the forms that share one. */
const RARE: u32 = 99;

export function pairsF32(p: PairsF32, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  const length = p.d5;
  for (let i = runStart(p, part, parts); i < end; ) {
    const a = walkOperand(p, i, true);
    const b = walkOperand(p, i, false);
    const y = <usize>p.y + (<usize>i << 2);
    const column = i % length;
    if (column || end - i < length) {
      const count = min(length - column, end - i);
      run(p, a, b, y, count, 1);
      i += count;
    } else {
      const rows = min(p.d4 - (i / length) % p.d4, (end - i) / length);
      run(p, a, b, y, length, rows);
      i += rows * length;
    }
  }
}

function run(p: PairsF32, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  switch (p.form) {
    case ADD: return loop(p, a, b, y, count, rows, ADD);
    case MUL: return loop(p, a, b, y, count, rows, MUL);
    default:
      if (p.form < FLOOR_MOD) loop(p, a, b, y, count, rows, RARE);
      else singly(p, a, b, y, count, rows);
  }
}

/** Bytes of a row of few channels, and rows of them that the nearest cache keeps. */
const FEW: usize = 128;
const ROWS: u32 = 64;

/** `rows` rows of `count` pairs. */
// @ts-ignore: decorator
@inline function loop(p: PairsF32, a: usize, b: usize, y: usize, count: u32, rows: u32, form: u32): void {
  if (ASC_FEATURE_SIMD) {
    const lo = f32x4.splat(p.lo);
    const hi = f32x4.splat(p.hi);
    const stepA: usize = p.a5 ? 16 : 0;
    const stepB: usize = p.b5 ? 16 : 0;
    const whole = (<usize>count << 2) & ~15;
    const rest = (count & 3) << 2;
    // Few channels with a value each, as of PRELU: four of them a time, down some rows.
    if (form != ADD && !rest && whole <= FEW && stepA && stepB && !p.b4) {
      while (rows) {
        const some = min(rows, ROWS);
        for (let c: usize = 0; c < whole; c += 16) {
          const v = v128.load(b + c);
          let from = a + c;
          for (let to = y + c, end = to + some * whole; to < end; to += whole) {
            v128.store(to, value<v128>(p, v128.load(from), v, lo, hi, form));
            from += p.a4;
          }
        }
        a += some * p.a4;
        y += some * whole;
        rows -= some;
      }
      return;
    }
    for (; rows; rows--) {
      let atA = a;
      let atB = b;
      let u = v128.load32_splat(a);
      let v = v128.load32_splat(b);
      for (const end = y + whole; y < end; y += 16) {
        if (stepA) u = v128.load(atA);
        if (stepB) v = v128.load(atB);
        v128.store(y, value<v128>(p, u, v, lo, hi, form));
        atA += stepA;
        atB += stepB;
      }
      if (rest) {
        if (stepA) u = load16(atA, rest);
        if (stepB) v = load16(atB, rest);
        store16(y, value<v128>(p, u, v, lo, hi, form), rest);
        y += rest;
      }
      a += p.a4;
      b += p.b4;
    }
  } else {
    for (; rows; rows--) {
      let atA = a;
      let atB = b;
      for (let left = count; left; left--) {
        store<f32>(y, value<f32>(p, load<f32>(atA), load<f32>(atB), p.lo, p.hi, form));
        atA += p.a5;
        atB += p.b5;
        y += 4;
      }
      a += p.a4;
      b += p.b4;
    }
  }
}

// @ts-ignore: decorator
@inline function value<T>(p: PairsF32, a: T, b: T, lo: T, hi: T, form: u32): T {
  if (form == ADD) return clamped<T>(plus<T>(a, b), lo, hi);
  else if (form == MUL) return clamped<T>(times<T>(a, b), lo, hi);
  else return rareOf<T>(a, b, lo, hi, p.form);
}

/** Forms whose loop is one. */
// @ts-ignore: decorator
@inline function rareOf<T>(a: T, b: T, lo: T, hi: T, form: u32): T {
  if (form == PRELU) return whereLess<T>(a, splat<T>(0), times<T>(a, b), a);
  else if (form == SUB) return clamped<T>(minus<T>(a, b), lo, hi);
  else if (form == DIV) return clamped<T>(over<T>(a, b), lo, hi);
  else if (form == MAX) return atLeast<T>(b, a);
  else if (form == MIN) return atMost<T>(b, a);
  else if (form == SQUARED_DIFFERENCE) return times<T>(minus<T>(a, b), minus<T>(a, b));
  else return floorOf<T>(over<T>(a, b));
}

// @ts-ignore: decorator
@inline function clamped<T>(x: T, lo: T, hi: T): T {
  return atMost<T>(atLeast<T>(x, lo), hi);
}

function singly(p: PairsF32, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  for (; rows; rows--) {
    let atA = a;
    let atB = b;
    for (let left = count; left; left--) {
      store<f32>(y, single(p.form, load<f32>(atA), load<f32>(atB)));
      atA += p.a5;
      atB += p.b5;
      y += 4;
    }
    a += p.a4;
    b += p.b4;
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
