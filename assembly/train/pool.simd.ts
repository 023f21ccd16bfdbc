/** Gradients of pooling. @train */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";
import { Windows } from "../common/windows";

/** Windows of `[batch,inH,inW,channels]`. */
@unmanaged
export class PoolGradF32 extends Windows {
  x: u32;
  y: u32;
  dy: u32;
  /** Gradient of x. */
  d: u32;
  batch: u32;
  channels: u32;
  /** 1: maximum, whose gradient goes to the first pixel that equals it; 0: mean of the pixels on the input. */
  largest: u32;
  accumulate: u32;
}

/** Parts share the images. */
export function poolGradF32(p: PoolGradF32, part: u32, parts: u32): void {
  const last = share(p.batch, part + 1, parts);
  const line = <usize>p.channels << 2;
  const image = <usize>(p.inH * p.inW) * line;
  for (let n = share(p.batch, part, parts); n < last; n++) {
    if (!p.accumulate) memory.fill(p.d + <usize>n * image, 0, image);
    for (let oy: u32 = 0; oy < p.outH; oy++) {
      const top = <i32>(oy * p.strideH) - p.padTop;
      for (let ox: u32 = 0; ox < p.outW; ox++) {
        const left = <i32>(ox * p.strideW) - p.padLeft;
        const at = <usize>((n * p.outH + oy) * p.outW + ox) * line;
        const y0 = max(top, 0);
        const x0 = max(left, 0);
        const height = <u32>(min(top + <i32>p.kH, <i32>p.inH) - y0);
        const width = <u32>(min(left + <i32>p.kW, <i32>p.inW) - x0);
        window(p, at, <usize>n * image + <usize>(<u32>y0 * p.inW + x0) * line, height, width, line);
      }
    }
  }
}

function window(p: PoolGradF32, at: usize, start: usize, height: u32, width: u32, line: usize): void {
  const one = f32x4.splat(<f32>1 / <f32>(height * width));
  for (let c: usize = 0; c < line; c += 16) {
    const bytes = <u32>min(line - c, 16);
    let gradient = load16(p.dy + at + c, bytes);
    if (!p.largest) gradient = f32x4.mul(gradient, one);
    const most = p.largest ? load16(p.y + at + c, bytes) : one;
    // lanes whose gradient has not been given away
    let left = i32x4.splat(-1);
    for (let i: u32 = 0; i < height; i++) {
      let to = start + <usize>(i * p.inW) * line + c;
      for (let j = width; j; j--) {
        let given = gradient;
        if (p.largest) {
          const here = v128.and(left, f32x4.eq(load16(p.x + to, bytes), most));
          left = v128.andnot(left, here);
          given = v128.and(gradient, here);
        }
        store16(p.d + to, f32x4.add(load16(p.d + to, bytes), given), bytes);
        to += line;
      }
    }
  }
}
