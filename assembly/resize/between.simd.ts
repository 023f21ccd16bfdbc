/** Between four pixels, eight channels at a time. */
import { storeBytes } from "../common/bytes.simd";

/** One output pixel between those at a and b on the left, c and d on the right, by 1024ths down and across. */
export function between(y: usize, a: usize, b: usize, c: usize, d: usize, bytes: u32, down: i32, across: i32): void {
  const vertical = i32x4.splat(((1024 - down) & 0xffff) | (down << 16));
  const wl = i32x4.splat(1024 - across);
  const wr = i32x4.splat(across);
  if (bytes < 8) {
    storeBytes(y, eight(some(a, bytes), some(b, bytes), some(c, bytes), some(d, bytes), vertical, wl, wr), bytes);
    return;
  }
  // the last eight may meet those before them
  const last = <usize>bytes - 8;
  for (let i: usize = 0; ; i = min(i + 8, last)) {
    const l = v128.load8x8_s(a + i);
    const r = v128.load8x8_s(c + i);
    v128.store64_lane(y + i, eight(l, v128.load8x8_s(b + i), r, v128.load8x8_s(d + i), vertical, wl, wr), 0);
    if (i == last) return;
  }
}

/** Fewer than eight channels: those before them are shifted away, and nothing beyond them is read. */
// @ts-ignore: decorator
@inline function some(x: usize, count: u32): v128 {
  const before = 8 - count;
  return i16x8.extend_low_i8x16_s(i64x2.shr_u(v128.load64_zero(x - before), before << 3));
}

/** Eight channels between four pixels, as int16. */
// @ts-ignore: decorator
@inline function eight(a: v128, b: v128, c: v128, d: v128, vertical: v128, wl: v128, wr: v128): v128 {
  const l0 = i32x4.dot_i16x8_s(i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11), vertical);
  const r0 = i32x4.dot_i16x8_s(i16x8.shuffle(c, d, 0, 8, 1, 9, 2, 10, 3, 11), vertical);
  const l1 = i32x4.dot_i16x8_s(i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15), vertical);
  const r1 = i32x4.dot_i16x8_s(i16x8.shuffle(c, d, 4, 12, 5, 13, 6, 14, 7, 15), vertical);
  const q0 = rounded(i32x4.add(i32x4.mul(l0, wl), i32x4.mul(r0, wr)));
  const q1 = rounded(i32x4.add(i32x4.mul(l1, wl), i32x4.mul(r1, wr)));
  const q = i16x8.narrow_i32x4_s(q0, q1);
  return i8x16.narrow_i16x8_s(q, q);
}

/** sum / 2^20, rounded half away from zero. */
// @ts-ignore: decorator
@inline function rounded(sum: v128): v128 {
  const sign = i32x4.shr_s(sum, 31);
  const size = i32x4.shr_u(i32x4.add(i32x4.abs(sum), i32x4.splat(1 << 19)), 20);
  return i32x4.sub(v128.xor(size, sign), sign);
}
