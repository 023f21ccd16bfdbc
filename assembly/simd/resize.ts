import { Resize } from "../params";
import { ENTRY } from "../portable/resize";
import { share } from "../portable/split";
import { storeBytes } from "./bytes";
import { copyBytes, load16 } from "./edge";

/** Each output pixel is the nearest input pixel, whose bytes are copied. Parts share the rows. */
export function resizeNearest(params: usize, part: u32, parts: u32): void {
  const p = changetype<Resize>(params);
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const row = <usize>p.x + batch * p.xBytes + load<u32>(<usize>p.rows + <usize>(i - batch * p.outH) * ENTRY);
    let y = <usize>p.y + i * p.outW * p.bytes;
    let column = <usize>p.columns;
    for (const last = column + <usize>p.outW * ENTRY; column < last; column += ENTRY) {
      copyBytes(y, row + load<u32>(column), p.bytes);
      y += p.bytes;
    }
  }
}

/** Each output pixel is between four, weighed by 1024ths in both directions; int8. Parts share the rows. */
export function resizeBilinear(params: usize, part: u32, parts: u32): void {
  const p = changetype<Resize>(params);
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const entry = <usize>p.rows + <usize>(i - batch * p.outH) * ENTRY;
    const image = <usize>p.x + batch * p.xBytes;
    const upper = image + load<u32>(entry);
    const lower = image + load<u32>(entry, 4);
    const down = load<i32>(entry, 8);
    const vertical = i32x4.splat(((1024 - down) & 0xffff) | (down << 16));
    let y = <usize>p.y + i * p.outW * p.bytes;
    let column = <usize>p.columns;
    for (const last = column + <usize>p.outW * ENTRY; column < last; column += ENTRY) {
      const left = <usize>load<u32>(column);
      const right = <usize>load<u32>(column, 4);
      pixel(y, upper + left, lower + left, upper + right, lower + right, p.bytes, vertical, load<i32>(column, 8));
      y += p.bytes;
    }
  }
}

/** One output pixel between those at a and b on the left, c and d on the right. */
function pixel(y: usize, a: usize, b: usize, c: usize, d: usize, bytes: u32, vertical: v128, across: i32): void {
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
