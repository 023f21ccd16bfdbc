/** Gradients of depthwise convolutions: weights `[kH][kW][inC·multiplier]`. Sums have an order that does not depend on the number of parts. @train */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";
import { ConvGradF32, endOf, firstOf } from "./conv.simd";

/** Output channels are inC · multiplier. */
// @ts-ignore: decorator
@inline function multiplierOf(p: ConvGradF32): u32 {
  return p.outC / p.inC;
}

/** Every output row is spread over the input rows of its windows, tap by tap, weights in registers. Parts share the input rows. */
export function dwconvGradInputF32(p: ConvGradF32, part: u32, parts: u32): void {
  const end = share(p.batch * p.inH, part + 1, parts);
  const line = <usize>p.inC << 2;
  for (let row = share(p.batch * p.inH, part, parts); row < end; row++) {
    const n = row / p.inH;
    const iy = row - n * p.inH;
    const d = <usize>p.d + <usize>(row * p.inW) * line;
    if (!p.accumulate) memory.fill(d, 0, p.inW * line);
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const down = <i32>iy + p.padTop - <i32>(ky * p.dilationH);
      if (down < 0 || <u32>down % p.strideH) continue;
      const oy = <u32>down / p.strideH;
      if (oy >= p.outH) continue;
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const right = <i32>(kx * p.dilationW) - p.padLeft;
        const ox = firstOf(right, p.strideW);
        const oxEnd = endOf(right, p.strideW, p.inW, p.outW);
        if (ox >= oxEnd) continue;
        const dy = <usize>p.dy + (<usize>(((n * p.outH + oy) * p.outW + ox) * p.outC) << 2);
        const to = d + <usize>(<i32>(ox * p.strideW) + right) * line;
        spread(p, dy, to, p.w + (<usize>((ky * p.kW + kx) * p.outC) << 2), oxEnd - ox);
      }
    }
  }
}

/** Adds `count` pixels of dy times one tap's weights. */
function spread(p: ConvGradF32, dy: usize, d: usize, w: usize, count: u32): void {
  const step = <usize>(p.strideW * p.inC) << 2;
  const multiplier = multiplierOf(p);
  const line = <usize>p.outC << 2;
  if (multiplier == 1) return addScaled(dy, line, d, step, w, count, p.inC);
  for (let c: u32 = 0; c < p.inC; c += 4) {
    const bytes = min(p.inC - c, 4) << 2;
    let from = dy;
    let to = d + (<usize>c << 2);
    for (let i = count; i; i--) {
      store16(to, f32x4.add(load16(to, bytes), several(from, w, c, multiplier)), bytes);
      from += line;
      to += step;
    }
  }
}

/** Adds to `count` pixels of d those of x times one tap's weights, which stay in registers; steps in bytes between pixels. */
function addScaled(x: usize, xStep: usize, d: usize, dStep: usize, w: usize, count: u32, channels: u32): void {
  let c: u32 = 0;
  for (; c + 16 <= channels; c += 16) {
    const at = <usize>c << 2;
    const w0 = v128.load(w + at);
    const w1 = v128.load(w + at, 16);
    const w2 = v128.load(w + at, 32);
    const w3 = v128.load(w + at, 48);
    let from = x + at;
    let to = d + at;
    for (let i = count; i; i--) {
      v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load(from), w0)));
      v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(v128.load(from, 16), w1)), 16);
      v128.store(to, f32x4.add(v128.load(to, 32), f32x4.mul(v128.load(from, 32), w2)), 32);
      v128.store(to, f32x4.add(v128.load(to, 48), f32x4.mul(v128.load(from, 48), w3)), 48);
      from += xStep;
      to += dStep;
    }
  }
  for (; c < channels; c += 4) {
    const at = <usize>c << 2;
    const bytes = min(channels - c, 4) << 2;
    const weights = v128.load(w + at);
    let from = x + at;
    let to = d + at;
    for (let i = count; i; i--) {
      store16(to, f32x4.add(load16(to, bytes), f32x4.mul(v128.load(from), weights)), bytes);
      from += xStep;
      to += dStep;
    }
  }
}

/** y (at d) without bias and clamp, of multiplier 1: small pictures are mostly edges, which tap by tap cost no more. Parts share the output rows. */
export function dwconvTapsF32(p: ConvGradF32, part: u32, parts: u32): void {
  const end = share(p.batch * p.outH, part + 1, parts);
  const line = <usize>p.inC << 2;
  for (let row = share(p.batch * p.outH, part, parts); row < end; row++) {
    const n = row / p.outH;
    const oy = row - n * p.outH;
    const y = <usize>p.d + <usize>(row * p.outW) * line;
    memory.fill(y, 0, p.outW * line);
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const iy = <i32>(oy * p.strideH + ky * p.dilationH) - p.padTop;
      if (<u32>iy >= p.inH) continue;
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const right = <i32>(kx * p.dilationW) - p.padLeft;
        const ox = firstOf(right, p.strideW);
        const oxEnd = endOf(right, p.strideW, p.inW, p.outW);
        if (ox >= oxEnd) continue;
        const ix = <i32>(ox * p.strideW) + right;
        const x = <usize>p.x + <usize>((n * p.inH + iy) * p.inW + ix) * line;
        addScaled(x, p.strideW * line, y + <usize>ox * line, line, p.w + <usize>(ky * p.kW + kx) * line, oxEnd - ox, p.inC);
      }
    }
  }
}

/** Four input channels from `c` on, each the sum over its output channels. */
function several(dy: usize, w: usize, c: u32, multiplier: u32): v128 {
  let sum = f32x4.splat(0);
  for (let m: u32 = 0; m < multiplier; m++) {
    const a = <usize>(c * multiplier + m) << 2;
    const step = <usize>multiplier << 2;
    sum = f32x4.add(sum, f32x4.mul(gather(dy + a, step), gather(w + a, step)));
  }
  return sum;
}

// @ts-ignore: decorator
@inline function gather(x: usize, step: usize): v128 {
  let v = v128.load32_zero(x);
  v = f32x4.replace_lane(v, 1, load<f32>(x + step));
  v = f32x4.replace_lane(v, 2, load<f32>(x + 2 * step));
  return f32x4.replace_lane(v, 3, load<f32>(x + 3 * step));
}

/** d = the sum over positions of dy · x, tap by tap. Parts share groups of 16 channels at one tap; one image at a time, for the caches. */
export function dwconvGradWeightsF32(p: ConvGradF32, part: u32, parts: u32): void {
  const taps = p.kH * p.kW;
  const units = ((p.outC + 15) >>> 4) * taps;
  const first = share(units, part, parts);
  const end = share(units, part + 1, parts);
  const outLine = <usize>p.outC << 2;
  for (let n: u32 = 0; n < p.batch; n++) {
    for (let unit = first; unit < end; unit++) {
      const tap = unit % taps;
      const c = (unit / taps) << 4;
      const d = <usize>p.d + <usize>tap * outLine + (<usize>c << 2);
      const vectors = (min(p.outC - c, 16) + 3) >>> 2;
      if (multiplierOf(p) != 1) {
        for (let i: u32 = 0; i < min(p.outC - c, 16); i++) {
          const sum = tapSum(p, n, tap, c + i);
          store<f32>(d + (<usize>i << 2), n == 0 ? sum : load<f32>(d + (<usize>i << 2)) + sum);
        }
      } else if (vectors == 4) groupFour(p, n, tap, c, d);
      else if (vectors == 3) groupThree(p, n, tap, c, d);
      else if (vectors == 2) groupTwo(p, n, tap, c, d);
      else groupOne(p, n, tap, c, d);
    }
  }
}

/** 1, 2, 3 or 4 vectors of channels of image n. */
// @ts-ignore: decorator
@inline function groupLoop(p: ConvGradF32, n: u32, tap: u32, c: u32, d: usize, vectors: u32): void {
  const line = <usize>p.inC << 2;
  const ky = tap / p.kW;
  const down = <i32>(ky * p.dilationH) - p.padTop;
  const right = <i32>((tap - ky * p.kW) * p.dilationW) - p.padLeft;
  const step = <usize>p.strideW * line;
  let s0 = f32x4.splat(0);
  let s1 = s0, s2 = s0, s3 = s0;
  for (let oy: u32 = 0; oy < p.outH; oy++) {
    const iy = <i32>(oy * p.strideH) + down;
    if (<u32>iy >= p.inH) continue;
    let ox: u32 = right >= 0 ? 0 : (<u32>-right + p.strideW - 1) / p.strideW;
    let x = <usize>p.x + <usize>((n * p.inH + iy) * p.inW) * line + <usize>(<i32>(ox * p.strideW) + right) * line + (<usize>c << 2);
    let dy = <usize>p.dy + <usize>((n * p.outH + oy) * p.outW + ox) * line + (<usize>c << 2);
    for (let ix = <i32>(ox * p.strideW) + right; ox < p.outW && ix < <i32>p.inW; ix += p.strideW) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(dy), v128.load(x)));
      if (vectors > 1) s1 = f32x4.add(s1, f32x4.mul(v128.load(dy, 16), v128.load(x, 16)));
      if (vectors > 2) s2 = f32x4.add(s2, f32x4.mul(v128.load(dy, 32), v128.load(x, 32)));
      if (vectors > 3) s3 = f32x4.add(s3, f32x4.mul(v128.load(dy, 48), v128.load(x, 48)));
      x += step;
      dy += line;
      ox++;
    }
  }
  const channels = p.outC - c;
  add(d, s0, channels, n);
  if (vectors > 1) add(d + 16, s1, channels - 4, n);
  if (vectors > 2) add(d + 32, s2, channels - 8, n);
  if (vectors > 3) add(d + 48, s3, channels - 12, n);
}

function groupOne(p: ConvGradF32, n: u32, tap: u32, c: u32, d: usize): void {
  groupLoop(p, n, tap, c, d, 1);
}

function groupTwo(p: ConvGradF32, n: u32, tap: u32, c: u32, d: usize): void {
  groupLoop(p, n, tap, c, d, 2);
}

function groupThree(p: ConvGradF32, n: u32, tap: u32, c: u32, d: usize): void {
  groupLoop(p, n, tap, c, d, 3);
}

function groupFour(p: ConvGradF32, n: u32, tap: u32, c: u32, d: usize): void {
  groupLoop(p, n, tap, c, d, 4);
}

// @ts-ignore: decorator
@inline function add(d: usize, sum: v128, channels: u32, n: u32): void {
  const bytes = min(channels, 4) << 2;
  store16(d, n == 0 ? sum : f32x4.add(sum, load16(d, bytes)), bytes);
}

/** One output channel at one tap of image n, any multiplier. */
function tapSum(p: ConvGradF32, n: u32, tap: u32, o: u32): f32 {
  const ky = tap / p.kW;
  const kx = tap - ky * p.kW;
  let sum: f32 = 0;
  for (let oy: u32 = 0; oy < p.outH; oy++) {
    const iy = <i32>(oy * p.strideH + ky * p.dilationH) - p.padTop;
    if (<u32>iy >= p.inH) continue;
    for (let ox: u32 = 0; ox < p.outW; ox++) {
      const ix = <i32>(ox * p.strideW + kx * p.dilationW) - p.padLeft;
      if (<u32>ix >= p.inW) continue;
      const x = <usize>p.x + (<usize>(((n * p.inH + iy) * p.inW + ix) * p.inC + o / multiplierOf(p)) << 2);
      sum += load<f32>(x) * load<f32>(p.dy + (<usize>(((n * p.outH + oy) * p.outW + ox) * p.outC + o) << 2));
    }
  }
  return sum;
}
