/**
 * Convolutions and products of int8 or int16 activations with weights of up to 16 bits, exact: weights with a zero point,
 * 16-bit activations. One row of activations at a time, int16 in scratch; sums in int32 for as long as they must fit, then in
 * int64. @full
 *
 *   scratch: one row, int16 [roundUp(k, 2)]
 *   w: scalar [n][k] int16; vector modules [n/8][k/2][8][2] int16, zero beyond n and k
 */
import { clamp, rescale } from "../common/fixedpoint";
import { share } from "../common/split";
import { Conv2d } from "./params";

/** The convolution of `Conv2d` on wider numbers; xStride and inC count elements, strides of y elements too. */
@unmanaged
export class Wide extends Conv2d {
  /** Bytes of an element of x, 1 or 2; of y likewise. */
  xSize: u32;
  ySize: u32;
  /** Pairs of k whose sums of products fit in int32, whatever x is. */
  flush: u32;
  /** 0: two roundings, as for int8. 1: by the upper 16 bits of the multiplier from int64, as for int64 biases. 2: one rounding. */
  rounding: u32;
  /** Addresses of i64 biases (the input's zero point folded in), i32 multipliers and i32 shifts, one for each output. */
  bias: u32;
  multiplier: u32;
  shift: u32;
}

/** Parts share the rows of the product. */
export function convWide(p: Wide, part: u32, parts: u32): void {
  const row = <usize>p.scratch + <usize>part * p.scratchStride;
  const end = share(p.m, part + 1, parts);
  // the row is padded to whole pairs, whose last weight is 0
  if (p.k & 1) store<i16>(row + (<usize>p.k << 1), 0);
  for (let m = share(p.m, part, parts); m < end; m++) {
    gather(p, m, row);
    const y = <usize>p.y + <usize>(m * p.yStride) * p.ySize;
    if (ASC_FEATURE_SIMD) panels(p, row, y);
    else columns(p, row, y);
  }
}

/** The patch of output pixel m as int16, the zero point where it leaves the input. */
function gather(p: Wide, m: u32, row: usize): void {
  const outPixels = p.outH * p.outW;
  const batch = m / outPixels;
  const pixel = m - batch * outPixels;
  const oy = pixel / p.outW;
  const ox = pixel - oy * p.outW;
  let iy = <i32>(oy * p.strideH) - p.padTop;
  for (let ky: u32 = 0; ky < p.kH; ky++) {
    let ix = <i32>(ox * p.strideW) - p.padLeft;
    for (let kx: u32 = 0; kx < p.kW; kx++) {
      if (<u32>iy < p.inH && <u32>ix < p.inW) {
        const x = <usize>p.x + <usize>(((batch * p.inH + iy) * p.inW + ix) * p.xStride) * p.xSize;
        if (p.xSize == 2) memory.copy(row, x, <usize>p.inC << 1);
        else for (let c: usize = 0; c < p.inC; c++) store<i16>(row + (c << 1), load<i8>(x + c));
      } else for (let c: usize = 0; c < p.inC; c++) store<i16>(row + (c << 1), <i16>p.xZeroPoint);
      row += <usize>p.inC << 1;
      ix += p.dilationW;
    }
    iy += p.dilationH;
  }
}

/** Output column n from its sum. */
// @ts-ignore: decorator
@inline function finish(p: Wide, n: usize, sum: i64, y: usize): void {
  sum += load<i64>(<usize>p.bias + (n << 3));
  const multiplier = load<i32>(<usize>p.multiplier + (n << 2));
  const shift = load<i32>(<usize>p.shift + (n << 2));
  let value: i32;
  if (p.rounding == 2) {
    const total = <i64>(31 - shift);
    value = <i32>((sum * <i64>multiplier + (<i64>1 << (total - 1))) >> total);
  } else if (p.rounding == 1) {
    const upper: i64 = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
    const total = <i64>(15 - shift);
    value = <i32>((sum * upper + (<i64>1 << (total - 1))) >> total);
  } else value = rescale(<i32>sum, multiplier, shift);
  value = clamp(value + p.yZeroPoint, p.lo, p.hi);
  if (p.ySize == 2) store<i16>(y + (n << 1), <i16>value);
  else store<i8>(y + n, <i8>value);
}

function columns(p: Wide, row: usize, y: usize): void {
  let w = <usize>p.w;
  for (let n: usize = 0; n < p.n; n++) {
    let sum: i64 = 0;
    for (let k: u32 = 0; k < p.k; ) {
      let part: i32 = 0;
      const stop = min(k + 2 * p.flush, p.k);
      for (; k < stop; k++) {
        part += <i32>load<i16>(row + (<usize>k << 1)) * <i32>load<i16>(w);
        w += 2;
      }
      sum += <i64>part;
    }
    finish(p, n, sum, y);
  }
}

function panels(p: Wide, row: usize, y: usize): void {
  const pairs = (p.k + 1) >>> 1;
  let w = <usize>p.w;
  for (let n: usize = 0; n < p.n; n += 8) {
    let a0 = i64x2.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (let k: u32 = 0; k < pairs; ) {
      let r0 = i32x4.splat(0);
      let r1 = r0;
      const stop = min(k + p.flush, pairs);
      for (; k < stop; k++) {
        const x = v128.load32_splat(row + (<usize>k << 2));
        r0 = i32x4.add(r0, i32x4.dot_i16x8_s(x, v128.load(w)));
        r1 = i32x4.add(r1, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
        w += 32;
      }
      a0 = i64x2.add(a0, i64x2.extend_low_i32x4_s(r0));
      a1 = i64x2.add(a1, i64x2.extend_high_i32x4_s(r0));
      a2 = i64x2.add(a2, i64x2.extend_low_i32x4_s(r1));
      a3 = i64x2.add(a3, i64x2.extend_high_i32x4_s(r1));
    }
    const width = <usize>p.n - n;
    finish(p, n, i64x2.extract_lane(a0, 0), y);
    if (width > 1) finish(p, n + 1, i64x2.extract_lane(a0, 1), y);
    if (width > 2) finish(p, n + 2, i64x2.extract_lane(a1, 0), y);
    if (width > 3) finish(p, n + 3, i64x2.extract_lane(a1, 1), y);
    if (width > 4) finish(p, n + 4, i64x2.extract_lane(a2, 0), y);
    if (width > 5) finish(p, n + 5, i64x2.extract_lane(a2, 1), y);
    if (width > 6) finish(p, n + 6, i64x2.extract_lane(a3, 0), y);
    if (width > 7) finish(p, n + 7, i64x2.extract_lane(a3, 1), y);
  }
}

/** The depthwise form: n = inC·(outputs per input channel), weights [kH·kW][n] int16. Parts share the output pixels. */
export function dwconvWide(p: Wide, part: u32, parts: u32): void {
  const multiplier = p.n / p.inC;
  const outPixels = p.outH * p.outW;
  const end = share(p.m, part + 1, parts);
  for (let m = share(p.m, part, parts); m < end; m++) {
    const batch = m / outPixels;
    const pixel = m - batch * outPixels;
    const oy = pixel / p.outW;
    const top = <i32>(oy * p.strideH) - p.padTop;
    const left = <i32>((pixel - oy * p.outW) * p.strideW) - p.padLeft;
    const y = <usize>p.y + <usize>(m * p.yStride) * p.ySize;
    for (let n: u32 = 0; n < p.n; n++) finish(p, n, depthwiseSum(p, batch, top, left, n, n / multiplier), y);
  }
}

function depthwiseSum(p: Wide, batch: u32, top: i32, left: i32, n: u32, c: u32): i64 {
  let sum: i64 = 0;
  let w = <usize>p.w + (<usize>n << 1);
  let iy = top;
  for (let ky: u32 = 0; ky < p.kH; ky++) {
    let ix = left;
    for (let kx: u32 = 0; kx < p.kW; kx++) {
      let x = p.xZeroPoint;
      if (<u32>iy < p.inH && <u32>ix < p.inW) {
        const at = <usize>p.x + <usize>(((batch * p.inH + iy) * p.inW + ix) * p.inC + c) * p.xSize;
        x = p.xSize == 2 ? <i32>load<i16>(at) : <i32>load<i8>(at);
      }
      sum += <i64>(x * <i32>load<i16>(w));
      w += <usize>p.n << 1;
      ix += p.dilationW;
    }
    iy += p.dilationH;
  }
  return sum;
}
