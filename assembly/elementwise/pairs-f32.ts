/** Functions of two float32 with broadcasting, four pairs at a time in vector modules. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { PairsF32 } from "./params";
import { loadFloats, storeFloats } from "../common/edge.simd";
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

/** Bytes of a row of few channels, and rows of them that the nearest cache keeps. */
const FEW: usize = 128;
const ROWS: u32 = 64;
/** Bytes that all forms but one take at a time. */
const BLOCK: usize = 64;

function run(p: PairsF32, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const bytes = <usize>count << 2;
  if (p.form >= FLOOR_MOD) singly(p, a, b, y, count, rows);
  else if (ASC_FEATURE_SIMD && (p.form == PRELU || p.form == MUL) && !(count & 3) && bytes <= FEW && p.a5 && p.b5 && !p.b4) down(p, a, b, y, bytes, rows);
  else loop(p, a, b, y, count, rows);
}

/** Products and PRELU of few channels with a value each: four of them a time, down some rows of so many bytes. */
function down(p: PairsF32, a: usize, b: usize, y: usize, bytes: usize, rows: u32): void {
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  while (rows) {
    const some = min(rows, ROWS);
    for (let c: usize = 0; c < bytes; c += 16) {
      const v = v128.load(b + c);
      let from = a + c;
      for (let to = y + c, end = to + some * bytes; to < end; to += bytes) {
        const u = v128.load(from);
        const product = f32x4.mul(u, v);
        v128.store(to, p.form == MUL ? clamped<v128>(product, lo, hi) : whereLess<v128>(u, f32x4.splat(0), product, u));
        from += p.a4;
      }
    }
    a += some * p.a4;
    y += some * bytes;
    rows -= some;
  }
}

/** `rows` rows of `count` pairs. */
function loop(p: PairsF32, a: usize, b: usize, y: usize, count: u32, rows: u32): void {
  const form = p.form;
  if (ASC_FEATURE_SIMD) {
    const lo = f32x4.splat(p.lo);
    const hi = f32x4.splat(p.hi);
    const stepA: usize = p.a5 ? 16 : 0;
    const stepB: usize = p.b5 ? 16 : 0;
    for (; rows; rows--) {
      let atA = a;
      let atB = b;
      let left = <usize>count << 2;
      let u = v128.load32_splat(a);
      let v = v128.load32_splat(b);
      if (stepA && form <= PRELU) {
        let v1 = v;
        let v2 = v;
        let v3 = v;
        for (; left >= BLOCK; left -= BLOCK) {
          u = v128.load(atA);
          const u1 = v128.load(atA, 16);
          const u2 = v128.load(atA, 32);
          const u3 = v128.load(atA, 48);
          if (stepB) {
            v = v128.load(atB);
            v1 = v128.load(atB, 16);
            v2 = v128.load(atB, 32);
            v3 = v128.load(atB, 48);
          }
          let r: v128;
          let r1: v128;
          let r2: v128;
          let r3: v128;
          if (form == ADD) {
            r = f32x4.add(u, v);
            r1 = f32x4.add(u1, v1);
            r2 = f32x4.add(u2, v2);
            r3 = f32x4.add(u3, v3);
          } else if (form == MUL) {
            r = f32x4.mul(u, v);
            r1 = f32x4.mul(u1, v1);
            r2 = f32x4.mul(u2, v2);
            r3 = f32x4.mul(u3, v3);
          } else if (form == DIV) {
            r = f32x4.div(u, v);
            r1 = f32x4.div(u1, v1);
            r2 = f32x4.div(u2, v2);
            r3 = f32x4.div(u3, v3);
          } else if (form == MAX) {
            r = atLeast<v128>(v, u);
            r1 = atLeast<v128>(v1, u1);
            r2 = atLeast<v128>(v2, u2);
            r3 = atLeast<v128>(v3, u3);
          } else if (form == MIN) {
            r = atMost<v128>(v, u);
            r1 = atMost<v128>(v1, u1);
            r2 = atMost<v128>(v2, u2);
            r3 = atMost<v128>(v3, u3);
          } else if (form == PRELU) {
            r = whereLess<v128>(u, f32x4.splat(0), f32x4.mul(u, v), u);
            r1 = whereLess<v128>(u1, f32x4.splat(0), f32x4.mul(u1, v1), u1);
            r2 = whereLess<v128>(u2, f32x4.splat(0), f32x4.mul(u2, v2), u2);
            r3 = whereLess<v128>(u3, f32x4.splat(0), f32x4.mul(u3, v3), u3);
          } else {
            r = f32x4.sub(u, v);
            r1 = f32x4.sub(u1, v1);
            r2 = f32x4.sub(u2, v2);
            r3 = f32x4.sub(u3, v3);
            if (form == SQUARED_DIFFERENCE) {
              r = f32x4.mul(r, r);
              r1 = f32x4.mul(r1, r1);
              r2 = f32x4.mul(r2, r2);
              r3 = f32x4.mul(r3, r3);
            }
          }
          v128.store(y, clamped<v128>(r, lo, hi));
          v128.store(y, clamped<v128>(r1, lo, hi), 16);
          v128.store(y, clamped<v128>(r2, lo, hi), 32);
          v128.store(y, clamped<v128>(r3, lo, hi), 48);
          atA += BLOCK;
          atB += stepB << 2;
          y += BLOCK;
        }
      }
      while (left) {
        const n = min(left, 16);
        if (stepA) u = loadFloats(atA, n);
        if (stepB) v = loadFloats(atB, n);
        storeFloats(y, value<v128>(u, v, lo, hi, form), n);
        atA += stepA;
        atB += stepB;
        y += n;
        left -= n;
      }
      a += p.a4;
      b += p.b4;
    }
  } else {
    for (; rows; rows--) {
      let atA = a;
      let atB = b;
      for (let left = count; left; left--) {
        store<f32>(y, value<f32>(load<f32>(atA), load<f32>(atB), p.lo, p.hi, form));
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
@inline function value<T>(a: T, b: T, lo: T, hi: T, form: u32): T {
  if (form == ADD) return clamped<T>(plus<T>(a, b), lo, hi);
  else if (form == MUL) return clamped<T>(times<T>(a, b), lo, hi);
  else if (form == PRELU) return whereLess<T>(a, splat<T>(0), times<T>(a, b), a);
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
  // C's powers are 1 where JavaScript's are NaN
  if (form == POW) return a == 1 || (a == -1 && abs(b) == Infinity) ? 1 : NativeMathf.pow(a, b);
  if (form == ATAN2) return NativeMathf.atan2(a, b);
  return <f32>sqrt<f64>(<f64>a * <f64>a + <f64>b * <f64>b);
}
