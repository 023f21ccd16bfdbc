/** The largest of each window with its place in it, and back: MediaPipe's pooling of float32. @full */
import { share } from "../common/split";
import { Pool } from "./params";

/** Pool of float32 whose second output says where in its window each value was, and a tenth. */
@unmanaged
export class PoolPlaces extends Pool {
  places: u32;
  least: f32;
  most: f32;
}

/** Parts share the rows of the output. */
export function maxPoolPlaces(p: PoolPlaces, part: u32, parts: u32): void {
  const last = share(p.batch * p.outH, part + 1, parts);
  for (let row = share(p.batch * p.outH, part, parts); row < last; row++) {
    const b = row / p.outH;
    const top = <i32>((row - b * p.outH) * p.strideH) - p.padTop;
    for (let column: u32 = 0; column < p.outW; column++) {
      const left = <i32>(column * p.strideW) - p.padLeft;
      for (let c: u32 = 0; c < p.channels; c++) {
        let most: f32 = -f32.MAX_VALUE;
        let place: u32 = 0;
        for (let i = <u32>max(0, -top); i < <u32>min(<i32>p.kH, <i32>p.inH - top); i++)
          for (let j = <u32>max(0, -left); j < <u32>min(<i32>p.kW, <i32>p.inW - left); j++) {
            const pixel = (b * p.inH + <u32>(top + <i32>i)) * p.inW + <u32>(left + <i32>j);
            const value = load<f32>(<usize>p.x + (<usize>(pixel * p.channels + c) << 2));
            if (value > most) {
              most = value;
              place = i * p.kW + j;
            }
          }
        const at = <usize>((row * p.outW + column) * p.channels + c) << 2;
        store<f32>(<usize>p.y + at, min(max(most, p.least), p.most));
        store<f32>(<usize>p.places + at, <f32>place + <f32>0.1);
      }
    }
  }
}

/** y is 0 but where the places say; windows as those of the pooling. What says no place is left out. Parts share the images. */
export function maxUnpool(p: PoolPlaces, part: u32, parts: u32): void {
  const last = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < last; b++) {
    const size = <usize>(p.outH * p.outW * p.channels) << 2;
    const y = <usize>p.y + b * size;
    for (let i: usize = 0; i < size; i += 4) store<f32>(y + i, 0);
    for (let row: u32 = 0; row < p.inH; row++)
      for (let column: u32 = 0; column < p.inW; column++)
        for (let c: u32 = 0; c < p.channels; c++) {
          const at = <usize>(((b * p.inH + row) * p.inW + column) * p.channels + c) << 2;
          const real = load<f32>(<usize>p.places + at);
          // no number is no place
          if (!(real > -1 && real < 2147483648)) continue;
          const place = <i32>real;
          const below = place / <i32>p.kW;
          const i = <i32>(row * p.strideH) - p.padTop + below;
          const j = <i32>(column * p.strideW) - p.padLeft + (place - below * <i32>p.kW);
          if (i < 0 || j < 0 || i >= <i32>p.outH || j >= <i32>p.outW) continue;
          const to = y + (<usize>((<u32>i * p.outW + <u32>j) * p.channels + c) << 2);
          store<f32>(to, load<f32>(<usize>p.x + at));
        }
  }
}
