/** Register tiles of the float and hybrid products: four rows by eight columns. */
import { load16, store16 } from "../common/edge.simd";
import { atLeast, atMost, plus, splat, times } from "../common/lanes";
import { GemmF32, WHOLE } from "./gemm-f32";

/** float32 A and B. */
export class Float {}
/** Pairs of k's: int16 A, int8 B, int32 sums. */
export class Hybrid {}

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

/** The sum of one row and column, at `a` in steps of `step` bytes. */
// @ts-ignore: decorator
@inline export function sumOf<K>(a: usize, step: usize, b: usize, k: u32): f32 {
  if (idof<K>() == idof<Hybrid>()) {
    let sum: i32 = 0;
    for (let i = k; i; i--) {
      sum += <i32>load<i16>(a) * <i32>load<i8>(b) + <i32>load<i16>(a, 2) * <i32>load<i8>(b, 1);
      a += step;
      b += 16;
    }
    return <f32>sum;
  } else {
    let sum: f32 = 0;
    for (let i = k; i; i--) {
      sum += load<f32>(a) * load<f32>(b);
      a += step;
      b += 32;
    }
    return sum;
  }
}

/** clamp(sum · scales + bias). */
// @ts-ignore: decorator
@inline export function finish<K, T>(p: GemmF32, sum: T, scale: T, rowScale: f32, bias: T): T {
  if (idof<K>() == idof<Hybrid>()) {
    const row = splat<T>(rowScale);
    sum = p.asymmetric == WHOLE ? times<T>(sum, times<T>(row, scale)) : times<T>(times<T>(sum, scale), row);
  }
  return atMost<T>(atLeast<T>(plus<T>(sum, bias), splat<T>(p.lo)), splat<T>(p.hi));
}

// @ts-ignore: decorator
@inline function real<K>(sum: v128): v128 {
  return idof<K>() == idof<Hybrid>() ? f32x4.convert_i32x4_s(sum) : sum;
}

/** Four of the columns' floats at `address`, as many as there are; zeros where there is no table. */
// @ts-ignore: decorator
@inline function columns(address: u32, column: u32, width: u32): v128 {
  if (address == 0 || width == 0) return f32x4.splat(0);
  return load16(<usize>address + (<usize>column << 2), min(width, 4) << 2);
}

/** Eight columns of one row. */
// @ts-ignore: decorator
@inline export function finishRow<K>(p: GemmF32, y: usize, r0: v128, r1: v128, rowScale: f32, column: u32, width: u32): void {
  const right = width > 4 ? width - 4 : 0;
  const hybrid = idof<K>() == idof<Hybrid>();
  const s0 = hybrid ? columns(p.scaleTable, column, width) : f32x4.splat(0);
  const s1 = hybrid ? columns(p.scaleTable, column + 4, right) : f32x4.splat(0);
  const v0 = finish<K, v128>(p, real<K>(r0), s0, rowScale, columns(p.bias, column, width));
  const v1 = finish<K, v128>(p, real<K>(r1), s1, rowScale, columns(p.bias, column + 4, right));
  y += <usize>column << 2;
  if (width == 8) {
    v128.store(y, v0);
    v128.store(y, v1, 16);
  } else {
    store16(y, v0, min(width, 4) << 2);
    if (right) store16(y + 16, v1, right << 2);
  }
}

/** One column of one row. */
// @ts-ignore: decorator
@inline export function finishOne<K>(p: GemmF32, y: usize, sum: f32, rowScale: f32, column: u32): void {
  const at = <usize>column << 2;
  const scale: f32 = idof<K>() == idof<Hybrid>() ? load<f32>(<usize>p.scaleTable + at) : 0;
  const bias: f32 = p.bias ? load<f32>(<usize>p.bias + at) : 0;
  store<f32>(y + at, finish<K, f32>(p, sum, scale, rowScale, bias));
}

/** The tile at `a`, whose rows' places and scales are at `row`, `size` bytes each, with a panel. */
export function tile<K>(p: GemmF32, a: usize, row: usize, size: usize, b: usize, k: u32, column: u32, width: u32): void {
  if (ASC_FEATURE_SIMD) {
    let r00 = i32x4.splat(0);
    let r01 = r00;
    let r10 = r00;
    let r11 = r00;
    let r20 = r00;
    let r21 = r00;
    let r30 = r00;
    let r31 = r00;
    for (const end = b + panelBytes<K>(k); b < end; b += panelBytes<K>(1)) {
      const b0 = low<K>(b);
      const b1 = high<K>(b);
      let x = v128.load32_splat(a);
      r00 = add<K>(x, b0, r00);
      r01 = add<K>(x, b1, r01);
      x = v128.load32_splat(a, 4);
      r10 = add<K>(x, b0, r10);
      r11 = add<K>(x, b1, r11);
      x = v128.load32_splat(a, 8);
      r20 = add<K>(x, b0, r20);
      r21 = add<K>(x, b1, r21);
      x = v128.load32_splat(a, 12);
      r30 = add<K>(x, b0, r30);
      r31 = add<K>(x, b1, r31);
      a += 16;
    }
    finishRow<K>(p, load<u32>(row), r00, r01, load<f32>(row, 4), column, width);
    row += size;
    finishRow<K>(p, load<u32>(row), r10, r11, load<f32>(row, 4), column, width);
    row += size;
    finishRow<K>(p, load<u32>(row), r20, r21, load<f32>(row, 4), column, width);
    row += size;
    finishRow<K>(p, load<u32>(row), r30, r31, load<f32>(row, 4), column, width);
  } else {
    for (let i: u32 = 0; i < 4; i++) {
      for (let c: u32 = 0; c < width; c++) {
        const sum = sumOf<K>(a, 16, b + (<usize>c << (idof<K>() == idof<Hybrid>() ? 1 : 2)), k);
        finishOne<K>(p, load<u32>(row), sum, load<f32>(row, 4), column + c);
      }
      a += 4;
      row += size;
    }
  }
}
