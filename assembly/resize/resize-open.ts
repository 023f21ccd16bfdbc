/** Resizing to a size that is computed. One part does it all. @full */
import { copyBytes } from "../common/bytes";

/** The nearest pixels, `size` an int32 height and width; at most `bound` elements, whose number `lengthAt` gets. */
@unmanaged
export class ResizeOpen {
  x: u32;
  y: u32;
  size: u32;
  batch: u32;
  inH: u32;
  inW: u32;
  /** Of a pixel. */
  bytes: u32;
  channels: u32;
  alignCorners: u32;
  halfPixelCenters: u32;
  lengthAt: u32;
  bound: u32;
}

export function resizeNearestOpen(p: ResizeOpen, part: u32, parts: u32): void {
  if (part) return;
  const outH = max(load<i32>(p.size), 0);
  const outW = max(load<i32>(p.size, 4), 0);
  const most: i64 = 0x7fffffff;
  const count = min(min(<i64>outH * <i64>outW, most) * <i64>(p.batch * p.channels), most);
  store<u32>(p.lengthAt, <u32>count);
  if (count == 0 || <u32>count > p.bound) return; // of no pixels no rows are walked either, however many there are
  let y = <usize>p.y;
  for (let b: u32 = 0; b < p.batch; b++)
    for (let i = 0; i < outH; i++) {
      const row = b * p.inH + sourceOf(p, i, p.inH, outH);
      for (let j = 0; j < outW; j++) {
        copyBytes(y, <usize>p.x + <usize>(row * p.inW + sourceOf(p, j, p.inW, outW)) * p.bytes, p.bytes);
        y += p.bytes;
      }
    }
}

/** The position of the input that output i of `output` is nearest to, in float32. */
function sourceOf(p: ResizeOpen, i: i32, input: u32, output: i32): u32 {
  const corners = p.alignCorners && output > 1;
  const scale = corners ? <f32>(input - 1) / <f32>(output - 1) : <f32>input / <f32>output;
  const at = (<f32>i + (p.halfPixelCenters ? <f32>0.5 : 0)) * scale;
  const whole = floor<f32>(at);
  const up = p.alignCorners && at - whole >= 0.5;
  return min(<u32>whole + (up ? 1 : 0), input - 1);
}
