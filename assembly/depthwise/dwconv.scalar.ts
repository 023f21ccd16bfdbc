/**
 * Depthwise convolution of any kernel for engines without SIMD; weights int8 [kH][kW][channels] as the model has them.
 * Three output rows at a time, a lane of 21 bits each: the inputs that they need are laid out once per channel, zero
 * points around them, so that the loop over taps knows no bounds. 3×3 has a kernel of its own, `dwconv3x3.ts`.
 */
import { DwConv } from "./params";
import { RECORD, requantize } from "../requantize/requantize.scalar";

export function dwconv(p: DwConv, part: u32, parts: u32): void {
  const channels = p.inC * p.multiplier;
  const total = p.batch * p.outH;
  const last = <u32>((<u64>total * (part + 1)) / parts);
  for (let row = <u32>((<u64>total * part) / parts); row < last; ) {
    const batch = row / p.outH;
    const oy = row - batch * p.outH;
    const count = min(min(last - row, p.outH - oy), 3);
    const y = <usize>p.y + <usize>(row * p.outW) * channels;
    rows3(p, p.scratch + part * p.scratchStride, batch, <i32>(oy * p.strideH) - p.padTop, channels, y, count);
    row += count;
  }
}

/** Taps that a lane can sum: 60·128·128 < 2^20. */
const TAPS: u32 = 60;

/** Up to three output rows of any kernel. Scratch: zero point | weights of one channel, i64 | [kH][columns] i64. */
function rows3(p: DwConv, scratch: usize, batch: u32, y0: i32, channels: usize, out: usize, rows: u32): void {
  const kH = p.kH;
  const kW = p.kW;
  const weights = scratch + 16;
  const lanes = weights + <usize>((kH * kW) << 3);
  const lineBytes = <usize>(p.columns << 3);
  const across = <usize>(p.strideW << 3);
  const apart = <usize>(p.dilationW << 3);
  const rowBytes = <usize>p.outW * channels;
  const down1 = rows > 1 ? rowBytes : 0;
  const down2 = rows > 2 ? down1 + rowBytes : down1;
  let q = <usize>p.q;
  store<i8>(scratch, p.xZeroPoint);
  for (let c: u32 = 0; c < <u32>channels; c++) {
    let tap = weights;
    for (let w = <usize>p.w + c; tap < lanes; tap += 8) {
      store<i64>(tap, <i64>load<i8>(w));
      w += channels;
    }
    let line = lanes;
    let row = y0;
    for (let ky: u32 = 0; ky < kH; ky++) {
      layOut(p, line, scratch, batch, row, c / p.multiplier);
      line += lineBytes;
      row += p.dilationH;
    }
    let y = out + c;
    let start = lanes;
    for (let ox = p.outW; ox; ox--) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let l = start;
      let w = weights;
      while (w < lanes) {
        const next = l + lineBytes;
        for (let rest = kW; rest; ) {
          const taps = min(rest, TAPS);
          const end = w + <usize>(taps << 3);
          let acc: i64 = 0;
          for (; w < end; w += 8) {
            acc += load<i64>(w) * load<i64>(l);
            l += apart;
          }
          const l0 = (acc << 43) >> 43;
          acc = (acc - l0) >> 21;
          const l1 = (acc << 43) >> 43;
          s0 += <i32>l0;
          s1 += <i32>l1;
          s2 += <i32>((acc - l1) >> 21);
          rest -= taps;
        }
        l = next;
      }
      store<i8>(y + down2, requantize(s2, q, p.lo, p.hi, p.yZeroPoint));
      store<i8>(y + down1, requantize(s1, q, p.lo, p.hi, p.yZeroPoint));
      store<i8>(y, requantize(s0, q, p.lo, p.hi, p.yZeroPoint));
      y += channels;
      start += across;
    }
    q += RECORD;
  }
}

/** The inputs of one channel that kernel row y0 meets, of three output rows, in lanes from the first column on. */
function layOut(p: DwConv, target: usize, outside: usize, batch: u32, y0: i32, channel: usize): void {
  const inC = <usize>p.inC;
  const y1 = y0 + p.strideH;
  const y2 = y1 + p.strideH;
  const rowBytes = <usize>p.inW * inC;
  const image = <usize>p.x + <usize>batch * p.inH * rowBytes + channel;
  const inA = <u32>y0 < p.inH;
  const inB = <u32>y1 < p.inH;
  const inD = <u32>y2 < p.inH;
  const stepA = inA ? inC : 0;
  const stepB = inB ? inC : 0;
  const stepD = inD ? inC : 0;
  let a = inA ? image + <usize>y0 * rowBytes : outside;
  let b = inB ? image + <usize>y1 * rowBytes : outside;
  let d = inD ? image + <usize>y2 * rowBytes : outside;
  const end = target + <usize>(p.columns << 3);
  const padding = <i64>p.xZeroPoint * (1 + (1 << 21) + (<i64>1 << 42));
  const left = min(target + <usize>(p.padLeft << 3), end);
  for (; target < left; target += 8) store<i64>(target, padding);
  for (const right = min(left + <usize>(p.inW << 3), end); target < right; target += 8) {
    store<i64>(target, <i64>load<i8>(a) + (<i64>load<i8>(b) << 21) + (<i64>load<i8>(d) << 42));
    a += stepA;
    b += stepB;
    d += stepD;
  }
  for (; target < end; target += 8) store<i64>(target, padding);
}
