/**
 * Depthwise convolution tap by tap, any kernel, stride and dilation, eight channels at a time: for kernels of one row and
 * outputs of few columns, where laying out row groups (`dwconv.simd.ts`) is mostly waste. Two taps of four channels meet
 * their weights in one `i32x4.dot_i16x8_s`.
 *
 *   scratch: the zero point, inC bytes | the address of every tap of one output pixel, u32, an even number
 *   weights: [channels/8][taps/2][8][2] int16, zero for a tap too many
 *
 * For one output per input channel, and channels in whole eights.
 */
import { fillRun } from "../common/bytes.simd";
import { share } from "../common/split";
import { clamped, highest, lowest, RECORD, requantizeAny } from "../requantize/requantize.simd";
import { DwConv } from "./params";

/** Bytes of the weights of two taps and eight channels. */
const PAIR: usize = 32;

export function dwconvTaps(p: DwConv, part: u32, parts: u32): void {
  const zeroPoint = <usize>p.scratch + <usize>part * p.scratchStride;
  const taps = zeroPoint + ((<usize>p.inC + 15) & ~15);
  const count = (p.kH * p.kW + 1) >>> 1;
  fillRun(zeroPoint, p.xZeroPoint, p.inC);
  // an odd number of taps has one more, whose weights are 0
  store<u32>(taps + (<usize>count << 3) - 4, <u32>zeroPoint);
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  for (let row = share(rows, part, parts); row < end; row++) {
    const batch = row / p.outH;
    const y = <i32>((row - batch * p.outH) * p.strideH) - p.padTop;
    let output = <usize>p.y + <usize>row * p.outW * p.inC;
    let ox: u32 = 0;
    do {
      findTaps(p, batch, y, <i32>(ox * p.strideW) - p.padLeft, taps, zeroPoint);
      pixel(p, taps, taps + (<usize>count << 3), output);
      output += p.inC;
      ox++;
    } while (ox < p.outW);
  }
}

/** The addresses of all taps of a window that begins at row y and column x. */
function findTaps(p: DwConv, batch: u32, y: i32, x: i32, taps: usize, zeroPoint: usize): void {
  const inC = p.inC;
  let ky: u32 = 0;
  do {
    const row = <usize>p.x + <usize>((batch * p.inH + y) * p.inW) * inC;
    let at = x;
    let kx: u32 = 0;
    do {
      const inside = <u32>y < p.inH && <u32>at < p.inW;
      store<u32>(taps, inside ? <u32>(row + <usize>at * inC) : <u32>zeroPoint);
      taps += 4;
      at += p.dilationW;
      kx++;
    } while (kx < p.kW);
    y += p.dilationH;
    ky++;
  } while (ky < p.kH);
}

/** All channels of one output pixel. */
function pixel(p: DwConv, first: usize, last: usize, y: usize): void {
  const params = changetype<usize>(p);
  const zeroPoint = params + offsetof<DwConv>("yZeroPoint");
  const lo = lowest<DwConv>(params);
  const hi = highest<DwConv>(params);
  const channels = <usize>p.inC;
  let w = <usize>p.w;
  let q = <usize>p.q;
  let c: usize = 0;
  do {
    let r0 = v128.load(q);
    let r1 = v128.load(q, 16);
    let taps = first;
    do {
      const a = v128.load8x8_s(<usize>load<u32>(taps) + c);
      const b = v128.load8x8_s(<usize>load<u32>(taps, 4) + c);
      const low = i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
      const high = i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
      r0 = i32x4.add(r0, i32x4.dot_i16x8_s(low, v128.load(w)));
      r1 = i32x4.add(r1, i32x4.dot_i16x8_s(high, v128.load(w, 16)));
      w += PAIR;
      taps += 8;
    } while (taps < last);
    r0 = requantizeAny(r0, r1, q, zeroPoint);
    v128.store64_lane(y + c, clamped(r0, r0, lo, hi), 0);
    q += RECORD;
    c += 8;
  } while (c < channels);
}
