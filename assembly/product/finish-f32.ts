/** How sums of the float and hybrid products become numbers of C: scales, bias and bounds. */
import { load16, store16 } from "../common/edge.simd";
import { atLeast, atMost, plus, splat, times } from "../common/lanes";
import { GemmF32, WHOLE } from "./f32-params";

/** float32 A and B. */
export class Float {}
/** Pairs of k's: int16 A, int32 sums; B int8 where it is stored, int16 where tiles read it. */
export class Hybrid {}

/** A hybrid sum as a real: A as a whole has its scale on the columns' ones, rows have theirs on the sum. */
// @ts-ignore: decorator
@inline function rescaled<T>(sum: T, scale: T, rowScale: f32, whole: bool): T {
  return times<T>(times<T>(sum, times<T>(scale, splat<T>(whole ? rowScale : 1))), splat<T>(whole ? 1 : rowScale));
}

/** clamp(sum · scales + bias). */
// @ts-ignore: decorator
@inline function finish<K, T>(p: GemmF32, sum: T, scale: T, rowScale: f32, bias: T): T {
  if (idof<K>() == idof<Hybrid>()) {
    sum = rescaled<T>(sum, scale, rowScale, p.asymmetric >= WHOLE);
  }
  return atMost<T>(atLeast<T>(plus<T>(sum, bias), splat<T>(p.lo)), splat<T>(p.hi));
}

/** Four columns of one row. */
// @ts-ignore: decorator
@inline export function finishFour<K>(p: GemmF32, sum: v128, scale: v128, rowScale: f32, bias: v128): v128 {
  return finish<K, v128>(p, idof<K>() == idof<Hybrid>() ? f32x4.convert_i32x4_s(sum) : sum, scale, rowScale, bias);
}

/** Four of the columns' floats at `address`, as many as there are; zeros where there is no table. */
// @ts-ignore: decorator
@inline export function columns(address: u32, column: u32, width: u32): v128 {
  if (address == 0 || width == 0) return f32x4.splat(0);
  return load16(<usize>address + (<usize>column << 2), min(width, 4) << 2);
}

/** The scales of four columns. */
// @ts-ignore: decorator
@inline export function scales<K>(p: GemmF32, column: u32, width: u32): v128 {
  return idof<K>() == idof<Hybrid>() ? columns(p.scaleTable, column, width) : f32x4.splat(0);
}

/** As many of the first `width` columns' four as there are. */
// @ts-ignore: decorator
@inline export function storeFour(y: usize, v: v128, width: u32): void {
  if (width >= 4) v128.store(y, v);
  else store16(y, v, width << 2);
}

/** One column of one row. */
// @ts-ignore: decorator
@inline export function finishOne<K>(p: GemmF32, y: usize, sum: f32, rowScale: f32, column: u32): void {
  const at = <usize>column << 2;
  const scale: f32 = idof<K>() == idof<Hybrid>() ? load<f32>(<usize>p.scaleTable + at) : 0;
  const bias: f32 = p.bias ? load<f32>(<usize>p.bias + at) : 0;
  store<f32>(y + at, finish<K, f32>(p, sum, scale, rowScale, bias));
}

/** Eight columns of a row of y from `column` on, of which there are `width`. */
// @ts-ignore: decorator
@inline export function finishRow<K>(p: GemmF32, y: usize, r0: v128, r1: v128, scale: f32, column: u32, width: u32): void {
  y += <usize>column << 2;
  storeFour(y, finishFour<K>(p, r0, scales<K>(p, column, width), scale, columns(p.bias, column, width)), width);
  if (width <= 4) return;
  const right = width - 4;
  storeFour(y + 16, finishFour<K>(p, r1, scales<K>(p, column + 4, right), scale, columns(p.bias, column + 4, right)), right);
}

/** The same, once in the module. */
export function finishHybrid(p: GemmF32, y: usize, r0: v128, r1: v128, scale: f32, column: u32, width: u32): void {
  finishRow<Hybrid>(p, y, r0, r1, scale, column, width);
}

/** Four hybrid sums as reals. */
// @ts-ignore: decorator
@inline export function real(sum: v128, scale: v128, rowScale: f32, whole: bool): v128 {
  return rescaled<v128>(f32x4.convert_i32x4_s(sum), scale, rowScale, whole);
}

/** Four sums of floats, as `finishFour` makes them, whose bounds are read once for a tile. */
// @ts-ignore: decorator
@inline export function clamped(sum: v128, bias: v128, lo: v128, hi: v128): v128 {
  return atMost<v128>(atLeast<v128>(plus<v128>(sum, bias), lo), hi);
}
