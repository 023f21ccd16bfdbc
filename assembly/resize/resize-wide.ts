/** Resizes between four pixels of other types than int8. @full */
import { share } from "../common/split";
import { Resize } from "./params";

/** Bytes of one entry of an axis: where the first and the second source begin, and how far between them. */
const ENTRY: usize = 12;

/** int16, by 1024ths, rounded half away from zero. */
export function resizeBilinearS16(p: Resize, part: u32, parts: u32): void {
  walk<i16>(p, part, parts);
}

/** float32, by float32 fractions. */
export function resizeBilinearF32(p: Resize, part: u32, parts: u32): void {
  walk<f32>(p, part, parts);
}

/** int8 that stands for uint8, in float32 by float32 fractions, rounded half up. */
export function resizeBilinearU8(p: Resize, part: u32, parts: u32): void {
  walk<u8>(p, part, parts);
}

// @ts-ignore: decorator
@inline function walk<T>(p: Resize, part: u32, parts: u32): void {
  const bytes = <usize>p.bytes;
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const row = <usize>p.rows + <usize>(i - batch * p.outH) * ENTRY;
    const upper = <usize>p.x + batch * p.xBytes + load<u32>(row);
    const lower = <usize>p.x + batch * p.xBytes + load<u32>(row, 4);
    let y = <usize>p.y + <usize>(i * p.outW) * bytes;
    let column = <usize>p.columns;
    for (const last = column + <usize>p.outW * ENTRY; column < last; column += ENTRY) {
      const left = <usize>load<u32>(column);
      const right = <usize>load<u32>(column, 4);
      if (sizeof<T>() == 2) whole(y, upper, lower, left, right, bytes, load<i32>(row, 8), load<i32>(column, 8));
      else real<T>(y, upper, lower, left, right, bytes, load<f32>(row, 8), load<f32>(column, 8));
      y += bytes;
    }
  }
}

/** One pixel of int16. */
function whole(y: usize, upper: usize, lower: usize, left: usize, right: usize, bytes: usize, down: i32, across: i32): void {
  for (let c: usize = 0; c < bytes; c += 2) {
    const l = <i64>load<i16>(upper + left + c) * (1024 - down) + <i64>load<i16>(lower + left + c) * down;
    const r = <i64>load<i16>(upper + right + c) * (1024 - down) + <i64>load<i16>(lower + right + c) * down;
    const sum = l * (1024 - across) + r * across;
    store<i16>(y + c, <i16>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20)));
  }
}

/** One pixel of reals: the four products are added in the reference's order. */
function real<T>(y: usize, upper: usize, lower: usize, left: usize, right: usize, bytes: usize, down: f32, across: f32): void {
  const up: f32 = 1 - down;
  const back: f32 = 1 - across;
  let c: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const ups = f32x4.splat(up);
    const downs = f32x4.splat(down);
    const backs = f32x4.splat(back);
    const acrosses = f32x4.splat(across);
    for (; c + 4 * sizeof<T>() <= bytes; c += 4 * sizeof<T>()) {
      let sum = f32x4.mul(f32x4.mul(values<T>(upper + left + c), ups), backs);
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(values<T>(lower + left + c), downs), backs));
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(values<T>(upper + right + c), ups), acrosses));
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(values<T>(lower + right + c), downs), acrosses));
      if (isFloat<T>()) v128.store(y + c, sum);
      else {
        const whole = i32x4.trunc_sat_f32x4_s(f32x4.add(sum, f32x4.splat(0.5)));
        const low = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(whole, whole), i32x4.splat(0));
        v128.store32_lane(y + c, v128.xor(low, i8x16.splat(-128)), 0);
      }
    }
  }
  for (; c < bytes; c += sizeof<T>()) {
    const a = value<T>(upper + left + c) * up * back;
    const b = value<T>(lower + left + c) * down * back;
    const d = value<T>(upper + right + c) * up * across;
    const e = value<T>(lower + right + c) * down * across;
    const sum: f32 = a + b + d + e;
    if (isFloat<T>()) store<T>(y + c, <T>sum);
    else store<u8>(y + c, <u8>(<i32>(sum + 0.5) ^ 128));
  }
}

// @ts-ignore: decorator
@inline function value<T>(x: usize): f32 {
  if (isFloat<T>()) return <f32>load<T>(x);
  return <f32>(load<u8>(x) ^ 128);
}

/** Four channels. */
// @ts-ignore: decorator
@inline function values<T>(x: usize): v128 {
  if (isFloat<T>()) return v128.load(x);
  const bytes = v128.xor(v128.load32_zero(x), i8x16.splat(-128));
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
}
