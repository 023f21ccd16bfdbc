/**
 * Register tiles of the float and hybrid products: four rows by eight columns. Rows are read where they stand: each has
 * as many runs of elements as the tile says, all of one length, at addresses that a table holds. Sums go through the runs in order.
 */
import { store16 } from "../common/edge.simd";
import { GemmF32, WHOLE } from "./f32-params";
import { clamped, columns, finishHybrid, finishOne, Float, Hybrid, real } from "./finish-f32";

/** Four rows; then for each run its four addresses, u32 each. */
@unmanaged
export class Tile {
  runs: u32;
  /** Elements of a run, 4 bytes each. */
  length: u32;
  /** Where the rows' first columns go. */
  y0: u32;
  y1: u32;
  y2: u32;
  y3: u32;
  /** Hybrid: what the rows' sums are multiplied with. */
  scale0: f32;
  scale1: f32;
  scale2: f32;
  scale3: f32;
}
export const TILE: usize = 40;

/** Bytes of a step of a panel that tiles read: eight floats, or eight pairs of int16. */
export const STEP: usize = 32;

/** Bytes of a packed panel. */
// @ts-ignore: decorator
@inline export function panelBytes<K>(k: u32): usize {
  return idof<K>() == idof<Hybrid>() ? <usize>k << 4 : <usize>k << 5;
}

/** Four columns of an element of B. */
// @ts-ignore: decorator
@inline export function low<K>(b: usize): v128 {
  return idof<K>() == idof<Hybrid>() ? v128.load8x8_s(b) : v128.load(b);
}

// @ts-ignore: decorator
@inline export function high<K>(b: usize): v128 {
  return idof<K>() == idof<Hybrid>() ? v128.load8x8_s(b, 8) : v128.load(b, 16);
}

/** sum + x·b. */
// @ts-ignore: decorator
@inline export function add<K>(x: v128, b: v128, sum: v128): v128 {
  return idof<K>() == idof<Hybrid>() ? i32x4.add(sum, i32x4.dot_i16x8_s(x, b)) : f32x4.add(sum, f32x4.mul(x, b));
}

/** The tiles from `t` to `end`, `size` bytes each, with a panel of `width` columns from `column` on. */
export function tiles<K>(p: GemmF32, t: usize, end: usize, size: usize, b: usize, column: u32, width: u32): void {
  if (ASC_FEATURE_SIMD) {
    if (idof<K>() == idof<Hybrid>() || width > 4) wide<K>(p, t, end, size, b, column, width);
    else narrow(p, t, end, size, b, column, width);
  } else scalars<K>(p, t, end, size, b, column, width);
}

/** Five to eight columns; hybrid, any number. */
function wide<K>(p: GemmF32, t: usize, end: usize, size: usize, b: usize, column: u32, width: u32): void {
  const right = max(width, 4) - 4;
  const at = <usize>column << 2;
  for (; t < end; t += size) {
    const T = changetype<Tile>(t);
    const step = <usize>T.length << 5;
    let r00 = i32x4.splat(0);
    let r01 = r00;
    let r10 = r00;
    let r11 = r00;
    let r20 = r00;
    let r21 = r00;
    let r30 = r00;
    let r31 = r00;
    let w = b;
    let run = t + TILE;
    for (const last = run + (<usize>T.runs << 4); run < last; run += 16) {
      let a0 = <usize>load<u32>(run);
      let a1 = <usize>load<u32>(run, 4);
      let a2 = <usize>load<u32>(run, 8);
      let a3 = <usize>load<u32>(run, 12);
      for (const stop = w + step; w < stop; w += STEP) {
        const b0 = v128.load(w);
        const b1 = v128.load(w, 16);
        let x = v128.load32_splat(a0);
        r00 = add<K>(x, b0, r00);
        r01 = add<K>(x, b1, r01);
        x = v128.load32_splat(a1);
        r10 = add<K>(x, b0, r10);
        r11 = add<K>(x, b1, r11);
        x = v128.load32_splat(a2);
        r20 = add<K>(x, b0, r20);
        r21 = add<K>(x, b1, r21);
        x = v128.load32_splat(a3);
        r30 = add<K>(x, b0, r30);
        r31 = add<K>(x, b1, r31);
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
      }
    }
    if (idof<K>() == idof<Hybrid>()) {
      if (width == 8) {
        const whole = p.asymmetric >= WHOLE;
        const lo = f32x4.splat(p.lo);
        const hi = f32x4.splat(p.hi);
        let scale = v128.load(<usize>p.scaleTable + at);
        let bias = p.bias ? v128.load(<usize>p.bias + at) : f32x4.splat(0);
        v128.store(<usize>T.y0 + at, clamped(real(r00, scale, T.scale0, whole), bias, lo, hi));
        v128.store(<usize>T.y1 + at, clamped(real(r10, scale, T.scale1, whole), bias, lo, hi));
        v128.store(<usize>T.y2 + at, clamped(real(r20, scale, T.scale2, whole), bias, lo, hi));
        v128.store(<usize>T.y3 + at, clamped(real(r30, scale, T.scale3, whole), bias, lo, hi));
        scale = v128.load(<usize>p.scaleTable + at, 16);
        bias = p.bias ? v128.load(<usize>p.bias + at, 16) : f32x4.splat(0);
        v128.store(<usize>T.y0 + at, clamped(real(r01, scale, T.scale0, whole), bias, lo, hi), 16);
        v128.store(<usize>T.y1 + at, clamped(real(r11, scale, T.scale1, whole), bias, lo, hi), 16);
        v128.store(<usize>T.y2 + at, clamped(real(r21, scale, T.scale2, whole), bias, lo, hi), 16);
        v128.store(<usize>T.y3 + at, clamped(real(r31, scale, T.scale3, whole), bias, lo, hi), 16);
      } else {
        finishHybrid(p, T.y0, r00, r01, T.scale0, column, width);
        finishHybrid(p, T.y1, r10, r11, T.scale1, column, width);
        finishHybrid(p, T.y2, r20, r21, T.scale2, column, width);
        finishHybrid(p, T.y3, r30, r31, T.scale3, column, width);
      }
      continue;
    }
    const lo = f32x4.splat(p.lo);
    const hi = f32x4.splat(p.hi);
    let bias = columns(p.bias, column, 4);
    storeRows(T, at, 4, clamped(r00, bias, lo, hi), clamped(r10, bias, lo, hi), clamped(r20, bias, lo, hi), clamped(r30, bias, lo, hi));
    bias = columns(p.bias, column + 4, right);
    storeRows(T, at + 16, right, clamped(r01, bias, lo, hi), clamped(r11, bias, lo, hi), clamped(r21, bias, lo, hi), clamped(r31, bias, lo, hi));
  }
}

/** Four columns of four rows, `offset` bytes behind the rows' beginnings. */
// @ts-ignore: decorator
@inline function storeRows(T: Tile, offset: usize, width: u32, v0: v128, v1: v128, v2: v128, v3: v128): void {
  if (width == 4) {
    v128.store(<usize>T.y0 + offset, v0);
    v128.store(<usize>T.y1 + offset, v1);
    v128.store(<usize>T.y2 + offset, v2);
    v128.store(<usize>T.y3 + offset, v3);
  } else {
    store16(<usize>T.y0 + offset, v0, width << 2);
    store16(<usize>T.y1 + offset, v1, width << 2);
    store16(<usize>T.y2 + offset, v2, width << 2);
    store16(<usize>T.y3 + offset, v3, width << 2);
  }
}

/** One to four columns, of floats. */
function narrow(p: GemmF32, t: usize, end: usize, size: usize, b: usize, column: u32, width: u32): void {
  for (; t < end; t += size) {
    const T = changetype<Tile>(t);
    const step = <usize>T.length << 5;
    let r0 = i32x4.splat(0);
    let r1 = r0;
    let r2 = r0;
    let r3 = r0;
    let w = b;
    let run = t + TILE;
    for (const last = run + (<usize>T.runs << 4); run < last; run += 16) {
      let a0 = <usize>load<u32>(run);
      let a1 = <usize>load<u32>(run, 4);
      let a2 = <usize>load<u32>(run, 8);
      let a3 = <usize>load<u32>(run, 12);
      for (const stop = w + step; w < stop; w += STEP) {
        const b0 = v128.load(w);
        r0 = add<Float>(v128.load32_splat(a0), b0, r0);
        r1 = add<Float>(v128.load32_splat(a1), b0, r1);
        r2 = add<Float>(v128.load32_splat(a2), b0, r2);
        r3 = add<Float>(v128.load32_splat(a3), b0, r3);
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
      }
    }
    const lo = f32x4.splat(p.lo);
    const hi = f32x4.splat(p.hi);
    const bias = columns(p.bias, column, width);
    storeRows(T, <usize>column << 2, width, clamped(r0, bias, lo, hi), clamped(r1, bias, lo, hi), clamped(r2, bias, lo, hi), clamped(r3, bias, lo, hi));
  }
}

/** Without vectors, sum by sum. */
function scalars<K>(p: GemmF32, t: usize, end: usize, size: usize, b: usize, column: u32, width: u32): void {
  for (; t < end; t += size) {
    const T = changetype<Tile>(t);
    for (let i: usize = 0; i < 16; i += 4) {
      for (let c: u32 = 0; c < width; c++) {
        let w = b + (<usize>c << 2);
        let run = t + TILE + i;
        let sum: f32 = 0;
        let whole: i32 = 0;
        for (let left = T.runs; left; left--) {
          const a = <usize>load<u32>(run);
          if (idof<K>() == idof<Hybrid>()) whole = sumOf<K, i32, i16>(whole, a, w, T.length);
          else sum = sumOf<K, f32, f32>(sum, a, w, T.length);
          w += <usize>T.length << 5;
          run += 16;
        }
        if (idof<K>() == idof<Hybrid>()) sum = <f32>whole;
        finishOne<K>(p, <usize>load<u32>(t + i, 8), sum, load<f32>(t + i, 24), column + c);
      }
    }
  }
}

/** The sum of one row and column on top of `sum`, for k elements; B of floats, or of pairs of W. */
// @ts-ignore: decorator
@inline export function sumOf<K, T, W>(sum: T, a: usize, b: usize, k: u32): T {
  for (; k; k--) {
    if (idof<K>() == idof<Hybrid>()) sum += <T>(<i32>load<i16>(a) * <i32>load<W>(b) + <i32>load<i16>(a, 2) * <i32>load<W>(b, sizeof<W>()));
    else sum += <T>(load<f32>(a) * load<f32>(b));
    a += 4;
    b += idof<K>() == idof<Hybrid>() ? sizeof<W>() << 4 : STEP;
  }
  return sum;
}
