/** The Fourier transform of real int16, bit for bit as KISS FFT's with 16 bits. @full */
import { share } from "../common/split";

/**
 * Rows of `depth` int16, filled up with 0 to `length`, to `length/2 + 1` complex int16. Scratch: `length` int16. Tables:
 * `order`, the uint16 place that each of `length/2` complex numbers comes from; `twiddles` of that many complex int16;
 * `splits`, half as many; `stages` pairs of radix (2 or 4) and span as uint32, the first the smallest.
 */
@unmanaged
export class Transform {
  x: u32;
  y: u32;
  scratch: u32;
  scratchStride: u32;
  rows: u32;
  depth: u32;
  length: u32;
  order: u32;
  twiddles: u32;
  splits: u32;
  stages: u32;
  stageTable: u32;
}

/** Parts share the rows. */
export function signalTransform(p: Transform, part: u32, parts: u32): void {
  const work = <usize>p.scratch + <usize>part * p.scratchStride;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    gather(p, <usize>p.x + (<usize>(row * p.depth) << 1), work);
    for (let s: u32 = 0; s < p.stages; s++) {
      const entry = <usize>p.stageTable + (<usize>s << 3);
      const radix = load<u32>(entry);
      const span = load<u32>(entry, 4);
      const half = p.length >> 1;
      const blocks = half / (radix * span);
      for (let b: u32 = 0; b < blocks; b++) {
        const at = work + (<usize>(b * radix * span) << 2);
        if (radix == 4) fours(at, span, blocks, p.twiddles);
        else twos(at, span, blocks, p.twiddles);
      }
    }
    split(p, work, <usize>p.y + (<usize>(row * (p.length + 2)) << 1));
  }
}

/** Numbers in the order of the butterflies, two real ones as one complex. */
function gather(p: Transform, x: usize, work: usize): void {
  const half = p.length >> 1;
  for (let i: u32 = 0; i < half; i++) {
    const from = <u32>load<u16>(<usize>p.order + (<usize>i << 1)) << 1;
    store<i16>(work + (<usize>i << 2), from < p.depth ? load<i16>(x + (<usize>from << 1)) : 0);
    store<i16>(work + (<usize>i << 2), from + 1 < p.depth ? load<i16>(x + (<usize>(from + 1) << 1)) : 0, 2);
  }
}

// @ts-ignore: decorator
@inline function rounded(x: i32): i32 {
  return <i32><i16>((x + (1 << 14)) >> 15);
}

/** A part of a number over 2 or 4, as a product by 32767 over that. */
// @ts-ignore: decorator
@inline function over(at: usize, factor: i32): i32 {
  return rounded(<i32>load<i16>(at) * factor);
}

// @ts-ignore: decorator
@inline function put(at: usize, real: i32, imaginary: i32): void {
  store<i16>(at, <i16>real);
  store<i16>(at, <i16>imaginary, 2);
}

function twos(at: usize, span: u32, stride: u32, twiddles: u32): void {
  const second = <usize>span << 2;
  let w = <usize>twiddles;
  for (let i = span; i > 0; i--) {
    const ar = over(at, 16383);
    const ai = over(at + 2, 16383);
    const br = over(at + second, 16383);
    const bi = over(at + second + 2, 16383);
    const wr = <i32>load<i16>(w);
    const wi = <i32>load<i16>(w, 2);
    const tr = rounded(br * wr - bi * wi);
    const ti = rounded(br * wi + bi * wr);
    put(at + second, ar - tr, ai - ti);
    put(at, ar + tr, ai + ti);
    w += <usize>stride << 2;
    at += 4;
  }
}

function fours(at: usize, span: u32, stride: u32, twiddles: u32): void {
  const step = <usize>span << 2;
  for (let i: u32 = 0; i < span; i++) {
    const w1 = <usize>twiddles + (<usize>(i * stride) << 2);
    const w2 = <usize>twiddles + (<usize>(2 * i * stride) << 2);
    const w3 = <usize>twiddles + (<usize>(3 * i * stride) << 2);
    const ar = over(at, 8191);
    const ai = over(at + 2, 8191);
    const br = over(at + step, 8191);
    const bi = over(at + step + 2, 8191);
    const cr = over(at + 2 * step, 8191);
    const ci = over(at + 2 * step + 2, 8191);
    const dr = over(at + 3 * step, 8191);
    const di = over(at + 3 * step + 2, 8191);
    const r0 = rounded(br * load<i16>(w1) - bi * load<i16>(w1, 2));
    const i0 = rounded(br * load<i16>(w1, 2) + bi * load<i16>(w1));
    const r1 = rounded(cr * load<i16>(w2) - ci * load<i16>(w2, 2));
    const i1 = rounded(cr * load<i16>(w2, 2) + ci * load<i16>(w2));
    const r2 = rounded(dr * load<i16>(w3) - di * load<i16>(w3, 2));
    const i2 = rounded(dr * load<i16>(w3, 2) + di * load<i16>(w3));
    const r5 = ar - r1;
    const i5 = ai - i1;
    const r6 = ar + r1;
    const i6 = ai + i1;
    const r3 = r0 + r2;
    const i3 = i0 + i2;
    const r4 = r0 - r2;
    const i4 = i0 - i2;
    put(at + 2 * step, r6 - r3, i6 - i3);
    put(at, r6 + r3, i6 + i3);
    put(at + step, r5 + i4, i5 - r4);
    put(at + 3 * step, r5 - i4, i5 + r4);
    at += 4;
  }
}

/** The spectrum of the real numbers from that of their pairs. */
function split(p: Transform, work: usize, y: usize): void {
  const half = p.length >> 1;
  const dcR = over(work, 16383);
  const dcI = over(work + 2, 16383);
  put(y, dcR + dcI, 0);
  put(y + (<usize>half << 2), dcR - dcI, 0);
  for (let k: u32 = 1; k <= half >> 1; k++) {
    const a = work + (<usize>k << 2);
    const b = work + (<usize>(half - k) << 2);
    const ar = over(a, 16383);
    const ai = over(a + 2, 16383);
    const br = over(b, 16383);
    const bi = rounded(<i32><i16>(-<i32>load<i16>(b, 2)) * 16383);
    const sumR = <i32><i16>(ar + br);
    const sumI = <i32><i16>(ai + bi);
    const difR = <i32><i16>(ar - br);
    const difI = <i32><i16>(ai - bi);
    const w = <usize>p.splits + (<usize>(k - 1) << 2);
    const tr = rounded(difR * load<i16>(w) - difI * load<i16>(w, 2));
    const ti = rounded(difR * load<i16>(w, 2) + difI * load<i16>(w));
    put(y + (<usize>k << 2), (sumR + tr) >> 1, (sumI + ti) >> 1);
    put(y + (<usize>(half - k) << 2), (sumR - tr) >> 1, (ti - sumI) >> 1);
  }
}
