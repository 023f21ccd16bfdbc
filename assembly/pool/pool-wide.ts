/** Poolings of other types than int8. @full */
import { clamp } from "../common/fixedpoint";
import { share } from "../common/split";
import { Pool } from "./params";

/** Clamps in float32. */
@unmanaged
export class PoolReal extends Pool {
  least: f32;
  most: f32;
}

const MEAN_S16: u32 = 0;
const LARGEST_S16: u32 = 1;
const MEAN_U8: u32 = 2;
const ROOT_F32: u32 = 3;

/** Mean of int16, rounded half away from zero. */
export function averagePoolS16(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, MEAN_S16);
}

/** Maximum of int16. */
export function maxPoolS16(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, LARGEST_S16);
}

/** Mean of int8 that stands for uint8, rounded half up. */
export function averagePoolU8(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, MEAN_U8);
}

/** Root of the mean of squares, float32. */
export function l2PoolF32(p: PoolReal, part: u32, parts: u32): void {
  pool(p, part, parts, ROOT_F32);
}

/** Walks the output rows of this part; a window is the part of kH·kW that lies on the input. */
function pool(p: Pool, part: u32, parts: u32, form: u32): void {
  const size: usize = form == MEAN_U8 ? 1 : form == ROOT_F32 ? 4 : 2;
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  const pixel = <usize>p.channels * size;
  const inRow = <usize>p.inW * pixel;
  for (let row = share(rows, part, parts); row < end; row++) {
    const n = row / p.outH;
    const top = <i32>((row - n * p.outH) * p.strideH) - p.padTop;
    const y0 = max(top, 0);
    const height = <u32>(min(top + <i32>p.kH, <i32>p.inH) - y0);
    const line = <usize>p.x + <usize>(n * p.inH + y0) * inRow;
    let y = <usize>p.y + <usize>(row * p.outW) * pixel;
    for (let column: u32 = 0; column < p.outW; column++) {
      const left = <i32>(column * p.strideW) - p.padLeft;
      const x0 = max(left, 0);
      const width = <u32>(min(left + <i32>p.kW, <i32>p.inW) - x0);
      const x = line + <usize>x0 * pixel;
      for (let c: usize = 0; c < pixel; c += size) {
        if (form == ROOT_F32) store<f32>(y, rootOf(changetype<PoolReal>(p), x + c, height, width, inRow, pixel));
        else if (form == MEAN_U8) store<i8>(y, clamp(mean<i8>(x + c, height, width, inRow, pixel), p.lo, p.hi));
        else {
          const value = form == MEAN_S16 ? mean<i16>(x + c, height, width, inRow, pixel) : largest(x + c, height, width, inRow, pixel);
          store<i16>(y, clamp(value, p.lo, p.hi));
        }
        y += size;
      }
    }
  }
}

function mean<T>(x: usize, height: u32, width: u32, inRow: usize, pixel: usize): i32 {
  let sum: i32 = 0;
  for (let i = height; i > 0; i--) {
    let at = x;
    for (let j = width; j > 0; j--) {
      sum += <i32>load<T>(at);
      at += pixel;
    }
    x += inRow;
  }
  const count = <i32>(height * width);
  const half = count >> 1;
  if (sizeof<T>() == 1) return (sum + 128 * count + half) / count - 128;
  return (sum + (sum > 0 ? half : -half)) / count;
}

function largest(x: usize, height: u32, width: u32, inRow: usize, pixel: usize): i32 {
  let best: i32 = -32768;
  for (let i = height; i > 0; i--) {
    let at = x;
    for (let j = width; j > 0; j--) {
      best = max(best, <i32>load<i16>(at));
      at += pixel;
    }
    x += inRow;
  }
  return best;
}

function rootOf(p: PoolReal, x: usize, height: u32, width: u32, inRow: usize, pixel: usize): f32 {
  let sum: f32 = 0;
  for (let i = height; i > 0; i--) {
    let at = x;
    for (let j = width; j > 0; j--) {
      const value = load<f32>(at);
      sum += value * value;
      at += pixel;
    }
    x += inRow;
  }
  return min(max(sqrt<f32>(sum / <f32>(height * width)), p.least), p.most);
}
