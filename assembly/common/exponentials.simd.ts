/** Exponentials of many float32, eight a turn: what each number of the polynomial is loaded for. */
import { load16, store16 } from "./edge.simd";
import { expF32, number } from "./float";

/**
 * y = exp(t) of `bytes` bytes of x, t = (x − most)·beta with the bits of `signs` set, which y has again; 0 below `least`.
 * Returns the sums of what was written, element i in lane i mod 4. The same operations as `expF32` has.
 */
export function exponentials(x: usize, y: usize, bytes: usize, most: f32, beta: f32, signs: i32, least: f32): v128 {
  const set = i32x4.splat(signs);
  const start = f32x4.splat(most);
  const factor = f32x4.splat(beta);
  const floor = f32x4.splat(least);
  let sums = f32x4.splat(0);
  // no call among these: what is held would go to memory and back for it
  for (; bytes >= 64; bytes -= 64) {
    const u0 = v128.load(x);
    const u1 = v128.load(x, 16);
    const u2 = v128.load(x, 32);
    const u3 = v128.load(x, 48);
    const a0 = v128.or(f32x4.mul(f32x4.sub(u0, start), factor), set);
    const a1 = v128.or(f32x4.mul(f32x4.sub(u1, start), factor), set);
    const a2 = v128.or(f32x4.mul(f32x4.sub(u2, start), factor), set);
    const a3 = v128.or(f32x4.mul(f32x4.sub(u3, start), factor), set);
    let c = number<v128>(10);
    let d = number<v128>(11);
    let p0 = f32x4.pmin(f32x4.pmax(a0, c), d);
    let p1 = f32x4.pmin(f32x4.pmax(a1, c), d);
    let p2 = f32x4.pmin(f32x4.pmax(a2, c), d);
    let p3 = f32x4.pmin(f32x4.pmax(a3, c), d);
    c = number<v128>(6);
    d = number<v128>(7);
    const i0 = f32x4.sub(f32x4.add(f32x4.mul(p0, c), d), d);
    const i1 = f32x4.sub(f32x4.add(f32x4.mul(p1, c), d), d);
    const i2 = f32x4.sub(f32x4.add(f32x4.mul(p2, c), d), d);
    const i3 = f32x4.sub(f32x4.add(f32x4.mul(p3, c), d), d);
    c = number<v128>(8);
    d = number<v128>(9);
    const r0 = f32x4.sub(f32x4.sub(p0, f32x4.mul(i0, c)), f32x4.mul(i0, d));
    const r1 = f32x4.sub(f32x4.sub(p1, f32x4.mul(i1, c)), f32x4.mul(i1, d));
    const r2 = f32x4.sub(f32x4.sub(p2, f32x4.mul(i2, c)), f32x4.mul(i2, d));
    const r3 = f32x4.sub(f32x4.sub(p3, f32x4.mul(i3, c)), f32x4.mul(i3, d));
    v128.store(y, r0);
    v128.store(y, r1, 16);
    v128.store(y, r2, 32);
    v128.store(y, r3, 48);
    c = number<v128>(0);
    d = number<v128>(1);
    p0 = f32x4.add(f32x4.mul(c, r0), d);
    p1 = f32x4.add(f32x4.mul(c, r1), d);
    p2 = f32x4.add(f32x4.mul(c, r2), d);
    p3 = f32x4.add(f32x4.mul(c, r3), d);
    c = number<v128>(2);
    d = number<v128>(3);
    p0 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p0, r0), c), r0), d);
    p1 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p1, r1), c), r1), d);
    p2 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p2, r2), c), r2), d);
    p3 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p3, r3), c), r3), d);
    v128.store(y, p0);
    v128.store(y, p1, 16);
    v128.store(y, p2, 32);
    v128.store(y, p3, 48);
    c = number<v128>(4);
    d = number<v128>(5);
    p0 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p0, r0), c), r0), d);
    p1 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p1, r1), c), r1), d);
    p2 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p2, r2), c), r2), d);
    p3 = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(p3, r3), c), r3), d);
    c = number<v128>(49);
    p0 = f32x4.add(f32x4.add(f32x4.mul(p0, f32x4.mul(r0, r0)), r0), c);
    p1 = f32x4.add(f32x4.add(f32x4.mul(p1, f32x4.mul(r1, r1)), r1), c);
    p2 = f32x4.add(f32x4.add(f32x4.mul(p2, f32x4.mul(r2, r2)), r2), c);
    p3 = f32x4.add(f32x4.add(f32x4.mul(p3, f32x4.mul(r3, r3)), r3), c);
    v128.store(y, p0);
    v128.store(y, p1, 16);
    v128.store(y, p2, 32);
    v128.store(y, p3, 48);
    c = number<v128>(48);
    d = number<v128>(47);
    const h0 = f32x4.add(f32x4.mul(i0, c), d);
    const h1 = f32x4.add(f32x4.mul(i1, c), d);
    const h2 = f32x4.add(f32x4.mul(i2, c), d);
    const h3 = f32x4.add(f32x4.mul(i3, c), d);
    p0 = f32x4.mul(f32x4.mul(p0, i32x4.shl(h0, 23)), i32x4.shl(f32x4.add(f32x4.sub(i0, f32x4.sub(h0, d)), d), 23));
    p1 = f32x4.mul(f32x4.mul(p1, i32x4.shl(h1, 23)), i32x4.shl(f32x4.add(f32x4.sub(i1, f32x4.sub(h1, d)), d), 23));
    p2 = f32x4.mul(f32x4.mul(p2, i32x4.shl(h2, 23)), i32x4.shl(f32x4.add(f32x4.sub(i2, f32x4.sub(h2, d)), d), 23));
    p3 = f32x4.mul(f32x4.mul(p3, i32x4.shl(h3, 23)), i32x4.shl(f32x4.add(f32x4.sub(i3, f32x4.sub(h3, d)), d), 23));
    p0 = v128.andnot(p0, f32x4.lt(a0, floor));
    p1 = v128.andnot(p1, f32x4.lt(a1, floor));
    p2 = v128.andnot(p2, f32x4.lt(a2, floor));
    p3 = v128.andnot(p3, f32x4.lt(a3, floor));
    v128.store(y, v128.or(p0, v128.and(u0, set)));
    v128.store(y, v128.or(p1, v128.and(u1, set)), 16);
    v128.store(y, v128.or(p2, v128.and(u2, set)), 32);
    v128.store(y, v128.or(p3, v128.and(u3, set)), 48);
    sums = f32x4.add(f32x4.add(f32x4.add(f32x4.add(sums, p0), p1), p2), p3);
    x += 64;
    y += 64;
  }
  while (bytes) {
    const n = <u32>min(bytes, 16);
    const u = load16(x, n);
    const a = v128.or(f32x4.mul(f32x4.sub(u, start), factor), set);
    const p = v128.andnot(expF32<v128>(a), f32x4.lt(a, floor));
    store16(y, v128.or(p, v128.and(u, set)), n);
    sums = f32x4.add(sums, n == 16 ? p : load16(y, n));
    x += 16;
    y += 16;
    bytes -= n;
  }
  return sums;
}
