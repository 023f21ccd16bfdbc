/** Between four pixels, eight channels at a time. */
import { storeBytes } from "../common/bytes.simd";
import { load16 } from "../common/edge.simd";

/** One output pixel between those at a and b on the left, c and d on the right, by 1024ths down and across. */
export function between(y: usize, a: usize, b: usize, c: usize, d: usize, bytes: u32, down: i32, across: i32): void {
  const vertical = i32x4.splat(((1024 - down) & 0xffff) | (down << 16));
  const wl = i32x4.splat(1024 - across);
  const wr = i32x4.splat(across);
  for (; bytes >= 8; bytes -= 8) {
    const v = eight(v128.load8x8_s(a), v128.load8x8_s(b), v128.load8x8_s(c), v128.load8x8_s(d), vertical, wl, wr);
    v128.store64_lane(y, v, 0);
    a += 8;
    b += 8;
    c += 8;
    d += 8;
    y += 8;
  }
  if (bytes) storeBytes(y, eight(some(a, bytes), some(b, bytes), some(c, bytes), some(d, bytes), vertical, wl, wr), bytes);
}

/** Fewer than eight channels, and nothing beyond them. */
// @ts-ignore: decorator
@inline function some(x: usize, count: u32): v128 {
  return i16x8.extend_low_i8x16_s(load16(x, count));
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
