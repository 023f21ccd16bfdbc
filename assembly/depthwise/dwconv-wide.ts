/**
 * Depthwise convolution in 16 bits, eight channels at a time: int16 activations, weights with a zero point or computed ones,
 * int8 `[kH,kW,channels]` as they are. Parts share the output's lines. @full
 */
import { DepthwiseWide } from "../product/wide-params";
import { share } from "../common/split";
import { finish, recordOf } from "../product/finish";

export function dwconvWide(p: DepthwiseWide, part: u32, parts: u32): void {
  const sums = <usize>p.scratch + <usize>part * p.scratchStride;
  const channels = p.inC * p.multiplier;
  const end = share(p.batch * p.outH, part + 1, parts);
  const wide = p.wide != 0;
  for (let line = share(p.batch * p.outH, part, parts); line < end; line++) {
    const image = line / p.outH;
    const iy = <i32>((line - image * p.outH) * p.strideH) - p.padTop;
    const x = <usize>p.x + <usize>image * p.inH * p.inW * p.inC * p.xBytes;
    let y = <usize>p.y + <usize>line * p.outW * channels * p.yBytes;
    for (let ox: u32 = 0; ox < p.outW; ox++) {
      const ix = <i32>(ox * p.strideW) - p.padLeft;
      for (let c: u32 = 0; c < channels; c += 8) {
        const width = min(channels - c, 8);
        if (ASC_FEATURE_SIMD && width == 8 && !wide && p.multiplier == 1) vector(p, x, iy, ix, c, sums);
        else lanes(p, x, iy, ix, c, width, channels, sums);
        finish(p, sums, wide, recordOf(p, c >>> 3), y, c, width);
        y += width * p.yBytes;
      }
    }
  }
}

/** Sums of eight channels from c on, the window's first pixel at (iy, ix). */
function vector(p: DepthwiseWide, x: usize, iy: i32, ix: i32, c: u32, sums: usize): void {
  let r0 = i32x4.splat(0);
  let r1 = r0;
  const bytes = p.xBytes;
  const pixel = <usize>p.inC * bytes;
  const xZero = i16x8.splat(<i16>p.xZeroPoint);
  const wZero = i16x8.splat(<i16>p.wZeroPoint);
  x += <usize>c * bytes;
  let w = <usize>p.w + c;
  for (let ky: u32 = 0; ky < p.kH; ky++) {
    const line = iy + <i32>(ky * p.dilationH);
    if (<u32>line < p.inH) {
      const from = x + <usize>(line * p.inW) * pixel;
      let at = w;
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const column = ix + <i32>(kx * p.dilationW);
        if (<u32>column < p.inW) {
          const source = from + <usize>column * pixel;
          const v = i16x8.sub(bytes == 1 ? v128.load8x8_s(source) : v128.load(source), xZero);
          const b = i16x8.sub(v128.load8x8_s(at), wZero);
          r0 = i32x4.add(r0, i32x4.extmul_low_i16x8_s(v, b));
          r1 = i32x4.add(r1, i32x4.extmul_high_i16x8_s(v, b));
        }
        at += p.inC;
      }
    }
    w += p.kW * p.inC;
  }
  v128.store(sums, r0);
  v128.store(sums, r1, 16);
}

/** The same channel by channel, in 64 bits. */
function lanes(p: DepthwiseWide, x: usize, iy: i32, ix: i32, c: u32, width: u32, channels: u32, sums: usize): void {
  const bytes = p.xBytes;
  const pixel = <usize>p.inC * bytes;
  for (let i: u32 = 0; i < width; i++) {
    const first = x + <usize>((c + i) / p.multiplier) * bytes;
    let sum: i64 = 0;
    let w = <usize>p.w + c + i;
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const line = iy + <i32>(ky * p.dilationH);
      if (<u32>line < p.inH) {
        const from = first + <usize>(line * p.inW) * pixel;
        let at = w;
        for (let kx: u32 = 0; kx < p.kW; kx++) {
          const column = ix + <i32>(kx * p.dilationW);
          if (<u32>column < p.inW) {
            const source = from + <usize>column * pixel;
            const v = (bytes == 1 ? <i32>load<i8>(source) : <i32>load<i16>(source)) - p.xZeroPoint;
            sum += <i64>(v * (<i32>load<i8>(at) - p.wZeroPoint));
          }
          at += channels;
        }
      }
      w += p.kW * channels;
    }
    if (p.wide) store<i64>(sums + (<usize>i << 3), sum);
    else store<i32>(sums + (<usize>i << 2), <i32>sum);
  }
}
