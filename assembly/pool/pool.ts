import { Pool } from "./params";
import { clamp } from "../common/fixedpoint";
import { share } from "../common/split";

/** Mean of each window, rounded half away from zero; the count leaves padding out. */
export function averagePool(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, true);
}

/** Maximum of each window. */
export function maxPool(p: Pool, part: u32, parts: u32): void {
  pool(p, part, parts, false);
}

/** Walks the output rows of this part; a window is the part of kH·kW that lies on the input. */
// @ts-ignore: decorator
@inline function pool(p: Pool, part: u32, parts: u32, average: bool): void {
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  const channels = p.channels;
  const inRow = p.inW * channels;
  for (let row = share(rows, part, parts); row < end; row++) {
    const n = row / p.outH;
    const top = <i32>((row - n * p.outH) * p.strideH) - p.padTop;
    const y0 = max(top, 0);
    const height = <u32>(min(top + <i32>p.kH, <i32>p.inH) - y0);
    const line = <usize>p.x + (n * p.inH + y0) * inRow;
    let y = <usize>p.y + row * p.outW * channels;
    for (let column: u32 = 0; column < p.outW; column++) {
      const left = <i32>(column * p.strideW) - p.padLeft;
      const x0 = max(left, 0);
      const width = <u32>(min(left + <i32>p.kW, <i32>p.inW) - x0);
      const x = line + x0 * channels;
      const stop = x + channels;
      for (let c = x; c < stop; c++) {
        const value = average ? windowMean(c, height, width, inRow, channels) : windowMax(c, height, width, inRow, channels);
        store<i8>(y, clamp(value, p.lo, p.hi));
        y++;
      }
    }
  }
}

// @ts-ignore: decorator
@inline function windowMean(x: usize, height: u32, width: u32, inRow: u32, channels: u32): i32 {
  let sum: i32 = 0;
  for (let i = height; i > 0; i--) {
    let at = x;
    for (let j = width; j > 0; j--) {
      sum += load<i8>(at);
      at += channels;
    }
    x += inRow;
  }
  const count = <i32>(height * width);
  return (sum + (sum > 0 ? count >> 1 : -(count >> 1))) / count;
}

// @ts-ignore: decorator
@inline function windowMax(x: usize, height: u32, width: u32, inRow: u32, channels: u32): i32 {
  let best: i32 = -128;
  for (let i = height; i > 0; i--) {
    let at = x;
    for (let j = width; j > 0; j--) {
      best = max(best, <i32>load<i8>(at));
      at += channels;
    }
    x += inRow;
  }
  return best;
}
