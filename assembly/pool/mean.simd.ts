/** MEAN of sixteen inner elements at a time. */
import { Mean } from "./params";
import { share } from "../common/split";
import { load16, loadPart, store16 } from "../common/edge.simd";
import { rescale } from "../common/rescale.simd";

/** int16 lanes hold the sum of this many int8. */
const CHUNK: u32 = 256;

/** Mean of x `[outer, reduce, middle, reduce2, inner]` over both reduce dimensions; the multiplier holds 1/count. */
export function mean(p: Mean, part: u32, parts: u32): void {
  const total = p.outer * p.middle * p.inner;
  const end = share(total, part + 1, parts);
  const line = p.reduce2 * p.inner;
  const step = p.middle * line;
  let i = share(total, part, parts);
  while (i < end) {
    const block = i / p.inner;
    const column = i - block * p.inner;
    const n = block / p.middle;
    let x = <usize>p.x + n * p.reduce * step + (block - n * p.middle) * line + column;
    let y = <usize>p.y + i;
    const count = min(p.inner - column, 16);
    i += count;
    if (p.inner == 1) {
      v128.store8_lane(y, narrow(rowMean(p, x, step)), 0);
      continue;
    }
    // sixteen that end with the row: some of them are there already
    const back = p.inner < 16 ? 0 : 16 - count;
    x -= back;
    y -= back;
    if (p.inner < 16) store16(y, means(p, x, step, count), count);
    else v128.store(y, means(p, x, step, 16));
  }
}

/** The mean over rows of bytes, in the first lane. */
// @ts-ignore: decorator
@inline function rowMean(p: Mean, x: usize, step: u32): v128 {
  let sum = i32x4.splat(0);
  for (let r = p.reduce; r > 0; r--) {
    let at = x;
    let count = p.reduce2;
    for (; count >= 16; count -= 16) {
      sum = i32x4.add(sum, fours(v128.load(at)));
      at += 16;
    }
    if (count) sum = i32x4.add(sum, fours(loadPart(at, count)));
    x += step;
  }
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
  return finish(p, i32x4.sub(sum, i32x4.splat(p.xZeroPoint * <i32>(p.reduce * p.reduce2))));
}

// @ts-ignore: decorator
@inline function fours(v: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v));
}

// @ts-ignore: decorator
@inline function narrow(v: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(v, v), v);
}

/** Two copies, as a call in the loop would spill the sums. Sums of up to 256 elements in int16, then added to int32. */
// @ts-ignore: decorator
@inline function means(p: Mean, x: usize, step: u32, count: u32): v128 {
  const offset = i32x4.splat(-p.xZeroPoint * <i32>(p.reduce * p.reduce2));
  let s0 = offset;
  let s1 = offset;
  let s2 = offset;
  let s3 = offset;
  let t0 = i16x8.splat(0);
  let t1 = i16x8.splat(0);
  let room = CHUNK;
  for (let r = p.reduce; r > 0; r--) {
    let at = x;
    for (let s = p.reduce2; s > 0; s--) {
      const v = load16(at, count);
      t0 = i16x8.add(t0, i16x8.extend_low_i8x16_s(v));
      t1 = i16x8.add(t1, i16x8.extend_high_i8x16_s(v));
      at += p.inner;
      if (--room) continue;
      s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(t0));
      s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(t0));
      s2 = i32x4.add(s2, i32x4.extend_low_i16x8_s(t1));
      s3 = i32x4.add(s3, i32x4.extend_high_i16x8_s(t1));
      t0 = i16x8.splat(0);
      t1 = i16x8.splat(0);
      room = CHUNK;
    }
    x += step;
  }
  const low = i16x8.narrow_i32x4_s(
    finish(p, i32x4.add(s0, i32x4.extend_low_i16x8_s(t0))),
    finish(p, i32x4.add(s1, i32x4.extend_high_i16x8_s(t0))),
  );
  const high = i16x8.narrow_i32x4_s(
    finish(p, i32x4.add(s2, i32x4.extend_low_i16x8_s(t1))),
    finish(p, i32x4.add(s3, i32x4.extend_high_i16x8_s(t1))),
  );
  return i8x16.narrow_i16x8_s(low, high);
}

/** Shift 64: by onnxruntime's rule, the multiplier being the bits of a float32. */
function finish(p: Mean, sum: v128): v128 {
  if (p.shift == 64) {
    const near = f32x4.nearest(f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.splat(reinterpret<f32>(p.multiplier))));
    const near16 = f32x4.pmax(f32x4.splat(-1024), f32x4.pmin(f32x4.splat(1024), near));
    return i32x4.add(i32x4.trunc_sat_f32x4_s(near16), i32x4.splat(p.yZeroPoint));
  }
  return i32x4.add(rescale(sum, i32x4.splat(p.multiplier), p.shift), i32x4.splat(p.yZeroPoint));
}
