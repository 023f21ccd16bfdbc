/** The Fourier transform of real int16 and int32 and its inverse, bit for bit as KISS FFT's in fixed point. @full */
import { share } from "../common/split";

/**
 * Rows of `depth` real numbers, filled up with 0 to `length`, to `length/2 + 1` complex ones; or, where `inverse` is 1, rows of these
 * to `length` real numbers. Scratch: `length` numbers. Tables: `order`, the uint16 place that each of `length/2` complex numbers
 * comes from; `twiddles` of that many complex numbers; `splits`, half as many; `stages` pairs of radix (2 or 4) and span as
 * uint32, the first the smallest.
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
  /** Numbers are int32, and not int16. */
  wide: u32;
  inverse: u32;
}

/** Parts share the rows. */
export function signalTransform(p: Transform, part: u32, parts: u32): void {
  const work = <usize>p.scratch + <usize>part * p.scratchStride;
  const log = 1 + p.wide;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const spectrum = <usize>(row * (p.length + 2)) << log;
    if (p.inverse) {
      const y = <usize>p.y + (<usize>(row * p.length) << log);
      join(p, <usize>p.x + spectrum, work);
      gather(p, work, p.length, y);
      butterflies(p, y);
    } else {
      gather(p, <usize>p.x + (<usize>(row * p.depth) << log), p.depth, work);
      butterflies(p, work);
      split(p, work, <usize>p.y + spectrum);
    }
  }
}

function butterflies(p: Transform, work: usize): void {
  for (let s: u32 = 0; s < p.stages; s++) {
    const entry = <usize>p.stageTable + (<usize>s << 3);
    const radix = load<u32>(entry);
    const span = load<u32>(entry, 4);
    const blocks = (p.length >> 1) / (radix * span);
    for (let b: u32 = 0; b < blocks; b++) {
      const at = work + (<usize>(b * radix * span) << (2 + p.wide));
      if (radix == 4) fours(p, at, span, blocks);
      else twos(p, at, span, blocks);
    }
  }
}

/** Number i from an address on. */
function get(p: Transform, at: usize, i: usize): i64 {
  return p.wide ? <i64>load<i32>(at + (i << 2)) : <i64>load<i16>(at + (i << 1));
}

function set(p: Transform, at: usize, i: usize, value: i64): void {
  if (p.wide) store<i32>(at + (i << 2), <i32>value);
  else store<i16>(at + (i << 1), <i16>value);
}

/** A sum as its type holds it. */
// @ts-ignore: decorator
@inline function cut(p: Transform, x: i64): i64 {
  return p.wide ? <i64><i32>x : <i64><i16>x;
}

/** A product, rounded half up. Sums of products of int16 are int32. */
function rounded(p: Transform, x: i64): i64 {
  return p.wide ? <i64><i32>((x + (1 << 30)) >> 31) : <i64><i16>((<i32>x + (1 << 14)) >> 15);
}

/** A number over 2^log, as a product by the largest number over that. */
function over(p: Transform, x: i64, log: i64): i64 {
  return rounded(p, x * ((p.wide ? <i64>i32.MAX_VALUE : 32767) >> log));
}

/** Numbers in the order of the butterflies, two real ones as one complex. */
function gather(p: Transform, x: usize, depth: u32, work: usize): void {
  const half = p.length >> 1;
  for (let i: u32 = 0; i < half; i++) {
    const from = <u32>load<u16>(<usize>p.order + (<usize>i << 1)) << 1;
    set(p, work, 2 * i, from < depth ? get(p, x, from) : 0);
    set(p, work, 2 * i + 1, from + 1 < depth ? get(p, x, from + 1) : 0);
  }
}

function twos(p: Transform, at: usize, span: u32, stride: u32): void {
  for (let i: u32 = 0; i < span; i++) {
    const a = 2 * i;
    const b = a + 2 * span;
    const ar = over(p, get(p, at, a), 1);
    const ai = over(p, get(p, at, a + 1), 1);
    const br = over(p, get(p, at, b), 1);
    const bi = over(p, get(p, at, b + 1), 1);
    const wr = get(p, p.twiddles, 2 * i * stride);
    const wi = get(p, p.twiddles, 2 * i * stride + 1);
    const tr = rounded(p, br * wr - bi * wi);
    const ti = rounded(p, br * wi + bi * wr);
    set(p, at, b, ar - tr);
    set(p, at, b + 1, ai - ti);
    set(p, at, a, ar + tr);
    set(p, at, a + 1, ai + ti);
  }
}

/** A quarter of number i, times a twiddle: the real part above 32 bits of the imaginary one. */
function turned(p: Transform, at: usize, i: u32, w: u32): i64 {
  const r = over(p, get(p, at, i), 2);
  const m = over(p, get(p, at, i + 1), 2);
  const wr = get(p, p.twiddles, w);
  const wi = get(p, p.twiddles, w + 1);
  return (rounded(p, r * wr - m * wi) << 32) | (rounded(p, r * wi + m * wr) & 0xffffffff);
}

// @ts-ignore: decorator
@inline function imaginaryOf(both: i64): i64 {
  return <i64><i32>both;
}

function fours(p: Transform, at: usize, span: u32, stride: u32): void {
  const step = 2 * span;
  const first = p.inverse ? 3 * step : step;
  for (let i: u32 = 0; i < span; i++) {
    const a = 2 * i;
    const w = 2 * i * stride;
    const ar = over(p, get(p, at, a), 2);
    const ai = over(p, get(p, at, a + 1), 2);
    const t0 = turned(p, at, a + step, w);
    const t1 = turned(p, at, a + 2 * step, 2 * w);
    const t2 = turned(p, at, a + 3 * step, 3 * w);
    const r1 = t1 >> 32;
    const i1 = imaginaryOf(t1);
    const r3 = (t0 >> 32) + (t2 >> 32);
    const i3 = imaginaryOf(t0) + imaginaryOf(t2);
    const r4 = (t0 >> 32) - (t2 >> 32);
    const i4 = imaginaryOf(t0) - imaginaryOf(t2);
    set(p, at, a + 2 * step, ar + r1 - r3);
    set(p, at, a + 2 * step + 1, ai + i1 - i3);
    set(p, at, a, ar + r1 + r3);
    set(p, at, a + 1, ai + i1 + i3);
    set(p, at, a + first, ar - r1 + i4);
    set(p, at, a + first + 1, ai - i1 - r4);
    set(p, at, a + 4 * step - first, ar - r1 - i4);
    set(p, at, a + 4 * step - first + 1, ai - i1 + r4);
  }
}

/** The spectrum of the real numbers from that of their pairs. */
function split(p: Transform, work: usize, y: usize): void {
  const half = p.length >> 1;
  const dcR = over(p, get(p, work, 0), 1);
  const dcI = over(p, get(p, work, 1), 1);
  set(p, y, 0, dcR + dcI);
  set(p, y, 1, 0);
  set(p, y, 2 * half, dcR - dcI);
  set(p, y, 2 * half + 1, 0);
  for (let k: u32 = 1; k <= half >> 1; k++) {
    const b = 2 * (half - k);
    const ar = over(p, get(p, work, 2 * k), 1);
    const ai = over(p, get(p, work, 2 * k + 1), 1);
    const br = over(p, get(p, work, b), 1);
    const bi = over(p, cut(p, -get(p, work, b + 1)), 1);
    const sumR = cut(p, ar + br);
    const sumI = cut(p, ai + bi);
    const difR = cut(p, ar - br);
    const difI = cut(p, ai - bi);
    const wr = get(p, p.splits, 2 * (k - 1));
    const wi = get(p, p.splits, 2 * k - 1);
    const tr = rounded(p, difR * wr - difI * wi);
    const ti = rounded(p, difR * wi + difI * wr);
    set(p, y, 2 * k, halfOf(p, sumR + tr));
    set(p, y, 2 * k + 1, halfOf(p, sumI + ti));
    set(p, y, b, halfOf(p, sumR - tr));
    set(p, y, b + 1, halfOf(p, ti - sumI));
  }
}

// @ts-ignore: decorator
@inline function halfOf(p: Transform, x: i64): i64 {
  return (p.wide ? <i64><i32>x : x) >> 1;
}

/** The spectrum of pairs from that of the real numbers. */
function join(p: Transform, x: usize, work: usize): void {
  const half = p.length >> 1;
  const first = get(p, x, 0);
  const last = get(p, x, 2 * half);
  set(p, work, 0, over(p, cut(p, first + last), 1));
  set(p, work, 1, over(p, cut(p, first - last), 1));
  for (let k: u32 = 1; k <= half >> 1; k++) {
    const b = 2 * (half - k);
    const ar = over(p, get(p, x, 2 * k), 1);
    const ai = over(p, get(p, x, 2 * k + 1), 1);
    const br = over(p, get(p, x, b), 1);
    const bi = over(p, cut(p, -get(p, x, b + 1)), 1);
    const sumR = cut(p, ar + br);
    const sumI = cut(p, ai + bi);
    const difR = cut(p, ar - br);
    const difI = cut(p, ai - bi);
    const wr = get(p, p.splits, 2 * (k - 1));
    const wi = get(p, p.splits, 2 * k - 1);
    const tr = rounded(p, difR * wr - difI * wi);
    const ti = rounded(p, difR * wi + difI * wr);
    set(p, work, 2 * k, sumR + tr);
    set(p, work, 2 * k + 1, sumI + ti);
    set(p, work, b, sumR - tr);
    set(p, work, b + 1, cut(p, -cut(p, sumI - ti)));
  }
}

/** Rows of `length/2 + 1` complex float32 to `length` real ones, by sums of doubles over a table of a whole turn. */
@unmanaged
export class InverseF32 {
  x: u32;
  y: u32;
  rows: u32;
  length: u32;
  /** Cosine and sine, float64, of each of `length` steps. */
  turnTable: u32;
}

export function signalInverseF32(p: InverseF32, part: u32, parts: u32): void {
  const n = p.length;
  const last = share(p.rows * n, part + 1, parts);
  for (let i = share(p.rows * n, part, parts); i < last; i++) {
    const row = i / n;
    const at = i - row * n;
    const x = <usize>p.x + (<usize>(row * (n + 2)) << 2);
    let sum: f64 = 0;
    for (let k: u32 = 1; k < n >> 1; k++) {
      const turn = <usize>p.turnTable + (<usize>((k * at) & (n - 1)) << 4);
      const bin = x + (<usize>k << 3);
      sum += <f64>load<f32>(bin) * load<f64>(turn) - <f64>load<f32>(bin, 4) * load<f64>(turn, 8);
    }
    const edge = <f64>load<f32>(x + (<usize>n << 2));
    sum = 2 * sum + <f64>load<f32>(x) + (at & 1 ? -edge : edge);
    store<f32>(<usize>p.y + (<usize>i << 2), <f32>(sum / <f64>n));
  }
}
