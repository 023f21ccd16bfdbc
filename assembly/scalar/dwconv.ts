/**
 * Depthwise convolution for engines without SIMD; weights int8 [kH][kW][channels] as the model has them.
 *
 * 3×3 kernels slide: one 64-bit multiply adds an input to the three outputs that it reaches, in lanes of 21 bits. With
 * P = w2 + w1·2^21 + w0·2^42, after sum += x·P the low lane is the output whose last input was x, and a shift by one
 * lane makes room for the next. A lane sums nine products, below 2^20.
 */
import { DwConv } from "../params";
import { RECORD, requantize } from "./requantize";

export function dwconv(params: usize, part: u32, parts: u32): void {
  const p = changetype<DwConv>(params);
  const channels = p.inC * p.multiplier;
  const rows = p.batch * p.outH;
  const last = <u32>((<u64>rows * (part + 1)) / parts);
  const slides = p.kH == 3 && p.kW == 3 && p.dilationW == 1 && p.strideW <= 2 && p.padLeft <= 2;
  for (let row = <u32>((<u64>rows * part) / parts); row < last; row++) {
    const batch = row / p.outH;
    const y0 = <i32>((row - batch * p.outH) * p.strideH) - p.padTop;
    const y = <usize>p.y + <usize>(row * p.outW) * channels;
    if (slides && p.strideW == 1) slideRow(p, batch, y0, channels, y, false);
    else if (slides) slideRow(p, batch, y0, channels, y, true);
    else anyRow(p, batch, y0, channels, y);
  }
}

/** Three weights of one kernel row of one channel in lanes; `apart` leaves the middle one out. */
// @ts-ignore: decorator
@inline function lanes(w: usize, channels: usize, two: bool): i64 {
  if (two) return <i64>load<i8>(w + 2 * channels) + (<i64>load<i8>(w) << 21);
  return <i64>load<i8>(w + 2 * channels) + (<i64>load<i8>(w + channels) << 21) + (<i64>load<i8>(w) << 42);
}

/** One output row of a 3×3 kernel with stride 1 or 2, channel by channel. */
// @ts-ignore: decorator
@inline function slideRow(p: DwConv, batch: u32, y0: i32, channels: usize, out: usize, two: bool): void {
  const inC = <usize>p.inC;
  const inW = <i32>p.inW;
  const zeroPoint = p.xZeroPoint;
  const multiplier = p.multiplier;
  const dilation = <i32>p.dilationH;
  const rowBytes = <usize>inW * inC;
  const rowTaps: usize = 3 * channels;
  const lo = p.lo;
  const hi = p.hi;
  const yZeroPoint = p.yZeroPoint;
  // Rows outside the input repeat the zero point: the scratch byte, with steps of 0.
  const outside = <usize>p.scratch;
  store<i8>(outside, zeroPoint);
  const image = <usize>p.x + <usize>batch * p.inH * rowBytes;
  const inA = <u32>y0 < p.inH;
  const inB = <u32>(y0 + dilation) < p.inH;
  const inD = <u32>(y0 + 2 * dilation) < p.inH;
  const stepA = inA ? inC : 0;
  const stepB = inB ? inC : 0;
  const stepD = inD ? inC : 0;
  const rowA = image + <usize>y0 * rowBytes;
  const rowB = image + <usize>(y0 + dilation) * rowBytes;
  const rowD = image + <usize>(y0 + 2 * dilation) * rowBytes;
  const left = p.padLeft;
  let q = <usize>p.q;
  let w = <usize>p.w;
  for (let c: u32 = 0; c < <u32>channels; c++) {
    const source = multiplier == 1 ? <usize>c : <usize>(c / multiplier);
    let a = inA ? rowA + source : outside;
    let b = inB ? rowB + source : outside;
    let d = inD ? rowD + source : outside;
    const pa = lanes(w, channels, two);
    const pb = lanes(w + rowTaps, channels, two);
    const pd = lanes(w + 2 * rowTaps, channels, two);
    const padding = <i64>zeroPoint * (pa + pb + pd);
    let y = out + c;
    if (two) {
      const ma = <i64>load<i8>(w + channels);
      const mb = <i64>load<i8>(w + rowTaps + channels);
      const md = <i64>load<i8>(w + 2 * rowTaps + channels);
      const middle = <i64>zeroPoint * (ma + mb + md);
      let x = -left;
      let sum: i64 = padding;
      if (x >= 0) {
        sum = <i64>load<i8>(a) * pa + <i64>load<i8>(b) * pb + <i64>load<i8>(d) * pd;
        a += stepA;
        b += stepB;
        d += stepD;
      }
      x++;
      sum = (sum - ((sum << 43) >> 43)) >> 21;
      for (let rest = p.outW; rest; rest--) {
        if (<u32>x < <u32>inW) {
          sum += <i64>load<i8>(a) * ma + <i64>load<i8>(b) * mb + <i64>load<i8>(d) * md;
          a += stepA;
          b += stepB;
          d += stepD;
        } else sum += middle;
        if (<u32>(x + 1) < <u32>inW) {
          sum += <i64>load<i8>(a) * pa + <i64>load<i8>(b) * pb + <i64>load<i8>(d) * pd;
          a += stepA;
          b += stepB;
          d += stepD;
        } else sum += padding;
        x += 2;
        const low = (sum << 43) >> 43;
        sum = (sum - low) >> 21;
        store<i8>(y, requantize(<i32>low, q, lo, hi, yZeroPoint));
        y += channels;
      }
    } else {
      let sum: i64 = 0;
      let x = -left;
      for (; x < 2 - left; x++) {
        if (<u32>x < <u32>inW) {
          sum += <i64>load<i8>(a) * pa + <i64>load<i8>(b) * pb + <i64>load<i8>(d) * pd;
          a += stepA;
          b += stepB;
          d += stepD;
        } else sum += padding;
        sum = (sum - ((sum << 43) >> 43)) >> 21;
      }
      let rest = <i32>p.outW;
      for (let inside = min(rest, inW - x); inside > 0; inside--) {
        sum += <i64>load<i8>(a) * pa + <i64>load<i8>(b) * pb + <i64>load<i8>(d) * pd;
        a += stepA;
        b += stepB;
        d += stepD;
        const low = (sum << 43) >> 43;
        sum = (sum - low) >> 21;
        store<i8>(y, requantize(<i32>low, q, lo, hi, yZeroPoint));
        y += channels;
      }
      for (rest -= max(min(rest, inW - x), 0); rest > 0; rest--) {
        sum += padding;
        const low = (sum << 43) >> 43;
        sum = (sum - low) >> 21;
        store<i8>(y, requantize(<i32>low, q, lo, hi, yZeroPoint));
        y += channels;
      }
    }
    w++;
    q += RECORD;
  }
}

/** One output row of any kernel, tap by tap. */
function anyRow(p: DwConv, batch: u32, y0: i32, channels: u32, out: usize): void {
  for (let ox: u32 = 0; ox < p.outW; ox++) {
    pixel(p, batch, y0, <i32>(ox * p.strideW) - p.padLeft, channels, out);
    out += channels;
  }
}

function pixel(p: DwConv, batch: u32, y0: i32, x0: i32, channels: u32, out: usize): void {
  const zeroPoint = p.xZeroPoint;
  const rowBytes = <usize>p.inW * p.inC;
  const image = <usize>p.x + <usize>(batch * p.inH) * rowBytes;
  let q = <usize>p.q;
  for (let c: u32 = 0; c < channels; c++) {
    let acc = 0;
    let w = <usize>p.w + c;
    const source = image + c / p.multiplier;
    let y = y0;
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      let x = x0;
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const inside = <u32>y < p.inH && <u32>x < p.inW;
        const v = inside ? <i32>load<i8>(source + <usize>y * rowBytes + <usize>x * p.inC) : zeroPoint;
        acc += v * <i32>load<i8>(w);
        w += channels;
        x += p.dilationW;
      }
      y += p.dilationH;
    }
    store<i8>(out + c, requantize(acc, q, p.lo, p.hi, p.yZeroPoint));
    q += RECORD;
  }
}
