/**
 * Batch normalization y = clamp(γ · (z − μ)/√(σ² + ε) + β) of rows `[rows][channels]` by the rows' own mean and variance, and its gradient; and what a
 * layer without it needs of that: the clamp's gradient and the bias's. Rows are cut into BLOCKS blocks whose sums are kept apart and joined
 * in their order, so that the bytes do not depend on the number of parts. @train
 */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";

/** Blocks of rows; `partials` has two floats a channel for each. */
export const BLOCKS: u32 = 16;
/** Bytes of a cache line: 16 channels of a row are read together. */
export const LINE: usize = 64;

@unmanaged
export class NormF32 {
  /** Before normalization; after it and the clamp; the gradient, which ends as that of z. */
  z: u32;
  y: u32;
  dy: u32;
  rows: u32;
  channels: u32;
  /** [channels] each: γ, β; the rows' mean and 1/√(σ² + ε); running mean and variance; gradients of γ and β. 0 where there is none. */
  gamma: u32;
  beta: u32;
  mean: u32;
  inverse: u32;
  runningMean: u32;
  runningVariance: u32;
  dGamma: u32;
  dBeta: u32;
  /** [BLOCKS][2][channels]. */
  partials: u32;
  momentum: f32;
  epsilon: f32;
  lo: f32;
  hi: f32;
}

// @ts-ignore: decorator
@inline export function blockStart(p: NormF32, block: u32): u32 {
  return share(p.rows, block, BLOCKS);
}

/** Of each block the mean and the sum of squared differences from it. Parts share the blocks. */
export function normSumsF32(p: NormF32, part: u32, parts: u32): void {
  const end = share(BLOCKS, part + 1, parts);
  const line = <usize>p.channels << 2;
  for (let block = share(BLOCKS, part, parts); block < end; block++) {
    const rows = blockStart(p, block + 1) - blockStart(p, block);
    const z = <usize>p.z + <usize>blockStart(p, block) * line;
    const to = <usize>p.partials + <usize>(block * 2) * line;
    const reciprocal = f32x4.splat(rows ? <f32>1 / <f32>rows : 0);
    let c: usize = 0;
    for (; c + LINE <= line; c += LINE) sumsOfLine(z + c, to + c, rows, line, reciprocal);
    for (; c < line; c += 16) {
      const bytes = <u32>min(line - c, 16);
      let sum = f32x4.splat(0);
      let at = z + c;
      for (let i = rows; i; i--) {
        sum = f32x4.add(sum, v128.load(at));
        at += line;
      }
      const mean = f32x4.mul(sum, reciprocal);
      let squares = f32x4.splat(0);
      at = z + c;
      for (let i = rows; i; i--) {
        const difference = f32x4.sub(v128.load(at), mean);
        squares = f32x4.add(squares, f32x4.mul(difference, difference));
        at += line;
      }
      store16(to + c, mean, bytes);
      store16(to + line + c, squares, bytes);
    }
  }
}

/** The same of 16 channels, which share a cache line in each row. */
function sumsOfLine(z: usize, to: usize, rows: u32, line: usize, reciprocal: v128): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let at = z;
  for (let i = rows; i; i--) {
    a = f32x4.add(a, v128.load(at));
    b = f32x4.add(b, v128.load(at, 16));
    c = f32x4.add(c, v128.load(at, 32));
    d = f32x4.add(d, v128.load(at, 48));
    at += line;
  }
  const meanA = f32x4.mul(a, reciprocal);
  const meanB = f32x4.mul(b, reciprocal);
  const meanC = f32x4.mul(c, reciprocal);
  const meanD = f32x4.mul(d, reciprocal);
  a = f32x4.splat(0);
  b = a;
  c = a;
  d = a;
  at = z;
  for (let i = rows; i; i--) {
    const p = f32x4.sub(v128.load(at), meanA);
    const q = f32x4.sub(v128.load(at, 16), meanB);
    const r = f32x4.sub(v128.load(at, 32), meanC);
    const s = f32x4.sub(v128.load(at, 48), meanD);
    a = f32x4.add(a, f32x4.mul(p, p));
    b = f32x4.add(b, f32x4.mul(q, q));
    c = f32x4.add(c, f32x4.mul(r, r));
    d = f32x4.add(d, f32x4.mul(s, s));
    at += line;
  }
  v128.store(to, meanA);
  v128.store(to, meanB, 16);
  v128.store(to, meanC, 32);
  v128.store(to, meanD, 48);
  to += line;
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}

/** Joins the blocks, then y of this part's rows. The first part writes what is kept. */
export function normApplyF32(p: NormF32, part: u32, parts: u32): void {
  const line = <usize>p.channels << 2;
  const first = share(p.rows, part, parts);
  const rows = share(p.rows, part + 1, parts) - first;
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  const offset = <usize>first * line;
  let c: usize = 0;
  for (; c + LINE <= line; c += LINE) {
    const gainA = gainOf(p, c, 16, part);
    const gainB = gainOf(p, c + 16, 16, part);
    const gainC = gainOf(p, c + 32, 16, part);
    const gainD = gainOf(p, c + 48, 16, part);
    const shiftA = shiftOf(p, c, 16, gainA);
    const shiftB = shiftOf(p, c + 16, 16, gainB);
    const shiftC = shiftOf(p, c + 32, 16, gainC);
    const shiftD = shiftOf(p, c + 48, 16, gainD);
    let z = <usize>p.z + offset + c;
    let y = <usize>p.y + offset + c;
    for (let i = rows; i; i--) {
      v128.store(y, clamp(f32x4.add(f32x4.mul(v128.load(z), gainA), shiftA), lo, hi));
      v128.store(y, clamp(f32x4.add(f32x4.mul(v128.load(z, 16), gainB), shiftB), lo, hi), 16);
      v128.store(y, clamp(f32x4.add(f32x4.mul(v128.load(z, 32), gainC), shiftC), lo, hi), 32);
      v128.store(y, clamp(f32x4.add(f32x4.mul(v128.load(z, 48), gainD), shiftD), lo, hi), 48);
      z += line;
      y += line;
    }
  }
  for (; c < line; c += 16) {
    const bytes = <u32>min(line - c, 16);
    const gain = gainOf(p, c, bytes, part);
    const shift = shiftOf(p, c, bytes, gain);
    let z = <usize>p.z + offset + c;
    let y = <usize>p.y + offset + c;
    for (let i = rows; i; i--) {
      store16(y, clamp(f32x4.add(f32x4.mul(v128.load(z), gain), shift), lo, hi), bytes);
      z += line;
      y += line;
    }
  }
}

// @ts-ignore: decorator
@inline function clamp(value: v128, lo: v128, hi: v128): v128 {
  return f32x4.pmin(f32x4.pmax(value, lo), hi);
}

/** The mean of four channels over all blocks. */
function meanOf(p: NormF32, c: usize, bytes: u32): v128 {
  const line = <usize>p.channels << 2;
  let mean = f32x4.splat(0);
  let seen: f32 = 0;
  for (let block: u32 = 0; block < BLOCKS; block++) {
    const count = <f32>(blockStart(p, block + 1) - blockStart(p, block));
    if (count == 0) continue;
    const difference = f32x4.sub(load16(<usize>p.partials + <usize>(block * 2) * line + c, bytes), mean);
    seen += count;
    mean = f32x4.add(mean, f32x4.mul(difference, f32x4.splat(count / seen)));
  }
  return mean;
}

/** γ/√(σ² + ε) of four channels. The first part writes what is kept. */
function gainOf(p: NormF32, c: usize, bytes: u32, part: u32): v128 {
  const line = <usize>p.channels << 2;
  let mean = f32x4.splat(0);
  let squares = mean;
  let seen: f32 = 0;
  for (let block: u32 = 0; block < BLOCKS; block++) {
    const count = <f32>(blockStart(p, block + 1) - blockStart(p, block));
    if (count == 0) continue;
    const from = <usize>p.partials + <usize>(block * 2) * line + c;
    const difference = f32x4.sub(load16(from, bytes), mean);
    const all = seen + count;
    mean = f32x4.add(mean, f32x4.mul(difference, f32x4.splat(count / all)));
    squares = f32x4.add(squares, f32x4.add(load16(from + line, bytes), f32x4.mul(f32x4.mul(difference, difference), f32x4.splat(seen * count / all))));
    seen = all;
  }
  const variance = f32x4.mul(squares, f32x4.splat(<f32>1 / seen));
  const inverse = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(p.epsilon))));
  if (part == 0) {
    store16(p.mean + c, mean, bytes);
    store16(p.inverse + c, inverse, bytes);
    run(p.runningMean + c, mean, p.momentum, bytes);
    run(p.runningVariance + c, f32x4.mul(variance, f32x4.splat(seen > 1 ? seen / (seen - 1) : 1)), p.momentum, bytes);
  }
  return f32x4.mul(load16(p.gamma + c, bytes), inverse);
}

/** β − μ·gain of four channels. */
function shiftOf(p: NormF32, c: usize, bytes: u32, gain: v128): v128 {
  return f32x4.sub(load16(p.beta + c, bytes), f32x4.mul(meanOf(p, c, bytes), gain));
}

// @ts-ignore: decorator
@inline function run(at: usize, value: v128, momentum: f32, bytes: u32): void {
  const old = load16(at, bytes);
  store16(at, f32x4.add(old, f32x4.mul(f32x4.sub(value, old), f32x4.splat(momentum))), bytes);
}
