/** The gradient of batch normalization and of the clamp after it; see norm.simd.ts. @train */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";
import { BLOCKS, blockStart, LINE, NormF32 } from "./norm.simd";

/**
 * The clamp's gradient in place, and of each block its sum and, with normalization, that of its products with (z − μ)/√(σ² + ε). Parts
 * share the blocks.
 */
export function normGradSumsF32(p: NormF32, part: u32, parts: u32): void {
  const end = share(BLOCKS, part + 1, parts);
  const line = <usize>p.channels << 2;
  for (let block = share(BLOCKS, part, parts); block < end; block++) {
    let c: usize = 0;
    for (; c + LINE <= line; c += LINE) sumsOfLine(p, block, c);
    for (; c < line; c += 16) sumsOfColumn(p, block, c, <u32>min(line - c, 16));
  }
}

/** Of four channels or fewer. */
function sumsOfColumn(p: NormF32, block: u32, c: usize, bytes: u32): void {
  const line = <usize>p.channels << 2;
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  const normal = p.gamma != 0;
  const first = blockStart(p, block);
  const offset = <usize>first * line + c;
  let y = <usize>p.y + offset;
  let dy = <usize>p.dy + offset;
  let z = <usize>p.z + offset;
  let sum = f32x4.splat(0);
  let products = sum;
  const mean = normal ? load16(p.mean + c, bytes) : sum;
  for (let i = blockStart(p, block + 1) - first; i; i--) {
    const gradient = inside(v128.load(dy), v128.load(y), lo, hi);
    store16(dy, gradient, bytes);
    sum = f32x4.add(sum, gradient);
    if (normal) products = f32x4.add(products, f32x4.mul(gradient, f32x4.sub(v128.load(z), mean)));
    y += line;
    dy += line;
    z += line;
  }
  if (normal) products = f32x4.mul(products, load16(p.inverse + c, bytes));
  const to = <usize>p.partials + <usize>(block * 2) * line + c;
  store16(to, sum, bytes);
  store16(to + line, products, bytes);
}

/** Of 16 channels, which share a cache line in each row. */
function sumsOfLine(p: NormF32, block: u32, c: usize): void {
  const line = <usize>p.channels << 2;
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  const normal = p.gamma != 0;
  const first = blockStart(p, block);
  const offset = <usize>first * line + c;
  const from = normal ? <usize>p.mean + c : 0;
  const zero = f32x4.splat(0);
  const meanA = normal ? v128.load(from) : zero;
  const meanB = normal ? v128.load(from, 16) : zero;
  const meanC = normal ? v128.load(from, 32) : zero;
  const meanD = normal ? v128.load(from, 48) : zero;
  let y = <usize>p.y + offset;
  let dy = <usize>p.dy + offset;
  let z = <usize>p.z + offset;
  let sumA = zero;
  let sumB = zero;
  let sumC = zero;
  let sumD = zero;
  let productsA = zero;
  let productsB = zero;
  let productsC = zero;
  let productsD = zero;
  for (let i = blockStart(p, block + 1) - first; i; i--) {
    const a = inside(v128.load(dy), v128.load(y), lo, hi);
    const b = inside(v128.load(dy, 16), v128.load(y, 16), lo, hi);
    const d = inside(v128.load(dy, 32), v128.load(y, 32), lo, hi);
    const e = inside(v128.load(dy, 48), v128.load(y, 48), lo, hi);
    v128.store(dy, a);
    v128.store(dy, b, 16);
    v128.store(dy, d, 32);
    v128.store(dy, e, 48);
    sumA = f32x4.add(sumA, a);
    sumB = f32x4.add(sumB, b);
    sumC = f32x4.add(sumC, d);
    sumD = f32x4.add(sumD, e);
    if (normal) {
      productsA = f32x4.add(productsA, f32x4.mul(a, f32x4.sub(v128.load(z), meanA)));
      productsB = f32x4.add(productsB, f32x4.mul(b, f32x4.sub(v128.load(z, 16), meanB)));
      productsC = f32x4.add(productsC, f32x4.mul(d, f32x4.sub(v128.load(z, 32), meanC)));
      productsD = f32x4.add(productsD, f32x4.mul(e, f32x4.sub(v128.load(z, 48), meanD)));
    }
    y += line;
    dy += line;
    z += line;
  }
  const to = <usize>p.partials + <usize>(block * 2) * line + c;
  v128.store(to, sumA);
  v128.store(to, sumB, 16);
  v128.store(to, sumC, 32);
  v128.store(to, sumD, 48);
  const next = to + line;
  const inverse = <usize>p.inverse + c;
  v128.store(next, normal ? f32x4.mul(productsA, v128.load(inverse)) : zero);
  v128.store(next, normal ? f32x4.mul(productsB, v128.load(inverse, 16)) : zero, 16);
  v128.store(next, normal ? f32x4.mul(productsC, v128.load(inverse, 32)) : zero, 32);
  v128.store(next, normal ? f32x4.mul(productsD, v128.load(inverse, 48)) : zero, 48);
}

/** The gradient where the value is within the clamp, 0 elsewhere. */
// @ts-ignore: decorator
@inline function inside(gradient: v128, value: v128, lo: v128, hi: v128): v128 {
  return v128.and(gradient, v128.and(f32x4.gt(value, lo), f32x4.lt(value, hi)));
}

/** Joins the blocks into the gradients of γ and β; with normalization, dy of this part's rows becomes that of z. */
export function normGradApplyF32(p: NormF32, part: u32, parts: u32): void {
  const line = <usize>p.channels << 2;
  const first = share(p.rows, part, parts);
  const rows = share(p.rows, part + 1, parts) - first;
  const normal = p.gamma != 0;
  if (part == 0) {
    for (let c: usize = 0; c < line; c += 16) {
      const bytes = <u32>min(line - c, 16);
      if (p.dBeta) store16(p.dBeta + c, joined(p, c, bytes), bytes);
      if (p.dGamma) store16(p.dGamma + c, joined(p, line + c, bytes), bytes);
    }
  }
  if (!normal) return;
  let c: usize = 0;
  for (; c + LINE <= line; c += LINE) {
    const slopeA = slopeOf(p, c, 16);
    const slopeB = slopeOf(p, c + 16, 16);
    const slopeC = slopeOf(p, c + 32, 16);
    const slopeD = slopeOf(p, c + 48, 16);
    const shiftA = shiftOf(p, c, 16, slopeA);
    const shiftB = shiftOf(p, c + 16, 16, slopeB);
    const shiftC = shiftOf(p, c + 32, 16, slopeC);
    const shiftD = shiftOf(p, c + 48, 16, slopeD);
    const gainA = gainOf(p, c, 16);
    const gainB = gainOf(p, c + 16, 16);
    const gainC = gainOf(p, c + 32, 16);
    const gainD = gainOf(p, c + 48, 16);
    let z = <usize>p.z + <usize>first * line + c;
    let dy = <usize>p.dy + <usize>first * line + c;
    for (let i = rows; i; i--) {
      v128.store(dy, moved(v128.load(dy), v128.load(z), slopeA, shiftA, gainA));
      v128.store(dy, moved(v128.load(dy, 16), v128.load(z, 16), slopeB, shiftB, gainB), 16);
      v128.store(dy, moved(v128.load(dy, 32), v128.load(z, 32), slopeC, shiftC, gainC), 32);
      v128.store(dy, moved(v128.load(dy, 48), v128.load(z, 48), slopeD, shiftD, gainD), 48);
      z += line;
      dy += line;
    }
  }
  for (; c < line; c += 16) {
    const bytes = <u32>min(line - c, 16);
    const slope = slopeOf(p, c, bytes);
    const shift = shiftOf(p, c, bytes, slope);
    const gain = gainOf(p, c, bytes);
    let z = <usize>p.z + <usize>first * line + c;
    let dy = <usize>p.dy + <usize>first * line + c;
    for (let i = rows; i; i--) {
      store16(dy, moved(v128.load(dy), v128.load(z), slope, shift, gain), bytes);
      z += line;
      dy += line;
    }
  }
}

// dz = gain · (dy − Σdy/n − (z − μ)/√(σ² + ε) · Σ(dy·x̂)/n)
// @ts-ignore: decorator
@inline function moved(dy: v128, z: v128, slope: v128, shift: v128, gain: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.sub(dy, f32x4.mul(z, slope)), shift), gain);
}

/** The sum over all blocks of what stands at `c` in each. */
function joined(p: NormF32, c: usize, bytes: u32): v128 {
  const line = <usize>p.channels << 2;
  let sum = f32x4.splat(0);
  for (let block: u32 = 0; block < BLOCKS; block++) sum = f32x4.add(sum, load16(<usize>p.partials + <usize>(block * 2) * line + c, bytes));
  return sum;
}

function gainOf(p: NormF32, c: usize, bytes: u32): v128 {
  return f32x4.mul(load16(p.gamma + c, bytes), load16(p.inverse + c, bytes));
}

function slopeOf(p: NormF32, c: usize, bytes: u32): v128 {
  const one = f32x4.splat(<f32>1 / <f32>p.rows);
  const products = joined(p, (<usize>p.channels << 2) + c, bytes);
  return f32x4.mul(f32x4.mul(products, one), load16(p.inverse + c, bytes));
}

function shiftOf(p: NormF32, c: usize, bytes: u32, slope: v128): v128 {
  const one = f32x4.splat(<f32>1 / <f32>p.rows);
  return f32x4.sub(f32x4.mul(load16(p.mean + c, bytes), slope), f32x4.mul(joined(p, c, bytes), one));
}
