/**
 * Float32 activations quantized on the way, as TFLite's hybrid kernels do it: a row, or a whole image, has one scale and one
 * zero point. What the products take is q − zero point, as int16, so that padding is 0.
 * Source: NeonAsymmetricQuantizeFloats, which x86 takes too, and PortableSymmetricQuantizeFloats.
 */
import { atLeast, atMost, magnitude, minus, plus, splat, times, truncOf, whereLess, withSign } from "../common/lanes";
import { ConvF32, WHOLE } from "./f32-params";

/** The smallest and largest of the values that were measured last, and 0. */
let least: f32 = 0;
let most: f32 = 0;

/** Measures `count` values. */
export function measure(x: usize, count: u32): void {
  least = 0;
  most = 0;
  if (ASC_FEATURE_SIMD) {
    // two of each, that do not wait for each other
    let low = f32x4.splat(0);
    let high = low;
    let low1 = low;
    let high1 = low;
    for (; count >= 8; count -= 8) {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      low = f32x4.pmin(low, a);
      high = f32x4.pmax(high, a);
      low1 = f32x4.pmin(low1, b);
      high1 = f32x4.pmax(high1, b);
      x += 32;
    }
    low = f32x4.pmin(low, low1);
    high = f32x4.pmax(high, high1);
    for (let i = 0; i < 4; i++) {
      least = min(least, f32x4.extract_lane(low, 0));
      most = max(most, f32x4.extract_lane(high, 0));
      low = i32x4.shuffle(low, low, 1, 2, 3, 0);
      high = i32x4.shuffle(high, high, 1, 2, 3, 0);
    }
  }
  for (; count; count--) {
    const value = load<f32>(x);
    least = atMost<f32>(least, value);
    most = atLeast<f32>(most, value);
    x += 4;
  }
}

/** The scale of what was measured; 1 where all are 0. */
function scaleOf(asymmetric: bool): f32 {
  if (least == most) return 1;
  return asymmetric ? (most - least) / 255 : max(-least, most) / 127;
}

/** Its zero point. */
function zeroPointOf(asymmetric: bool): f32 {
  if (!asymmetric || least == most) return 0;
  const scale = (<f64>most - <f64>least) / 255;
  const low = <f64>least / scale;
  const high = <f64>most / scale;
  const fromLeast = -128 - low;
  const point = 128 + abs(low) < 127 + abs(high) ? fromLeast : 127 - high;
  if (!(point > -128)) return -128;
  if (point >= 127) return 127;
  const down = floor(point);
  const rest = point - down;
  return <f32>(rest > 0.5 || (rest == 0.5 && point > 0) ? down + 1 : down);
}

/** What values are multiplied with. */
function inverseOf(asymmetric: bool): f32 {
  if (least == most) return 0;
  return asymmetric ? <f32>1 / scaleOf(true) : <f32>127 / max(-least, most);
}

/** The quantized value less its zero point: rounded half away from zero before the zero point is added, NaN the least. */
// @ts-ignore: decorator
@inline export function quantized<T>(x: T, inverse: f32, zeroPoint: f32, lowest: f32): T {
  const real = times<T>(x, splat<T>(inverse));
  const whole = truncOf<T>(real);
  const up = plus<T>(whole, withSign<T>(splat<T>(1), real));
  const rounded = plus<T>(splat<T>(zeroPoint), whereLess<T>(magnitude<T>(minus<T>(real, whole)), splat<T>(0.5), whole, up));
  return minus<T>(atMost<T>(atLeast<T>(splat<T>(lowest), rounded), splat<T>(127)), splat<T>(zeroPoint));
}

/** What `quantizeRun` takes. */
let inverse: f32 = 0;
let zeroPoint: f32 = 0;
let lowest: f32 = 0;

/** Measures `count` values that are quantized together; returns their scale. */
function scaleOfAll(x: usize, count: u32, asymmetric: bool): f32 {
  measure(x, count);
  inverse = inverseOf(asymmetric);
  zeroPoint = zeroPointOf(asymmetric);
  lowest = asymmetric ? -128 : -127;
  return scaleOf(asymmetric);
}

/** `count` values of what was measured as int16, followed by a 0 where their number is odd, or as floats. */
function quantizeRun(target: usize, x: usize, count: u32, floats: bool): void {
  const by = inverse;
  const point = zeroPoint;
  const least = lowest;
  if (ASC_FEATURE_SIMD) {
    for (; count >= 8; count -= 8) {
      const a = quantized<v128>(v128.load(x), by, point, least);
      const b = quantized<v128>(v128.load(x, 16), by, point, least);
      x += 32;
      if (floats) {
        v128.store(target, a);
        v128.store(target, b, 16);
        target += 16;
      } else v128.store(target, i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(a), i32x4.trunc_sat_f32x4_s(b)));
      target += 16;
    }
  }
  const odd = count & 1;
  for (; count; count--) {
    const value = quantized<f32>(load<f32>(x), by, point, least);
    x += 4;
    if (floats) {
      store<f32>(target, value);
      target += 2;
    } else store<i16>(target, <i16>(<i32>value));
    target += 2;
  }
  if (odd && !floats) store<i16>(target, 0);
}

/** The scale of what was measured by ONNX's DynamicQuantizeLinear. */
export function dynamicScale(): f32 {
  const range = (most - least) / 255;
  return range == 0 ? 1 : range;
}

/** Its zero point, from 0 to 255; 255 where the range is infinite, as onnxruntime has it. */
export function dynamicZeroPoint(scale: f32): f32 {
  const point = max(nearest<f32>(-least / scale), <f32>0);
  return point < 255 ? point : 255;
}

/** The bits of 1.5·2²³. */
export const MAGIC: i32 = 0x4b400000;

/** MAGIC and the nearest whole numbers to x / divisor from `lo` to `hi`, ties to even. */
// @ts-ignore: decorator
@inline export function dynamicBits(x: v128, divisor: v128, lo: f32, hi: f32): v128 {
  const v = f32x4.pmin(f32x4.splat(hi), f32x4.pmax(f32x4.splat(lo), f32x4.div(x, divisor)));
  return f32x4.add(v, f32x4.splat(reinterpret<f32>(MAGIC)));
}

/**
 * `count` values by ONNX's DynamicQuantizeLinear, of a tensor that was measured: less their zero point, followed by a 0 where
 * their number is odd. Returns the scale.
 */
export function quantizeDynamic(target: usize, x: usize, count: u32): f32 {
  const scale = dynamicScale();
  const zeroPoint = dynamicZeroPoint(scale);
  const lo = -zeroPoint;
  const hi = <f32>255 - zeroPoint;
  if (ASC_FEATURE_SIMD) {
    const divisor = f32x4.splat(scale);
    const magic = i32x4.splat(MAGIC);
    for (; count >= 8; count -= 8) {
      const a = i32x4.sub(dynamicBits(v128.load(x), divisor, lo, hi), magic);
      const b = i32x4.sub(dynamicBits(v128.load(x, 16), divisor, lo, hi), magic);
      v128.store(target, i16x8.narrow_i32x4_s(a, b));
      x += 32;
      target += 16;
    }
  }
  const odd = count & 1;
  for (; count; count--) {
    let v = nearest<f32>(load<f32>(x) / scale);
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    store<i16>(target, <i16>(<i32>v));
    x += 4;
    target += 2;
  }
  if (odd) store<i16>(target, 0);
  return scale;
}

/** One row; returns its scale. */
export function quantizeRow(target: usize, x: usize, count: u32, asymmetric: bool): f32 {
  const scale = scaleOfAll(x, count, asymmetric);
  quantizeRun(target, x, count, false);
  return scale;
}

/** One image at `target`: its scale, and from 16 bytes on its pixels, whole pairs of channels each. */
export function quantizeImage(p: ConvF32, batch: u32, target: usize): void {
  const pixels = p.inD * p.inH * p.inW;
  const size = <usize>pixels * p.xStride;
  const image = <usize>p.images + <usize>batch * size;
  const count = <u32>(size >>> 2);
  const scale = target;
  store<f32>(scale, scaleOfAll(image, count, <bool>(p.asymmetric & 1)));
  target += 16;
  let x = <usize>p.x + <usize>batch * size;
  // one run where pixels follow each other, from which those of odd channels then move down to their places
  const dense = p.xStride == p.channels << 2;
  const apart = dense && p.channels & 1;
  const run = apart ? target + (<usize>pixels << 1) : target;
  const each = dense ? count : p.channels;
  for (let i = dense ? 1 : pixels, to = run; i; i--) {
    if (p.asymmetric == WHOLE) store<f32>(scale, quantizeDynamic(to, x, each));
    else quantizeRun(to, x, each, false);
    x += p.xStride;
    to += <usize>p.inC << 2;
  }
  if (apart) spread(target, run, pixels, p.channels);
}

/** `pixels` of `channels` int16 each from where they are dense, at a higher address, to `target`, a 0 behind each. */
function spread(target: usize, from: usize, pixels: u32, channels: u32): void {
  for (; pixels; pixels--) {
    for (let c = channels; c; c--) {
      store<i16>(target, load<i16>(from));
      from += 2;
      target += 2;
    }
    store<i16>(target, 0);
    target += 2;
  }
}

/** An image of `count` values as floats that are whole numbers, q − zero point; returns its scale. */
export function quantizeFloats(target: usize, x: usize, count: u32, asymmetric: bool): f32 {
  const scale = scaleOfAll(x, count, asymmetric);
  quantizeRun(target, x, count, true);
  return scale;
}
