/**
 * Depthwise convolution with 3×3 kernels for engines without SIMD; weights int8 [3][3][channels] as the model has them.
 *
 * One 64-bit multiply adds an input to the three outputs that it reaches, in lanes of 21 bits. With
 * P = w2 + w1·2^21 + w0·2^42, after sum += x·P the low lane is the output whose last input was x, and a shift by one
 * lane makes room for the next. A lane sums nine products, below 2^20. Strides of 1 and 2 across, no dilation across.
 */
import { DwConv } from "./params";
import { RECORD, requantize } from "../requantize/requantize.scalar";

export function dwconv3x3(p: DwConv, part: u32, parts: u32): void {
  const channels = p.inC * p.multiplier;
  const rows = p.batch * p.outH;
  const last = <u32>((<u64>rows * (part + 1)) / parts);
  // Rows outside the input repeat the zero point: this thread's byte of it, with steps of 0.
  const outside = <usize>p.scratch + <usize>part * p.scratchStride;
  store<i8>(outside, p.xZeroPoint);
  for (let row = <u32>((<u64>rows * part) / parts); row < last; row++) {
    const batch = row / p.outH;
    const y0 = <i32>((row - batch * p.outH) * p.strideH) - p.padTop;
    const y = <usize>p.y + <usize>(row * p.outW) * channels;
    if (p.strideW == 1) slideRow(p, outside, batch, y0, channels, y, false);
    else slideRow(p, outside, batch, y0, channels, y, true);
  }
}

/** Three weights of one kernel row of one channel in lanes; `two` leaves the middle one out, for stride 2. */
// @ts-ignore: decorator
@inline function lanes(w: usize, channels: usize, two: bool): i64 {
  if (two) return <i64>load<i8>(w + 2 * channels) + (<i64>load<i8>(w) << 21);
  return <i64>load<i8>(w + 2 * channels) + (<i64>load<i8>(w + channels) << 21) + (<i64>load<i8>(w) << 42);
}

/** One output row of a 3×3 kernel with stride 1 or 2, channel by channel. */
// @ts-ignore: decorator
@inline function slideRow(p: DwConv, outside: usize, batch: u32, y0: i32, channels: usize, out: usize, two: bool): void {
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
      let stepRight = stepA;
      let stepRightB = stepB;
      let stepRightD = stepD;
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
      for (let count = max(min(rest, inW - x), 0); ; count = rest) {
        rest -= count;
        for (; count > 0; count--) {
          sum += <i64>load<i8>(a) * pa + <i64>load<i8>(b) * pb + <i64>load<i8>(d) * pd;
          a += stepRight;
          b += stepRightB;
          d += stepRightD;
          const low = (sum << 43) >> 43;
          sum = (sum - low) >> 21;
          store<i8>(y, requantize(<i32>low, q, lo, hi, yZeroPoint));
          y += channels;
        }
        if (rest == 0) break;
        // Past the right edge every row is the zero point.
        a = outside;
        b = outside;
        d = outside;
        stepRight = 0;
        stepRightB = 0;
        stepRightD = 0;
      }
    }
    w++;
    q += RECORD;
  }
}
