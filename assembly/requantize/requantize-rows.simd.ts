/**
 * Rows of int32 accumulators to int8, eight channels at a time: the epilogue of a GEMM as a kernel of its own, for
 * accumulators that come from elsewhere.
 */
import { Requantize } from "./params";
import { share } from "../common/split";
import { storeBytes } from "../common/bytes.simd";
import { clamped, highest, lowest, RECORD, requantizeAny } from "./requantize.simd";

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

/** One panel of up to eight channels down rows `row` to `end`. */
function panel(p: Requantize, q: usize, column: u32, row: u32, end: u32): void {
  const params = changetype<usize>(p);
  const zeroPoint = params + offsetof<Requantize>("yZeroPoint");
  const n = p.n;
  const width = <i32>min(n - column, 8);
  const first = <usize>row * n + column;
  let x = <usize>p.x + (first << 2);
  let y = <usize>p.y + first;
  for (; row < end; row++) {
    const r0 = i32x4.add(loadLanes(x, width), v128.load(q));
    const r1 = i32x4.add(loadLanes(x + 16, width - 4), v128.load(q, 16));
    const eight = requantizeAny(r0, r1, q, zeroPoint);
    const bytes = clamped(eight, eight, lowest<Requantize>(params), highest<Requantize>(params));
    if (width == 8) v128.store64_lane(y, bytes, 0);
    else storeBytes(y, bytes, width);
    x += <usize>n << 2;
    y += n;
  }
}

/** y[m,n] = requantize(x[m,n] + bias[n]); shares are rows. */
export function requantize(p: Requantize, part: u32, parts: u32): void {
  const row = share(p.m, part, parts);
  const end = share(p.m, part + 1, parts);
  let q = <usize>p.q;
  let column: u32 = 0;
  do {
    panel(p, q, column, row, end);
    q += RECORD;
    column += 8;
  } while (column < p.n);
}
