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
  const last = share(p.rows, part + 1, parts);
  const first = share(p.rows, part, parts);
  const work = <usize>p.scratch + <usize>part * p.scratchStride;
  if (p.wide) rows<i32, i64>(p, work, first, last);
  else rows<i16, i32>(p, work, first, last);
}

/** Numbers are `T`, sums and products `W`. */
function rows<T extends number, W extends number>(p: Transform, work: usize, first: u32, last: u32): void {
  for (let row = first; row < last; row++) {
    const spectrum = <usize>(row * (p.length + 2)) * sizeof<T>();
    if (p.inverse) {
      const y = <usize>p.y + <usize>(row * p.length) * sizeof<T>();
      join<T, W>(p, <usize>p.x + spectrum, work);
      gather<T>(p, work, p.length, y);
      butterflies<T, W>(p, y);
    } else {
      gather<T>(p, <usize>p.x + <usize>(row * p.depth) * sizeof<T>(), p.depth, work);
      butterflies<T, W>(p, work);
      split<T, W>(p, work, <usize>p.y + spectrum);
    }
  }
}

function butterflies<T extends number, W extends number>(p: Transform, work: usize): void {
  for (let s: u32 = 0; s < p.stages; s++) {
    const entry = <usize>p.stageTable + (<usize>s << 3);
    const radix = load<u32>(entry);
    const span = load<u32>(entry, 4);
    const blocks = (p.length >> 1) / (radix * span);
    for (let b: u32 = 0; b < blocks; b++) {
      const at = work + <usize>(b * radix * span) * 2 * sizeof<T>();
      if (radix == 4) fours<T, W>(p, at, span, blocks);
      else twos<T, W>(p, at, span, blocks);
    }
  }
}

/** The real and the imaginary part of a complex number. */
// @ts-ignore: decorator
@inline function re<T extends number, W extends number>(at: usize): W {
  return <W>load<T>(at);
}

// @ts-ignore: decorator
@inline function im<T extends number, W extends number>(at: usize): W {
  return <W>load<T>(at, sizeof<T>());
}

// @ts-ignore: decorator
@inline function put<T extends number, W extends number>(at: usize, r: W, i: W): void {
  store<T>(at, <T>r);
  store<T>(at, <T>i, sizeof<T>());
}

/** A product, rounded half up. */
// @ts-ignore: decorator
@inline function rounded<T extends number, W extends number>(x: W): W {
  return <W>(<T>((x + (<W>1 << (8 * sizeof<T>() - 2))) >> (8 * sizeof<T>() - 1)));
}

/** A number over 2^log, as a product by the largest number over that. */
// @ts-ignore: decorator
@inline function over<T extends number, W extends number>(x: W, log: W): W {
  return rounded<T, W>(x * (((<W>1 << (8 * sizeof<T>() - 1)) - 1) >> log));
}

/** Numbers in the order of the butterflies, two real ones as one complex. */
function gather<T extends number>(p: Transform, x: usize, depth: u32, work: usize): void {
  const end = <usize>p.order + p.length;
  for (let order = <usize>p.order; order < end; order += 2) {
    const from = <u32>load<u16>(order) << 1;
    const at = x + <usize>from * sizeof<T>();
    store<T>(work, from < depth ? load<T>(at) : <T>0);
    store<T>(work, from + 1 < depth ? load<T>(at, sizeof<T>()) : <T>0, sizeof<T>());
    work += 2 * sizeof<T>();
  }
}

function twos<T extends number, W extends number>(p: Transform, at: usize, span: u32, stride: u32): void {
  const size = 2 * sizeof<T>();
  const far = <usize>span * size;
  let w = <usize>p.twiddles;
  for (const end = at + far; at < end; at += size) {
    const b = at + far;
    const ar = over<T, W>(re<T, W>(at), 1);
    const ai = over<T, W>(im<T, W>(at), 1);
    const br = over<T, W>(re<T, W>(b), 1);
    const bi = over<T, W>(im<T, W>(b), 1);
    const wr = re<T, W>(w);
    const wi = im<T, W>(w);
    const tr = rounded<T, W>(br * wr - bi * wi);
    const ti = rounded<T, W>(br * wi + bi * wr);
    put<T, W>(b, ar - tr, ai - ti);
    put<T, W>(at, ar + tr, ai + ti);
    w += <usize>stride * size;
  }
}

function fours<T extends number, W extends number>(p: Transform, at: usize, span: u32, stride: u32): void {
  const size = 2 * sizeof<T>();
  const far = <usize>span * size;
  const step = <usize>stride * size;
  const w = <usize>p.twiddles;
  let turn: usize = 0;
  for (const end = at + far; at < end; at += size) {
    const b = at + far;
    const c = b + far;
    const d = c + far;
    let r = over<T, W>(re<T, W>(c), 2);
    let m = over<T, W>(im<T, W>(c), 2);
    let wr = re<T, W>(w + 2 * turn);
    let wi = im<T, W>(w + 2 * turn);
    const r1 = rounded<T, W>(r * wr - m * wi);
    const i1 = rounded<T, W>(r * wi + m * wr);
    r = over<T, W>(re<T, W>(b), 2);
    m = over<T, W>(im<T, W>(b), 2);
    wr = re<T, W>(w + turn);
    wi = im<T, W>(w + turn);
    const r0 = rounded<T, W>(r * wr - m * wi);
    const i0 = rounded<T, W>(r * wi + m * wr);
    r = over<T, W>(re<T, W>(d), 2);
    m = over<T, W>(im<T, W>(d), 2);
    wr = re<T, W>(w + 3 * turn);
    wi = im<T, W>(w + 3 * turn);
    const r2 = rounded<T, W>(r * wr - m * wi);
    const i2 = rounded<T, W>(r * wi + m * wr);
    const ar = over<T, W>(re<T, W>(at), 2);
    const ai = over<T, W>(im<T, W>(at), 2);
    put<T, W>(c, ar + r1 - r0 - r2, ai + i1 - i0 - i2);
    put<T, W>(at, ar + r1 + r0 + r2, ai + i1 + i0 + i2);
    const up = p.inverse ? d : b;
    put<T, W>(up, ar - r1 + (i0 - i2), ai - i1 - (r0 - r2));
    put<T, W>(b + d - up, ar - r1 - (i0 - i2), ai - i1 + (r0 - r2));
    turn += step;
  }
}

/** The spectrum of the real numbers from that of their pairs. */
function split<T extends number, W extends number>(p: Transform, work: usize, y: usize): void {
  const size = 2 * sizeof<T>();
  const far = <usize>(p.length >> 1) * size;
  const dcR = over<T, W>(re<T, W>(work), 1);
  const dcI = over<T, W>(im<T, W>(work), 1);
  put<T, W>(y, dcR + dcI, 0);
  put<T, W>(y + far, dcR - dcI, 0);
  let w = <usize>p.splits;
  for (let k: usize = size; k <= far >> 1; k += size) {
    turnPair<T, W>(work + k, work + far - k, w, y + k, y + far - k, true);
    w += size;
  }
}

/** The spectrum of pairs from that of the real numbers. */
function join<T extends number, W extends number>(p: Transform, x: usize, work: usize): void {
  const size = 2 * sizeof<T>();
  const far = <usize>(p.length >> 1) * size;
  const first = re<T, W>(x);
  const last = re<T, W>(x + far);
  put<T, W>(work, over<T, W>(<W>(<T>(first + last)), 1), over<T, W>(<W>(<T>(first - last)), 1));
  let w = <usize>p.splits;
  for (let k: usize = size; k <= far >> 1; k += size) {
    turnPair<T, W>(x + k, x + far - k, w, work + k, work + far - k, false);
    w += size;
  }
}

/** Numbers k and half − k of one spectrum from those of the other; half of it where that is of real numbers. */
function turnPair<T extends number, W extends number>(a: usize, b: usize, w: usize, toA: usize, toB: usize, half: bool): void {
  const ar = over<T, W>(re<T, W>(a), 1);
  const ai = over<T, W>(im<T, W>(a), 1);
  const br = over<T, W>(re<T, W>(b), 1);
  const bi = over<T, W>(<W>(<T>-im<T, W>(b)), 1);
  const sumR = <W>(<T>(ar + br));
  const sumI = <W>(<T>(ai + bi));
  const difR = <W>(<T>(ar - br));
  const difI = <W>(<T>(ai - bi));
  const wr = re<T, W>(w);
  const wi = im<T, W>(w);
  const tr = rounded<T, W>(difR * wr - difI * wi);
  const ti = rounded<T, W>(difR * wi + difI * wr);
  if (half) {
    put<T, W>(toA, halfOf<W>(sumR + tr), halfOf<W>(sumI + ti));
    put<T, W>(toB, halfOf<W>(sumR - tr), halfOf<W>(ti - sumI));
  } else {
    put<T, W>(toA, sumR + tr, sumI + ti);
    put<T, W>(toB, sumR - tr, -(<W>(<T>(sumI - ti))));
  }
}

/** Half of a sum as int32, which is what C makes of sums of int16 too. */
// @ts-ignore: decorator
@inline function halfOf<W extends number>(x: W): W {
  return <W>(<i32>x) >> 1;
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
