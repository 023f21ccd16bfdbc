/** Pooling of sixteen channels at a time, windows clipped to the input. */
import { Pool } from "./params";
import { share } from "../common/split";
import { magic } from "../common/constants.simd";
import { load16, loadPart, store16 } from "../common/edge.simd";

/** Up to this many elements a float reciprocal divides exactly: see `divide`. */
const FLOAT_COUNT: u32 = 4096;
/** int16 lanes hold the sum of this many int8. */
const CHUNK: u32 = 256;

/** Mean of each window, rounded half away from zero; the count leaves padding out. */
export function averagePool(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, true);
}

/** Maximum of each window. */
export function maxPool(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, false);
}

// @ts-ignore: decorator
@inline function pool(p: Pool, part: u32, parts: u32, average: bool): void {
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  const channels = p.channels;
  const inW = <i32>p.inW;
  const inRow = inW * channels;
  const end16 = <usize>p.x + <usize>(p.batch * p.inH) * inRow - 16;
  const count = min(channels, 16);
  const kW = <i32>p.kW;
  const stride = <i32>p.strideW;
  const padLeft = <i32>p.padLeft;
  const last = <i32>p.outW * stride - padLeft;
  const lo = i8x16.splat(<i8>p.lo);
  const hi = i8x16.splat(<i8>p.hi);
  for (let row = share(rows, part, parts); row < end; row++) {
    const n = row / p.outH;
    const top = <i32>((row - n * p.outH) * p.strideH) - p.padTop;
    const y0 = max(top, 0);
    const height = <u32>(min(top + <i32>p.kH, <i32>p.inH) - y0);
    const line = <usize>p.x + (n * p.inH + y0) * inRow;
    let y = <usize>p.y + row * p.outW * channels;
    let left = -padLeft;
    do {
      const x0 = max(left, 0);
      const width = <u32>(min(left + kW, inW) - x0);
      const x = line + x0 * channels;
      let c: u32 = 0;
      if (!average) {
        for (; c + 64 <= channels; c += 64) maxima(x + c, y + c, height, width, inRow, channels, lo, hi, 64);
        if (c + 32 <= channels) {
          maxima(x + c, y + c, height, width, inRow, channels, lo, hi, 32);
          c += 32;
        }
      }
      for (; c < channels; c += 16) {
        // Sixteen that end with the pixel: some of them are there already. Of fewer channels lanes of the next pixel are as
        // good as any: only where the input ends they are not read.
        const at = channels < 16 ? 0 : min(c, channels - 16);
        const whole = count == 16 || x + (height - 1) * inRow + (width - 1) * channels <= end16;
        const v = whole ? window(x + at, height, width, inRow, channels, 16, average, true) : window(x, height, width, inRow, channels, count, average, false);
        store16(y + at, i8x16.min_s(i8x16.max_s(v, lo), hi), count);
      }
      y += channels;
      left += stride;
    } while (left < last);
  }
}

/** Inlined where sixteen are whole and where they are not: a call in the inner loop would spill the sums (3 times slower). */
// @ts-ignore: decorator
@inline function window(
  x: usize,
  height: u32,
  width: u32,
  inRow: u32,
  channels: u32,
  count: u32,
  average: bool,
  whole: bool,
): v128 {
  return average
    ? windowMean(x, height, width, inRow, channels, count)
    : windowMax(x, height, width, inRow, channels, count, whole);
}

/** Windows have a row and a column at least; up to three columns take no loop. */
// @ts-ignore: decorator
@inline function windowMax(x: usize, height: u32, width: u32, inRow: u32, channels: u32, count: u32, whole: bool): v128 {
  let best = i8x16.splat(-128);
  if (whole && width <= 3) {
    const second = width > 1 ? channels : 0;
    const third = width > 2 ? channels << 1 : 0;
    do {
      best = i8x16.max_s(best, i8x16.max_s(i8x16.max_s(v128.load(x), v128.load(x + second)), v128.load(x + third)));
      x += inRow;
    } while (--height);
    return best;
  }
  do {
    let at = x;
    let j = width;
    do {
      best = i8x16.max_s(best, whole ? v128.load(at) : loadPart(at, count));
      at += channels;
    } while (--j);
    x += inRow;
  } while (--height);
  return best;
}

/** Of 64 or 32 channels: a loop that walks a window of few elements takes longer than what it is for. */
// @ts-ignore: decorator
@inline function maxima(x: usize, y: usize, height: u32, width: u32, inRow: u32, channels: u32, lo: v128, hi: v128, count: u32): void {
  let v0 = lo;
  let v1 = lo;
  let v2 = lo;
  let v3 = lo;
  let i = height;
  do {
    let at = x;
    let j = width;
    do {
      v0 = i8x16.max_s(v0, v128.load(at));
      v1 = i8x16.max_s(v1, v128.load(at, 16));
      if (count == 64) {
        v2 = i8x16.max_s(v2, v128.load(at, 32));
        v3 = i8x16.max_s(v3, v128.load(at, 48));
      }
      at += channels;
    } while (--j);
    x += inRow;
  } while (--i);
  v128.store(y, i8x16.min_s(v0, hi));
  v128.store(y, i8x16.min_s(v1, hi), 16);
  if (count == 64) {
    v128.store(y, i8x16.min_s(v2, hi), 32);
    v128.store(y, i8x16.min_s(v3, hi), 48);
  }
}

// @ts-ignore: decorator
@inline function windowMean(x: usize, height: u32, width: u32, inRow: u32, channels: u32, count: u32): v128 {
  const elements = height * width;
  let s0 = i16x8.splat(0);
  let s1 = i16x8.splat(0);
  if (elements <= CHUNK) {
    let i = height;
    do {
      let at = x;
      let j = width;
      do {
        const v = load16(at, count);
        s0 = i16x8.add(s0, i16x8.extend_low_i8x16_s(v));
        s1 = i16x8.add(s1, i16x8.extend_high_i8x16_s(v));
        at += channels;
      } while (--j);
      x += inRow;
    } while (--i);
    const r = splatReciprocal(elements);
    return i8x16.narrow_i16x8_s(
      i16x8.narrow_i32x4_s(divide(i32x4.extend_low_i16x8_s(s0), r), divide(i32x4.extend_high_i16x8_s(s0), r)),
      i16x8.narrow_i32x4_s(divide(i32x4.extend_low_i16x8_s(s1), r), divide(i32x4.extend_high_i16x8_s(s1), r)),
    );
  }
  return largeMean(x, height, width, inRow, channels, count);
}

/** Sums in int32: four lanes per load of sixteen channels. */
function largeMean(x: usize, height: u32, width: u32, inRow: u32, channels: u32, count: u32): v128 {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let i = height;
  do {
    let at = x;
    let j = width;
    do {
      const v = load16(at, count);
      const low = i16x8.extend_low_i8x16_s(v);
      const high = i16x8.extend_high_i8x16_s(v);
      s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(low));
      s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(low));
      s2 = i32x4.add(s2, i32x4.extend_low_i16x8_s(high));
      s3 = i32x4.add(s3, i32x4.extend_high_i16x8_s(high));
      at += channels;
    } while (--j);
    x += inRow;
  } while (--i);
  const n = height * width;
  const low = i16x8.narrow_i32x4_s(quotients(s0, n), quotients(s1, n));
  return i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(quotients(s2, n), quotients(s3, n)));
}

function quotients(sum: v128, count: u32): v128 {
  if (count <= FLOAT_COUNT) return divide(sum, splatReciprocal(count));
  let y = i32x4.splat(quotient(i32x4.extract_lane(sum, 0), count));
  y = i32x4.replace_lane(y, 1, quotient(i32x4.extract_lane(sum, 1), count));
  y = i32x4.replace_lane(y, 2, quotient(i32x4.extract_lane(sum, 2), count));
  return i32x4.replace_lane(y, 3, quotient(i32x4.extract_lane(sum, 3), count));
}

function quotient(sum: i32, count: i32): i32 {
  return (sum + (sum > 0 ? count >> 1 : -(count >> 1))) / count;
}

/** (1/count)·(1 + 2^−22). */
// @ts-ignore: decorator
@inline function splatReciprocal(count: u32): v128 {
  return f32x4.splat(<f32>(1.0000002384185791015625 / <f64>count));
}

/**
 * Four sums times `splatReciprocal`, rounded by the magic number to nearest. The factor lifts ties away from zero, by
 * at least half a unit in the last place after both roundings; at most 128·2^−21, less than the 1/(2·count) that other
 * quotients are away from a tie where count ≤ 4096.
 */
// @ts-ignore: decorator
@inline function divide(sum: v128, reciprocal: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), reciprocal), magic()), magic());
}
