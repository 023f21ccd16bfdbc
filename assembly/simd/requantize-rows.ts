/**
 * Rows of int32 accumulators to int8, eight channels at a time: the epilogue of a GEMM as a kernel of its own, for
 * accumulators that come from elsewhere.
 */
import { Requantize } from "../params";
import { share } from "../portable/split";
import { A, B, EXACT, exact, FIXED, fixed, FORM, magicOffset, narrow, POSITIVE, positive, RECORD, SIGNED, signed } from "./requantize";

/** Up to four accumulators, and nothing beyond them. */
// @ts-ignore: decorator
@inline function loadLanes(x: usize, count: i32): v128 {
  if (count >= 4) return v128.load(x);
  let r = i32x4.splat(0);
  if (count > 0) r = i32x4.replace_lane(r, 0, load<i32>(x));
  if (count > 1) r = i32x4.replace_lane(r, 1, load<i32>(x, 4));
  if (count > 2) r = i32x4.replace_lane(r, 2, load<i32>(x, 8));
  return r;
}

/** The first `count` bytes of eight. */
// @ts-ignore: decorator
@inline function storeBytes(y: usize, bytes: v128, count: i32): void {
  let rest = i64x2.extract_lane(bytes, 0);
  for (const end = y + <usize>count; y < end; y++) {
    store<u8>(y, <u8>rest);
    rest >>= 8;
  }
}

/** Four accumulators of one record, plus their bias, in the record's form. */
// @ts-ignore: decorator
@inline function apply(form: u32, x: v128, q: usize, half: usize, offset: v128, zeroPoint: i32): v128 {
  const r = i32x4.add(x, v128.load(q + half));
  if (form == EXACT) return exact(r, q + half + A, q + half + B, zeroPoint);
  const a = v128.load(q + half, A);
  const b = v128.load(q + half, B);
  if (form == POSITIVE) return positive(r, a, b, offset);
  return form == SIGNED ? signed(r, a, b, offset) : fixed(r, a, b, offset);
}

/** One panel of up to eight channels down rows `row` to `end`. */
// @ts-ignore: decorator
@inline function panel(p: Requantize, form: u32, q: usize, column: u32, row: u32, end: u32): void {
  const n = p.n;
  const width = <i32>min(n - column, 8);
  const zeroPoint = p.yZeroPoint;
  const offset = magicOffset(form, zeroPoint);
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  const first = <usize>row * n + column;
  let x = <usize>p.x + (first << 2);
  let y = <usize>p.y + first;
  for (; row < end; row++) {
    const r0 = apply(form, loadLanes(x, width), q, 0, offset, zeroPoint);
    const r1 = apply(form, loadLanes(x + 16, width - 4), q, 16, offset, zeroPoint);
    const bytes = narrow(r0, r1, r0, r1, lo, hi);
    if (width == 8) v128.store64_lane(y, bytes, 0);
    else storeBytes(y, bytes, width);
    x += <usize>n << 2;
    y += n;
  }
}

/** y[m,n] = requantize(x[m,n] + bias[n]); shares are rows. */
export function requantize(params: usize, part: u32, parts: u32): void {
  const p = changetype<Requantize>(params);
  const row = share(p.m, part, parts);
  const end = share(p.m, part + 1, parts);
  let q = <usize>p.q;
  for (let column: u32 = 0; column < p.n; column += 8) {
    const form = load<u32>(q, FORM);
    if (form == POSITIVE) panel(p, POSITIVE, q, column, row, end);
    else if (form == SIGNED) panel(p, SIGNED, q, column, row, end);
    else if (form == FIXED) panel(p, FIXED, q, column, row, end);
    else panel(p, EXACT, q, column, row, end);
    q += RECORD;
  }
}
