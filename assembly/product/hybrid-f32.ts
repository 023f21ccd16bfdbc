/**
 * Float32 activations quantized on the way, as TFLite's hybrid kernels do it: a row, or a whole image, has one scale and one
 * zero point. What the products take is q − zero point, as int16, so that padding is 0.
 * Source: NeonAsymmetricQuantizeFloats, which x86 takes too, and PortableSymmetricQuantizeFloats.
 */
import { atLeast, atMost, magnitude, minus, plus, splat, times, truncOf, whereLess, withSign } from "../common/lanes";
import { ConvF32, WHOLE } from "./f32-params";

/** The smallest and largest of `count` values, and 0. */
// @ts-ignore: decorator
@inline export function leastOf(x: usize, count: u32): f32 {
  let least: f32 = 0;
  if (ASC_FEATURE_SIMD) {
    let lanes = f32x4.splat(0);
    for (; count >= 4; count -= 4) {
      lanes = f32x4.pmin(lanes, v128.load(x));
      x += 16;
    }
    least = min(min(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)), min(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)));
  }
  for (; count; count--) {
    least = atMost<f32>(least, load<f32>(x));
    x += 4;
  }
  return least;
}

// @ts-ignore: decorator
@inline export function mostOf(x: usize, count: u32): f32 {
  let most: f32 = 0;
  if (ASC_FEATURE_SIMD) {
    let lanes = f32x4.splat(0);
    for (; count >= 4; count -= 4) {
      lanes = f32x4.pmax(lanes, v128.load(x));
      x += 16;
    }
    most = max(max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)), max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)));
  }
  for (; count; count--) {
    most = atLeast<f32>(most, load<f32>(x));
    x += 4;
  }
  return most;
}

/** The scale of values from `least` to `most`; 1 where all are 0. */
export function scaleOf(least: f32, most: f32, asymmetric: bool): f32 {
  if (least == most) return 1;
  return asymmetric ? <f32>((<f64>most - <f64>least) / 255) : max(-least, most) / 127;
}

/** Their zero point. */
export function zeroPointOf(least: f32, most: f32, asymmetric: bool): f32 {
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
export function inverseOf(least: f32, most: f32, asymmetric: bool): f32 {
  if (least == most) return 0;
  return asymmetric ? <f32>1 / scaleOf(least, most, true) : <f32>127 / max(-least, most);
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

/** `count` values as int16, followed by a 0 where their number is odd. */
function quantizeRun(target: usize, x: usize, count: u32, inverse: f32, zeroPoint: f32, lowest: f32): void {
  if (ASC_FEATURE_SIMD) {
    for (; count >= 8; count -= 8) {
      const a = i32x4.trunc_sat_f32x4_s(quantized<v128>(v128.load(x), inverse, zeroPoint, lowest));
      const b = i32x4.trunc_sat_f32x4_s(quantized<v128>(v128.load(x, 16), inverse, zeroPoint, lowest));
      v128.store(target, i16x8.narrow_i32x4_s(a, b));
      x += 32;
      target += 16;
    }
  }
  const odd = count & 1;
  for (; count; count--) {
    store<i16>(target, <i16>(<i32>quantized<f32>(load<f32>(x), inverse, zeroPoint, lowest)));
    x += 4;
    target += 2;
  }
  if (odd) store<i16>(target, 0);
}

/**
 * `count` values by ONNX's DynamicQuantizeLinear, of a tensor whose values and 0 are from `least` to `most`: less their zero
 * point, followed by a 0 where their number is odd. Returns the scale.
 */
export function quantizeDynamic(target: usize, x: usize, count: u32, least: f32, most: f32): f32 {
  const range = (most - least) / 255;
  const scale: f32 = range == 0 ? 1 : range;
  const zeroPoint = min(max(nearest<f32>(-least / scale), <f32>0), <f32>255);
  const lo = -zeroPoint;
  const hi = <f32>255 - zeroPoint;
  if (ASC_FEATURE_SIMD) {
    const divisor = f32x4.splat(scale);
    const low = f32x4.splat(lo);
    const high = f32x4.splat(hi);
    for (; count >= 8; count -= 8) {
      const a = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(f32x4.div(v128.load(x), divisor))));
      const b = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(f32x4.div(v128.load(x, 16), divisor))));
      v128.store(target, i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(a), i32x4.trunc_sat_f32x4_s(b)));
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
  const least = leastOf(x, count);
  const most = mostOf(x, count);
  const lowest: f32 = asymmetric ? -128 : -127;
  quantizeRun(target, x, count, inverseOf(least, most, asymmetric), zeroPointOf(least, most, asymmetric), lowest);
  return scaleOf(least, most, asymmetric);
}

/** One image at `target`: its scale, and from 16 bytes on its pixels, whole pairs of channels each. */
export function quantizeImage(p: ConvF32, batch: u32, target: usize): void {
  const pixels = p.inD * p.inH * p.inW;
  const size = <usize>pixels * p.xStride;
  const image = <usize>p.images + <usize>batch * size;
  const asymmetric = p.asymmetric != 0;
  const count = <u32>(size >>> 2);
  const least = leastOf(image, count);
  const most = mostOf(image, count);
  const inverse = inverseOf(least, most, asymmetric);
  const zeroPoint = zeroPointOf(least, most, asymmetric);
  const lowest: f32 = asymmetric ? -128 : -127;
  const scale = target;
  store<f32>(scale, scaleOf(least, most, asymmetric));
  target += 16;
  let x = <usize>p.x + <usize>batch * size;
  // one run where pixels follow each other in whole pairs
  const whole = p.xStride == p.channels << 2 && !(p.channels & 1);
  const each = whole ? count : p.channels;
  for (let i = whole ? 1 : pixels; i; i--) {
    if (p.asymmetric == WHOLE) store<f32>(scale, quantizeDynamic(target, x, each, least, most));
    else quantizeRun(target, x, each, inverse, zeroPoint, lowest);
    x += p.xStride;
    target += <usize>p.inC << 2;
  }
}

/** An image of `count` values as floats that are whole numbers, q − zero point; returns its scale. */
export function quantizeFloats(target: usize, x: usize, count: u32, asymmetric: bool): f32 {
  const least = leastOf(x, count);
  const most = mostOf(x, count);
  const inverse = inverseOf(least, most, asymmetric);
  const zeroPoint = zeroPointOf(least, most, asymmetric);
  const lowest: f32 = asymmetric ? -128 : -127;
  if (ASC_FEATURE_SIMD) {
    for (; count >= 4; count -= 4) {
      v128.store(target, quantized<v128>(v128.load(x), inverse, zeroPoint, lowest));
      x += 16;
      target += 16;
    }
  }
  for (; count; count--) {
    store<f32>(target, quantized<f32>(load<f32>(x), inverse, zeroPoint, lowest));
    x += 4;
    target += 4;
  }
  return scaleOf(least, most, asymmetric);
}
