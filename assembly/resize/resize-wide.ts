/** Resizes between four pixels of other types than int8. @full */
import { storePart } from "../common/edge.simd";
import { share } from "../common/split";
import { Resize } from "./params";

/** Bytes of one entry of an axis: where the first and the second source begin, and how far between them. */
const ENTRY: usize = 12;
/** Bytes that vectors of a row in scratch reach beyond it, on either side. */
const SLACK: usize = 16;

/** Of bytes. Scratch, with vectors: an input row's two products, SLACK bytes before and after each. */
@unmanaged
export class ResizeBytes extends Resize {
  scratch: u32;
  scratchStride: u32;
  /** Bytes of a row of x. */
  rowBytes: u32;
}

/** int16, by 1024ths, rounded half away from zero. */
export function resizeBilinearS16(p: Resize, part: u32, parts: u32): void {
  walk<i16>(p, part, parts, 0, 0);
}

/** float32, by float32 fractions. */
export function resizeBilinearF32(p: Resize, part: u32, parts: u32): void {
  walk<f32>(p, part, parts, 0, 0);
}

/**
 * int8 that stands for uint8, in float32 by float32 fractions, rounded half up. With vectors, a row's two input rows are made floats
 * and multiplied by their weights once for all of its pixels.
 */
export function resizeBilinearU8(p: ResizeBytes, part: u32, parts: u32): void {
  const upper = <usize>p.scratch + <usize>part * p.scratchStride + SLACK;
  walk<u8>(p, part, parts, upper, upper + (<usize>p.rowBytes << 2) + SLACK);
}

// @ts-ignore: decorator
@inline function walk<T>(p: Resize, part: u32, parts: u32, upperRow: usize, lowerRow: usize): void {
  const bytes = <usize>p.bytes;
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const row = <usize>p.rows + <usize>(i - batch * p.outH) * ENTRY;
    const upper = <usize>p.x + batch * p.xBytes + load<u32>(row);
    const lower = <usize>p.x + batch * p.xBytes + load<u32>(row, 4);
    if (ASC_FEATURE_SIMD && sizeof<T>() == 1) {
      const rowBytes = changetype<ResizeBytes>(p).rowBytes;
      weigh(upperRow, upper, rowBytes, 1 - load<f32>(row, 8));
      weigh(lowerRow, lower, rowBytes, load<f32>(row, 8));
    }
    let y = <usize>p.y + <usize>(i * p.outW) * bytes;
    const yEnd = y + <usize>p.outW * bytes;
    let column = <usize>p.columns;
    do {
      const left = <usize>load<u32>(column);
      const right = <usize>load<u32>(column, 4);
      if (sizeof<T>() == 2) whole(y, upper, lower, left, right, bytes, load<i32>(row, 8), load<i32>(column, 8));
      else if (ASC_FEATURE_SIMD && sizeof<T>() == 1) weighed(y, yEnd, upperRow, lowerRow, left << 2, right << 2, bytes, load<f32>(column, 8));
      else real<T>(y, upper, lower, left, right, bytes, load<f32>(row, 8), load<f32>(column, 8));
      y += bytes;
      column += ENTRY;
    } while (y < yEnd);
  }
}

/** The row of `bytes` bytes at x times w, as float32. From the end, so that only what is before the rows is touched. */
function weigh(target: usize, x: usize, bytes: usize, w: f32): void {
  const weights = f32x4.splat(w);
  for (let i = <isize>bytes - 4; i > -4; i -= 4) {
    const four = v128.xor(v128.load32_zero(x + i), i8x16.splat(-128));
    const values = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(four)));
    v128.store(target + (i << 2), f32x4.mul(values, weights));
  }
}

/** One pixel of bytes from rows that are weighed. Vectors may reach into the next ones, but not beyond the row. */
// @ts-ignore: decorator
@inline function weighed(y: usize, yEnd: usize, upper: usize, lower: usize, left: usize, right: usize, bytes: usize, across: f32): void {
  const backs = f32x4.splat(1 - across);
  const acrosses = f32x4.splat(across);
  const end = y + bytes;
  do {
    let sum = f32x4.mul(v128.load(upper + left), backs);
    sum = f32x4.add(sum, f32x4.mul(v128.load(lower + left), backs));
    sum = f32x4.add(sum, f32x4.mul(v128.load(upper + right), acrosses));
    sum = f32x4.add(sum, f32x4.mul(v128.load(lower + right), acrosses));
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.add(sum, f32x4.splat(0.5)));
    const low = v128.xor(i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(whole, whole), whole), i8x16.splat(-128));
    if (y + 4 <= yEnd) v128.store32_lane(y, low, 0);
    else storePart(y, low, <u32>(yEnd - y));
    left += 16;
    right += 16;
    y += 4;
  } while (y < end);
}

/** One pixel of int16. */
function whole(y: usize, upper: usize, lower: usize, left: usize, right: usize, bytes: usize, down: i32, across: i32): void {
  let c: usize = 0;
  do {
    const l = <i64>load<i16>(upper + left + c) * (1024 - down) + <i64>load<i16>(lower + left + c) * down;
    const r = <i64>load<i16>(upper + right + c) * (1024 - down) + <i64>load<i16>(lower + right + c) * down;
    const sum = l * (1024 - across) + r * across;
    store<i16>(y + c, <i16>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20)));
    c += 2;
  } while (c < bytes);
}

/** One pixel of reals: the four products are added in the reference's order. */
function real<T>(y: usize, upper: usize, lower: usize, left: usize, right: usize, bytes: usize, down: f32, across: f32): void {
  const up: f32 = 1 - down;
  const back: f32 = 1 - across;
  let c: usize = 0;
  if (ASC_FEATURE_SIMD && isFloat<T>()) {
    const ups = f32x4.splat(up);
    const downs = f32x4.splat(down);
    const backs = f32x4.splat(back);
    const acrosses = f32x4.splat(across);
    for (; c + 16 <= bytes; c += 16) {
      let sum = f32x4.mul(f32x4.mul(v128.load(upper + left + c), ups), backs);
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(v128.load(lower + left + c), downs), backs));
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(v128.load(upper + right + c), ups), acrosses));
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(v128.load(lower + right + c), downs), acrosses));
      v128.store(y + c, sum);
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
