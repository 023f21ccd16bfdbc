/**
 * Depthwise convolution of float32, and of float32 with int8 weights (hybrid): quantized activations and weights are whole numbers that a float32
 * holds, so their sums are those of integers up to 2^24. Every output is one sum in the order of the taps; lanes are channels. @full @train */
import { load16, store16 } from "../common/edge.simd";
import { share } from "../common/split";
import { quantizeFloats } from "../product/hybrid-f32";
import { DwConvF32 } from "./params";
import { finish, sweep, sweeps } from "./sweep-f32";
import { endTap, firstTap } from "./window";

/** Channels in a vector. */
const LANES: u32 = ASC_FEATURE_SIMD ? 4 : 1;
/** Neighbours that are swept at once, so that what they read stays in the nearest cache for all channels. */
const SPAN: u32 = 16;

/** Parts share the output rows. */
export function dwconvF32(p: DwConvF32, part: u32, parts: u32): void {
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  const pixels = p.inH * p.inW;
  const quantized = <usize>p.scratch + <usize>part * p.scratchStride;
  let images = <usize>p.x;
  let scale: f32 = 1;
  let batch: u32 = -1;
  for (let row = share(rows, part, parts); row < end; row++) {
    const n = row / p.outH;
    const size = <usize>(pixels * p.inC) << 2;
    let image = images + <usize>n * size;
    if (p.scaleTable) {
      if (n != batch) scale = quantizeFloats(quantized, image, pixels * p.inC, p.asymmetric != 0);
      batch = n;
      image = quantized;
    }
    line(p, image, row - n * p.outH, <usize>p.y + <usize>(row * p.outW * p.inC * p.multiplier << 2), scale);
  }
}

/** One output row. */
function line(p: DwConvF32, image: usize, oy: u32, y: usize, scale: f32): void {
  const top = <i32>(oy * p.strideH) - p.padTop;
  const k0 = firstTap(top, p.dilationH, p.kH);
  const k1 = max(endTap(top, p.dilationH, p.kH, p.inH), k0);
  const channels = p.inC * p.multiplier;
  const reach = <i32>((p.kW - 1) * p.dilationW + 1);
  const step = <i32>p.strideW;
  const pixel = <usize>channels << 2;
  const wide = ASC_FEATURE_SIMD && sweeps(p);
  for (let ox: u32 = 0; ox < p.outW; ) {
    const left = <i32>ox * step - p.padLeft;
    if (ASC_FEATURE_SIMD && wide && ox + 4 <= p.outW && left >= 0 && left + 3 * step + reach <= <i32>p.inW) {
      const x = image + <usize>(((top + <i32>(k0 * p.dilationH)) * p.inW + left) * p.inC << 2);
      const inside = (<i32>p.inW - left - reach) / step + 1;
      // as many as leave no fewer than four for the next time
      let count = min(p.outW - ox, <u32>inside);
      if (count > SPAN) count = count >= SPAN + 4 ? SPAN : count - 4;
      sweep(p, x, <usize>p.w + <usize>(k0 * p.kW) * pixel, k1 - k0, y, count, scale);
      ox += count;
      y += count * pixel;
      continue;
    }
    if (p.multiplier == 1) one(p, image, top, left, k0, k1, 0, y, scale);
    else several(p, image, top, left, k0, k1, y, scale);
    ox++;
    y += pixel;
  }
}

/** Channels `c` and after of one pixel; multiplier 1. */
function one(p: DwConvF32, image: usize, top: i32, left: i32, k0: u32, k1: u32, c: u32, y: usize, rowScale: f32): void {
  const j0 = firstTap(left, p.dilationW, p.kW);
  const j1 = endTap(left, p.dilationW, p.kW, p.inW);
  const channels = p.inC;
  const pixel = <usize>channels << 2;
  const across = <usize>p.dilationW * pixel;
  const scaled = p.scaleTable != 0;
  if (ASC_FEATURE_SIMD) {
    const first = image + <usize>((top + <i32>(k0 * p.dilationH)) * p.inW + left + <i32>(j0 * p.dilationW)) * pixel;
    const down = <usize>(p.dilationH * p.inW) * pixel;
    const weights = <usize>p.w + <usize>(k0 * p.kW + j0) * pixel;
    for (; c + 8 <= channels; c += 8) {
      const at = <usize>c << 2;
      let r0 = f32x4.splat(0);
      let r1 = r0;
      let line = first + at;
      let wLine = weights + at;
      for (let i = k0; i < k1; i++) {
        let x = line;
        let w = wLine;
        for (let j = j0; j < j1; j++) {
          r0 = f32x4.add(r0, f32x4.mul(v128.load(x), v128.load(w)));
          r1 = f32x4.add(r1, f32x4.mul(v128.load(x, 16), v128.load(w, 16)));
          x += across;
          w += pixel;
        }
        line += down;
        wLine += <usize>p.kW * pixel;
      }
      const zero = f32x4.splat(0);
      const bias0 = p.bias ? v128.load(<usize>p.bias + at) : zero;
      const scale0 = scaled ? v128.load(<usize>p.scaleTable + at) : zero;
      v128.store(y + at, finish<v128>(p, r0, scaled, scale0, rowScale, bias0));
      v128.store(y + at, finish<v128>(p, r1, scaled, scaled ? v128.load(<usize>p.scaleTable + at, 16) : zero, rowScale, p.bias ? v128.load(<usize>p.bias + at, 16) : zero), 16);
    }
  }
  while (c < channels) {
    const at = <usize>c << 2;
    const bytes = min(channels - c, LANES) << 2;
    if (ASC_FEATURE_SIMD) {
      let sum = f32x4.splat(0);
      for (let i = k0; i < k1; i++) {
        let x = image + <usize>((top + <i32>(i * p.dilationH)) * p.inW + left + <i32>(j0 * p.dilationW)) * pixel + at;
        let w = <usize>p.w + <usize>(i * p.kW + j0) * pixel + at;
        for (let j = j0; j < j1; j++) {
          sum = f32x4.add(sum, f32x4.mul(load16(x, bytes), load16(w, bytes)));
          x += across;
          w += pixel;
        }
      }
      const bias = p.bias ? load16(<usize>p.bias + at, bytes) : f32x4.splat(0);
      const scale = scaled ? load16(<usize>p.scaleTable + at, bytes) : f32x4.splat(0);
      store16(y + at, finish<v128>(p, sum, scaled, scale, rowScale, bias), bytes);
    } else {
      store<f32>(y + at, channel(p, image, top, left, k0, k1, j0, j1, c, c, rowScale));
    }
    c += LANES;
  }
}

/** All channels of one pixel; any multiplier. */
function several(p: DwConvF32, image: usize, top: i32, left: i32, k0: u32, k1: u32, y: usize, rowScale: f32): void {
  const j0 = firstTap(left, p.dilationW, p.kW);
  const j1 = endTap(left, p.dilationW, p.kW, p.inW);
  let o: u32 = 0;
  let first: u32 = 0;
  if (ASC_FEATURE_SIMD && p.multiplier == 2) {
    for (; first + 2 <= p.inC; first += 2) {
      outputs(p, image, top, left, k0, k1, j0, j1, first, o, y, rowScale);
      o += 4;
    }
  }
  for (let c = first; c < p.inC; c++) {
    let i = p.multiplier;
    if (ASC_FEATURE_SIMD) {
      for (; i >= 4; i -= 4) {
        outputs(p, image, top, left, k0, k1, j0, j1, c, o, y, rowScale);
        o += 4;
      }
    }
    for (; i; i--) {
      store<f32>(y + (<usize>o << 2), channel(p, image, top, left, k0, k1, j0, j1, c, o, rowScale));
      o++;
    }
  }
}

/** Output channels o to o + 3 of input channel c; where the multiplier is 2, o to o + 3 of channels c and c + 1. */
function outputs(p: DwConvF32, image: usize, top: i32, left: i32, k0: u32, k1: u32, j0: u32, j1: u32, c: u32, o: u32, y: usize, rowScale: f32): void {
  if (ASC_FEATURE_SIMD) {
    const pixel = <usize>p.inC << 2;
    const outputs = <usize>(p.inC * p.multiplier) << 2;
    const across = <usize>p.dilationW * pixel;
    const at = <usize>o << 2;
    const zero = f32x4.splat(0);
    let r0 = zero;
    for (let i = k0; i < k1; i++) {
      let x = image + <usize>((top + <i32>(i * p.dilationH)) * p.inW + left + <i32>(j0 * p.dilationW)) * pixel + (<usize>c << 2);
      let w = <usize>p.w + <usize>(i * p.kW + j0) * outputs + at;
      if (p.multiplier == 2)
        for (let j = j0; j < j1; j++) {
          const v = v128.load64_zero(x);
          r0 = f32x4.add(r0, f32x4.mul(i32x4.shuffle(v, v, 0, 0, 1, 1), v128.load(w)));
          x += across;
          w += outputs;
        }
      else
        for (let j = j0; j < j1; j++) {
          r0 = f32x4.add(r0, f32x4.mul(v128.load32_splat(x), v128.load(w)));
          x += across;
          w += outputs;
        }
    }
    const scaled = p.scaleTable != 0;
    const bias = p.bias ? v128.load(<usize>p.bias + at) : zero;
    const scale = scaled ? v128.load(<usize>p.scaleTable + at) : zero;
    v128.store(y + at, finish<v128>(p, r0, scaled, scale, rowScale, bias));
  }
}

/** Output channel o, of input channel c. */
function channel(p: DwConvF32, image: usize, top: i32, left: i32, k0: u32, k1: u32, j0: u32, j1: u32, c: u32, o: u32, rowScale: f32): f32 {
  const pixel = <usize>p.inC << 2;
  const outputs = <usize>(p.inC * p.multiplier) << 2;
  const across = <usize>p.dilationW * pixel;
  const at = <usize>o << 2;
  let sum: f32 = 0;
  for (let i = k0; i < k1; i++) {
    let x = image + <usize>((top + <i32>(i * p.dilationH)) * p.inW + left + <i32>(j0 * p.dilationW)) * pixel + (<usize>c << 2);
    let w = <usize>p.w + <usize>(i * p.kW + j0) * outputs + at;
    for (let j = j0; j < j1; j++) {
      sum += load<f32>(x) * load<f32>(w);
      x += across;
      w += outputs;
    }
  }
  const bias: f32 = p.bias ? load<f32>(<usize>p.bias + at) : 0;
  const scaled = p.scaleTable != 0;
  return finish<f32>(p, sum, scaled, scaled ? load<f32>(<usize>p.scaleTable + at) : 0, rowScale, bias);
}
