/**
 * Depthwise convolution of any kernel for engines without SIMD; weights int8 [kH][kW][channels] as the model has them.
 * Three output rows at a time, a lane of 21 bits each: the inputs that they need are laid out once per channel, zero
 * points around them, so that the loop over taps knows no bounds. 3×3 has a kernel of its own, `dwconv3x3.scalar.ts`; kernels one
 * column wide whose outputs are a column, as streaming networks have them, lay out all their rows at once.
 */
import { DwConv } from "./params";
import { RECORD, requantize3 } from "../requantize/requantize.scalar";

export function dwconv(p: DwConv, part: u32, parts: u32): void {
  const channels = p.inC * p.multiplier;
  const total = p.batch * p.outH;
  const last = <u32>((<u64>total * (part + 1)) / parts);
  for (let row = <u32>((<u64>total * part) / parts); row < last; ) {
    const batch = row / p.outH;
    const oy = row - batch * p.outH;
    const rows = min(last - row, p.outH - oy);
    const y = <usize>p.y + <usize>(row * p.outW) * channels;
    const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
    const y0 = <i32>(oy * p.strideH) - p.padTop;
    if (p.columns == 1 && p.padLeft == 0 && p.kH <= TAPS) {
      column(p, scratch, batch, y0, channels, y, rows);
      row += rows;
    } else {
      rows3(p, scratch, batch, y0, channels, y, min(rows, 3));
      row += min(rows, 3);
    }
  }
}

/** Taps that a lane can sum: 60·128·128 < 2^20. */
const TAPS: u32 = 60;

/**
 * Output rows of one column by a kernel of one, three at a time. Scratch: zero point | weights of one channel, i64, zeros to a multiple of
 * four | the rows that the taps meet, each with those that the next two outputs have in its place.
 */
function column(p: DwConv, scratch: usize, batch: u32, y0: i32, channels: usize, out: usize, rows: u32): void {
  const kH = p.kH;
  const weights = scratch + 16;
  const lastTap = weights + <usize>(kH << 3);
  const lanes = weights + <usize>(((kH + 3) & ~3) << 3);
  const down = <usize>(p.strideH << 3);
  const apart = <usize>(p.dilationH << 3);
  const starts = <usize>((rows - 1) / 3) * 3 * down;
  const lastLane = lanes + starts + <usize>(kH - 1) * apart;
  const end = lastLane + 2 * down + 8;
  const rowBytes = <usize>p.inW * p.inC;
  const image = <usize>p.x + <usize>batch * p.inH * rowBytes;
  const first = <usize>max(y0, 0);
  const padded = lanes + (<usize>max(-y0, 0) << 3);
  const inside = padded + (<usize>max(<i32>p.inH - <i32>first, 0) << 3);
  const rest = inside < end ? inside : end;
  let q = <usize>p.q;
  for (let c: u32 = 0; c < <u32>channels; c++) {
    let w = <usize>p.w + c;
    let tap = weights;
    for (; tap < lastTap; tap += 8) {
      store<i64>(tap, <i64>load<i8>(w));
      w += channels;
    }
    for (; tap < lanes; tap += 8) store<i64>(tap, 0);
    let x = image + first * rowBytes + (p.multiplier == 1 ? c : c / p.multiplier);
    let lane = lanes;
    for (const before = padded < end ? padded : end; lane < before; lane += 8) store<i64>(lane, p.xZeroPoint);
    for (; lane < rest; lane += 8) {
      store<i64>(lane, <i64>load<i8>(x));
      x += rowBytes;
    }
    for (; lane < end; lane += 8) store<i64>(lane, p.xZeroPoint);
    for (lane = lanes; lane <= lastLane; lane += 8)
      store<i64>(lane, load<i64>(lane) + (load<i64>(lane + down) << 21) + (load<i64>(lane + 2 * down) << 42));
    let y = out + c;
    let left = rows;
    for (let start = lanes; ; start += 3 * down) {
      let acc: i64 = 0;
      let l = start;
      tap = weights;
      if (apart == 8) {
        do {
          acc +=
            load<i64>(tap) * load<i64>(l) +
            load<i64>(tap, 8) * load<i64>(l, 8) +
            load<i64>(tap, 16) * load<i64>(l, 16) +
            load<i64>(tap, 24) * load<i64>(l, 24);
          tap += 32;
          l += 32;
        } while (tap < lanes);
      } else {
        for (; tap < lastTap; tap += 8) {
          acc += load<i64>(tap) * load<i64>(l);
          l += apart;
        }
      }
      const l0 = (acc << 43) >> 43;
      acc = (acc - l0) >> 21;
      const l1 = (acc << 43) >> 43;
      const y1 = left > 1 ? y + channels : y;
      const y2 = left > 2 ? y1 + channels : y1;
      requantize3(y, y1, y2, <i32>l0, <i32>l1, <i32>((acc - l1) >> 21), q, p.lo, p.hi, p.yZeroPoint);
      if (left <= 3) break;
      left -= 3;
      y = y2 + channels;
    }
    q += RECORD;
  }
}

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
      requantize3(y, y + down1, y + down2, s0, s1, s2, q, p.lo, p.hi, p.yZeroPoint);
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
