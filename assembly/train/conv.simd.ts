/**
 * Gradients of convolutions and dense layers. Layouts as inference has them: x `[batch,inH,inW,inC]`, y `[batch,outH,outW,outC]`, weights
 * `[outC,kH,kW,inC]`. A dense layer, or a 1×1 convolution of stride 1, is one image of one row. Sums have an order that does not depend on
 * the number of parts. Vectors may read up to 28 bytes after a tensor, but write nothing there. @train
 */
import { store16 } from "../common/edge.simd";
import { share } from "../common/split";
import { Patches } from "../common/windows";

/** A convolution's tensors and their gradients; sizes in elements. */
@unmanaged
export class ConvGradF32 extends Patches {
  x: u32;
  w: u32;
  /** Gradient of y. */
  dy: u32;
  /** The result: the gradient of x, or of the weights. */
  d: u32;
  batch: u32;
  outC: u32;
  /** 1: added to what d holds. Gradients of x only. */
  accumulate: u32;
}

/** Rows of both operands that stay in the nearer caches while all tiles pass over them. */
const BLOCK: u32 = 128;

/** First output position whose tap at `offset` lies on the input. */
// @ts-ignore: decorator
@inline export function firstOf(offset: i32, stride: u32): u32 {
  return offset >= 0 ? 0 : (<u32>-offset + stride - 1) / stride;
}

/** The output position after the last whose tap at `offset` lies on the input. */
// @ts-ignore: decorator
@inline export function endOf(offset: i32, stride: u32, size: u32, count: u32): u32 {
  const room = <i32>size - offset;
  return room <= 0 ? 0 : min((<u32>room + stride - 1) / stride, count);
}

// @ts-ignore: decorator
@inline function isRows(p: ConvGradF32): bool {
  return p.kH * p.kW == 1 && p.strideH * p.strideW == 1 && p.padTop == 0 && p.padLeft == 0;
}

/** d = dy · W, position by position. Parts share the rows of a product, the images otherwise. */
export function convGradInputF32(p: ConvGradF32, part: u32, parts: u32): void {
  const inLine = <usize>p.inC << 2;
  const outLine = <usize>p.outC << 2;
  const step = <usize>(p.kH * p.kW) * inLine;
  if (isRows(p)) {
    const rows = p.batch * p.outH * p.outW;
    const fours = (rows + 3) >>> 2;
    const first: u32 = share(fours, part, parts) << 2;
    const end = min(share(fours, part + 1, parts) << 2, rows);
    if (first < end)
      inputRows(p, p.dy + <usize>first * outLine, end - first, p.w, step, p.d + <usize>first * inLine, inLine, p.accumulate != 0);
    return;
  }
  const last = share(p.batch, part + 1, parts);
  const image = <usize>(p.inH * p.inW) * inLine;
  for (let n = share(p.batch, part, parts); n < last; n++) {
    const d = <usize>p.d + <usize>n * image;
    if (!p.accumulate) memory.fill(d, 0, image);
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const down = <i32>(ky * p.dilationH) - p.padTop;
      const oyEnd = endOf(down, p.strideH, p.inH, p.outH);
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const right = <i32>(kx * p.dilationW) - p.padLeft;
        const ox = firstOf(right, p.strideW);
        const oxEnd = endOf(right, p.strideW, p.inW, p.outW);
        if (ox >= oxEnd) continue;
        const w = <usize>p.w + <usize>(ky * p.kW + kx) * inLine;
        for (let oy = firstOf(down, p.strideH); oy < oyEnd; oy++) {
          const dy = <usize>p.dy + <usize>((n * p.outH + oy) * p.outW + ox) * outLine;
          const iy = <i32>(oy * p.strideH) + down;
          const ix = <i32>(ox * p.strideW) + right;
          inputRows(p, dy, oxEnd - ox, w, step, d + <usize>(iy * p.inW + ix) * inLine, <usize>p.strideW * inLine, true);
        }
      }
    }
  }
}

/** `count` positions of dy by one tap of the weights, whose output channels are `step` bytes apart. */
function inputRows(p: ConvGradF32, dy: usize, count: u32, w: usize, step: usize, d: usize, dStep: usize, add: bool): void {
  const outLine = <usize>p.outC << 2;
  for (let c: u32 = 0; c < p.inC; c += 8) {
    const width = min(p.inC - c, 8);
    const panel = w + (<usize>c << 2);
    let from = dy;
    let to = d + (<usize>c << 2);
    let i = count;
    for (; i >= 4; i -= 4) {
      inputTile(from, outLine, p.outC, panel, step, to, dStep, width, add);
      from += outLine << 2;
      to += dStep << 2;
    }
    for (; i; i--) {
      inputOne(from, p.outC, panel, step, to, width, add);
      from += outLine;
      to += dStep;
    }
  }
}

function inputTile(dy: usize, line: usize, k: u32, w: usize, step: usize, d: usize, dStep: usize, width: u32, add: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const dy1 = dy + line;
  const dy2 = dy1 + line;
  const dy3 = dy2 + line;
  for (let o: usize = 0, end = <usize>k << 2; o < end; o += 4) {
    const low = v128.load(w);
    const high = v128.load(w, 16);
    const x0 = v128.load32_splat(dy + o);
    a0 = f32x4.add(a0, f32x4.mul(x0, low));
    a1 = f32x4.add(a1, f32x4.mul(x0, high));
    const x1 = v128.load32_splat(dy1 + o);
    b0 = f32x4.add(b0, f32x4.mul(x1, low));
    b1 = f32x4.add(b1, f32x4.mul(x1, high));
    const x2 = v128.load32_splat(dy2 + o);
    c0 = f32x4.add(c0, f32x4.mul(x2, low));
    c1 = f32x4.add(c1, f32x4.mul(x2, high));
    const x3 = v128.load32_splat(dy3 + o);
    d0 = f32x4.add(d0, f32x4.mul(x3, low));
    d1 = f32x4.add(d1, f32x4.mul(x3, high));
    w += step;
  }
  put(d, a0, a1, width, add);
  put(d + dStep, b0, b1, width, add);
  put(d + 2 * dStep, c0, c1, width, add);
  put(d + 3 * dStep, d0, d1, width, add);
}

function inputOne(dy: usize, k: u32, w: usize, step: usize, d: usize, width: u32, add: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  for (const end = dy + (<usize>k << 2); dy < end; dy += 4) {
    const x = v128.load32_splat(dy);
    a0 = f32x4.add(a0, f32x4.mul(x, v128.load(w)));
    a1 = f32x4.add(a1, f32x4.mul(x, v128.load(w, 16)));
    w += step;
  }
  put(d, a0, a1, width, add);
}

/** Stores `width` (1 to 8) floats, or adds them. */
// @ts-ignore: decorator
@inline function put(d: usize, low: v128, high: v128, width: u32, add: bool): void {
  if (add) {
    low = f32x4.add(low, v128.load(d));
    high = f32x4.add(high, v128.load(d, 16));
  }
  if (width == 8) {
    v128.store(d, low);
    v128.store(d, high, 16);
  } else {
    store16(d, low, min(width, 4) << 2);
    if (width > 4) store16(d + 16, high, (width - 4) << 2);
  }
}

/** d = dyᵀ · x, tap by tap. Parts share tiles of four output channels at one tap. */
export function convGradWeightsF32(p: ConvGradF32, part: u32, parts: u32): void {
  const taps = p.kH * p.kW;
  const tiles = ((p.outC + 3) >>> 2) * taps;
  const first = share(tiles, part, parts);
  const end = share(tiles, part + 1, parts);
  const inLine = <usize>p.inC << 2;
  const outLine = <usize>p.outC << 2;
  for (let t = first; t < end; t++) {
    const o = (t / taps) << 2;
    for (let i: u32 = 0; i < min(p.outC - o, 4); i++) memory.fill(p.d + <usize>((o + i) * taps + (t % taps)) * inLine, 0, inLine);
  }
  if (isRows(p)) {
    const rows = p.batch * p.outH * p.outW;
    for (let row: u32 = 0; row < rows; row += BLOCK)
      for (let t = first; t < end; t++)
        weightRows(p, t, 0, p.dy + <usize>row * outLine, p.x + <usize>row * inLine, inLine, min(rows - row, BLOCK));
    return;
  }
  for (let line: u32 = 0; line < p.batch * p.outH; line++) {
    const n = line / p.outH;
    const oy = line - n * p.outH;
    for (let t = first; t < end; t++) {
      const tap = t % taps;
      const ky = tap / p.kW;
      const iy = <i32>(oy * p.strideH + ky * p.dilationH) - p.padTop;
      if (<u32>iy >= p.inH) continue;
      const right = <i32>((tap - ky * p.kW) * p.dilationW) - p.padLeft;
      const ox = firstOf(right, p.strideW);
      const oxEnd = endOf(right, p.strideW, p.inW, p.outW);
      if (ox >= oxEnd) continue;
      const ix = <i32>(ox * p.strideW) + right;
      const x = <usize>p.x + <usize>((n * p.inH + iy) * p.inW + ix) * inLine;
      weightRows(p, t / taps, tap, p.dy + <usize>(line * p.outW + ox) * outLine, x, <usize>p.strideW * inLine, oxEnd - ox);
    }
  }
}

/** Adds `count` positions to the weights of four output channels at one tap. */
function weightRows(p: ConvGradF32, tile: u32, tap: u32, dy: usize, x: usize, xStep: usize, count: u32): void {
  const o = tile << 2;
  const taps = p.kH * p.kW;
  const inLine = <usize>p.inC << 2;
  const outLine = <usize>p.outC << 2;
  const rows = min(p.outC - o, 4);
  const d = <usize>p.d + <usize>(o * taps + tap) * inLine;
  dy += <usize>o << 2;
  for (let c: u32 = 0; c < p.inC; c += 8) {
    const at = <usize>c << 2;
    weightTile(dy, outLine, x + at, xStep, count, d + at, taps * inLine, rows, min(p.inC - c, 8));
  }
}

function weightTile(dy: usize, line: usize, x: usize, xStep: usize, count: u32, d: usize, dStep: usize, rows: u32, width: u32): void {
  let a0 = f32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (; count; count--) {
    const low = v128.load(x);
    const high = v128.load(x, 16);
    const x0 = v128.load32_splat(dy);
    a0 = f32x4.add(a0, f32x4.mul(x0, low));
    a1 = f32x4.add(a1, f32x4.mul(x0, high));
    const x1 = v128.load32_splat(dy, 4);
    b0 = f32x4.add(b0, f32x4.mul(x1, low));
    b1 = f32x4.add(b1, f32x4.mul(x1, high));
    const x2 = v128.load32_splat(dy, 8);
    c0 = f32x4.add(c0, f32x4.mul(x2, low));
    c1 = f32x4.add(c1, f32x4.mul(x2, high));
    const x3 = v128.load32_splat(dy, 12);
    d0 = f32x4.add(d0, f32x4.mul(x3, low));
    d1 = f32x4.add(d1, f32x4.mul(x3, high));
    x += xStep;
    dy += line;
  }
  put(d, a0, a1, width, true);
  if (rows > 1) put(d + dStep, b0, b1, width, true);
  if (rows > 2) put(d + 2 * dStep, c0, c1, width, true);
  if (rows > 3) put(d + 3 * dStep, d0, d1, width, true);
}
