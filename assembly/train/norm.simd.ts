/**
 * Batch normalization y = clamp(γ · (z − μ)/√(σ² + ε) + β) of rows `[rows][channels]` by the rows' own mean and variance, and its gradient; and what a
 * layer without it needs of that: the clamp's gradient and the bias's. Rows are cut into BLOCKS blocks whose sums are kept apart and joined
 * in their order, so that the bytes do not depend on the number of parts. @train
 */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";

/** Blocks of rows; `partials` has two floats a channel for each. */
const BLOCKS: u32 = 16;

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
@inline function blockStart(p: NormF32, block: u32): u32 {
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
    for (let c: usize = 0; c < line; c += 16) {
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

/** Joins the blocks, then y of this part's rows. The first part writes what is kept. */
export function normApplyF32(p: NormF32, part: u32, parts: u32): void {
  const line = <usize>p.channels << 2;
  const first = share(p.rows, part, parts);
  const rows = share(p.rows, part + 1, parts) - first;
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  for (let c: usize = 0; c < line; c += 16) {
    const bytes = <u32>min(line - c, 16);
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
    const gain = f32x4.mul(load16(p.gamma + c, bytes), inverse);
    const shift = f32x4.sub(load16(p.beta + c, bytes), f32x4.mul(mean, gain));
    let z = <usize>p.z + <usize>first * line + c;
    let y = <usize>p.y + <usize>first * line + c;
    for (let i = rows; i; i--) {
      const value = f32x4.add(f32x4.mul(v128.load(z), gain), shift);
      store16(y, f32x4.pmin(f32x4.pmax(value, lo), hi), bytes);
      z += line;
      y += line;
    }
  }
}

// @ts-ignore: decorator
@inline function run(at: usize, value: v128, momentum: f32, bytes: u32): void {
  const old = load16(at, bytes);
  store16(at, f32x4.add(old, f32x4.mul(f32x4.sub(value, old), f32x4.splat(momentum))), bytes);
}

/**
 * The clamp's gradient in place, and of each block its sum and, with normalization, that of its products with (z − μ)/√(σ² + ε). Parts
 * share the blocks.
 */
export function normGradSumsF32(p: NormF32, part: u32, parts: u32): void {
  const end = share(BLOCKS, part + 1, parts);
  const line = <usize>p.channels << 2;
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  const normal = p.gamma != 0;
  for (let block = share(BLOCKS, part, parts); block < end; block++) {
    const first = blockStart(p, block);
    const rows = blockStart(p, block + 1) - first;
    const to = <usize>p.partials + <usize>(block * 2) * line;
    for (let c: usize = 0; c < line; c += 16) {
      const bytes = <u32>min(line - c, 16);
      const offset = <usize>first * line + c;
      let y = <usize>p.y + offset;
      let dy = <usize>p.dy + offset;
      let z = <usize>p.z + offset;
      let sum = f32x4.splat(0);
      let products = sum;
      const mean = normal ? load16(p.mean + c, bytes) : sum;
      for (let i = rows; i; i--) {
        const value = v128.load(y);
        const inside = v128.and(f32x4.gt(value, lo), f32x4.lt(value, hi));
        const gradient = v128.and(v128.load(dy), inside);
        store16(dy, gradient, bytes);
        sum = f32x4.add(sum, gradient);
        if (normal) products = f32x4.add(products, f32x4.mul(gradient, f32x4.sub(v128.load(z), mean)));
        y += line;
        dy += line;
        z += line;
      }
      if (normal) products = f32x4.mul(products, load16(p.inverse + c, bytes));
      store16(to + c, sum, bytes);
      store16(to + line + c, products, bytes);
    }
  }
}

/** Joins the blocks into the gradients of γ and β; with normalization, dy of this part's rows becomes that of z. */
export function normGradApplyF32(p: NormF32, part: u32, parts: u32): void {
  const line = <usize>p.channels << 2;
  const first = share(p.rows, part, parts);
  const rows = share(p.rows, part + 1, parts) - first;
  for (let c: usize = 0; c < line; c += 16) {
    const bytes = <u32>min(line - c, 16);
    let sum = f32x4.splat(0);
    let products = sum;
    for (let block: u32 = 0; block < BLOCKS; block++) {
      const from = <usize>p.partials + <usize>(block * 2) * line + c;
      sum = f32x4.add(sum, load16(from, bytes));
      products = f32x4.add(products, load16(from + line, bytes));
    }
    if (part == 0) {
      if (p.dBeta) store16(p.dBeta + c, sum, bytes);
      if (p.dGamma) store16(p.dGamma + c, products, bytes);
    }
    if (!p.gamma) continue;
    const inverse = load16(p.inverse + c, bytes);
    const gain = f32x4.mul(load16(p.gamma + c, bytes), inverse);
    const one = f32x4.splat(<f32>1 / <f32>p.rows);
    // dz = gain · (dy − Σdy/n − (z − μ)/√(σ² + ε) · Σ(dy·x̂)/n)
    const slope = f32x4.mul(f32x4.mul(products, one), inverse);
    const shift = f32x4.sub(f32x4.mul(load16(p.mean + c, bytes), slope), f32x4.mul(sum, one));
    let z = <usize>p.z + <usize>first * line + c;
    let dy = <usize>p.dy + <usize>first * line + c;
    for (let i = rows; i; i--) {
      const value = f32x4.add(f32x4.sub(v128.load(dy), f32x4.mul(v128.load(z), slope)), shift);
      store16(dy, f32x4.mul(value, gain), bytes);
      z += line;
      dy += line;
    }
  }
}
