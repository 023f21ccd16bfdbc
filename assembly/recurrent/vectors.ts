/**
 * Vectors of float32 and int8 for recurrent layers. A sum of products of float32 is four sums of every fourth product, added
 * in pairs, then what is left: the same in every module.
 */
import { load16, store16 } from "../common/edge.simd";
import { logisticF32, tanhF32 } from "../common/float";
import { atLeast, atMost, splat } from "../common/lanes";

/** y[j] += w[j]·x for `rows` rows of `n` float32. */
export function addProducts(y: usize, w: usize, x: usize, rows: u32, n: u32): void {
  const whole = n & ~3;
  const stride = <usize>n << 2;
  for (let j: u32 = 0; j < rows; j++) {
    let sum: f32;
    if (ASC_FEATURE_SIMD) {
      let s = f32x4.splat(0);
      for (let i: usize = 0, end = <usize>whole << 2; i < end; i += 16)
        s = f32x4.add(s, f32x4.mul(v128.load(w + i), v128.load(x + i)));
      sum = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
    } else {
      let s0: f32 = 0;
      let s1: f32 = 0;
      let s2: f32 = 0;
      let s3: f32 = 0;
      for (let i: usize = 0, end = <usize>whole << 2; i < end; i += 16) {
        s0 += load<f32>(w + i) * load<f32>(x + i);
        s1 += load<f32>(w + i, 4) * load<f32>(x + i, 4);
        s2 += load<f32>(w + i, 8) * load<f32>(x + i, 8);
        s3 += load<f32>(w + i, 12) * load<f32>(x + i, 12);
      }
      sum = s0 + s1 + (s2 + s3);
    }
    for (let i = whole; i < n; i++) sum += load<f32>(w + (<usize>i << 2)) * load<f32>(x + (<usize>i << 2));
    store<f32>(y, load<f32>(y) + sum);
    y += 4;
    w += stride;
  }
}

/** The sum of products of n int8, those at x less `zero`. */
export function dotS8(w: usize, x: usize, n: u32, zero: i32): i32 {
  let i: usize = 0;
  let sum: i32 = 0;
  if (ASC_FEATURE_SIMD) {
    const zeros = i16x8.splat(<i16>zero);
    let s = i32x4.splat(0);
    for (const end = <usize>n & ~7; i < end; i += 8)
      s = i32x4.add(s, i32x4.dot_i16x8_s(v128.load_ext<i8>(w + i), i16x8.sub(v128.load_ext<i8>(x + i), zeros)));
    sum = i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3);
  }
  for (; i < <usize>n; i++) sum += <i32>load<i8>(w + i) * (<i32>load<i8>(x + i) - zero);
  return sum;
}

/** Rounds to nearest, ties away from zero. */
// @ts-ignore: decorator
@inline function roundAway(x: f32): f32 {
  return trunc<f32>(x + copysign<f32>(0.49999997, x));
}

/** A whole number as i32; 0 for NaN, which comes of infinities: the scalar module has no conversion that does not trap. */
@inline function wholeOf<T>(x: T): i32 {
  if (ASC_FEATURE_SIMD) return <i32>x;
  return x == x ? <i32>x : 0;
}

/**
 * Quantizes n float32 to int8, with a zero point or around 0, and stores the scale and the zero point at `state`. Vectors of
 * zeros alone have scale 1.
 */
export function quantizeRow(x: usize, n: u32, q: usize, state: usize, asymmetric: u32): void {
  let lo: f32 = 0;
  let hi: f32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const v = load<f32>(x + (<usize>i << 2));
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  let scale: f32 = 1;
  let zero: i32 = 0;
  let factor: f32 = 0;
  if (asymmetric && lo != hi) {
    const step = (<f64>hi - <f64>lo) / 255.0;
    const fromLow = -128.0 - <f64>lo / step;
    const fromHigh = 127.0 - <f64>hi / step;
    const lowError = 128.0 + abs<f64>(<f64>lo / step);
    const highError = 127.0 + abs<f64>(<f64>hi / step);
    const point = lowError < highError ? fromLow : fromHigh;
    if (point <= -128.0) zero = -128;
    else if (point >= 127.0) zero = 127;
    else zero = wholeOf<f64>(point < 0 ? ceil<f64>(point - 0.5) : floor<f64>(point + 0.5));
    scale = <f32>step;
    factor = <f32>1.0 / scale;
  } else if (!asymmetric) {
    const range = max<f32>(-lo, hi);
    if (range > 0) {
      scale = range / 127;
      factor = <f32>127.0 / range;
    }
  }
  const least: i32 = asymmetric ? -128 : -127;
  for (let i: u32 = 0; i < n; i++) {
    const v = zero + wholeOf<f32>(roundAway(load<f32>(x + (<usize>i << 2)) * factor));
    store<i8>(q + i, min<i32>(max<i32>(v, least), 127));
  }
  store<f32>(state, scale);
  store<i32>(state, zero, 4);
}

/** y[j] += scale · w[j]·(q − zero) for `rows` rows of `n` int8, the quantization of q at `state`. */
export function addQuantizedProducts(y: usize, w: usize, q: usize, rows: u32, n: u32, state: usize, weightScale: f32): void {
  const scale = load<f32>(state) * weightScale;
  const zero = load<i32>(state, 4);
  for (let j: u32 = 0; j < rows; j++) {
    store<f32>(y, load<f32>(y) + <f32>dotS8(w, q, n, zero) * scale);
    y += 4;
    w += n;
  }
}

/** The logistic function, beside TensorFlow Lite's numbers of activations. */
export const LOGISTIC: u32 = 255;

/** y = an activation, by its number in TensorFlow Lite's schema or LOGISTIC, of `bytes` of float32 at x. */
export function activate(y: usize, x: usize, bytes: usize, activation: u32): void {
  if (ASC_FEATURE_SIMD) {
    while (bytes) {
      const n = <u32>min(bytes, 16);
      store16(y, activated<v128>(load16(x, n), activation), n);
      x += 16;
      y += 16;
      bytes -= n;
    }
  } else {
    for (; bytes; bytes -= 4) {
      store<f32>(y, activated<f32>(load<f32>(x), activation));
      x += 4;
      y += 4;
    }
  }
}

// @ts-ignore: decorator
@inline function activated<T>(x: T, activation: u32): T {
  switch (activation) {
    case 1: return atLeast<T>(x, splat<T>(0));
    case 2: return atMost<T>(atLeast<T>(x, splat<T>(-1)), splat<T>(1));
    case 3: return atMost<T>(atLeast<T>(x, splat<T>(0)), splat<T>(6));
    case 4: return tanhF32<T>(x);
    case LOGISTIC: return logisticF32<T>(x);
    default: return x;
  }
}

/** Cuts n float32 to [−limit, limit]. */
export function clip(x: usize, n: u32, limit: f32): void {
  for (const end = x + (<usize>n << 2); x < end; x += 4) {
    const v = load<f32>(x);
    store<f32>(x, v < -limit ? -limit : v > limit ? limit : v);
  }
}

/** n float32 to mean 0 and deviation 1. */
export function normalize(x: usize, n: u32): void {
  const end = x + (<usize>n << 2);
  let sum: f32 = 0;
  for (let at = x; at < end; at += 4) sum += load<f32>(at);
  const mean = sum / <f32>n;
  let squares: f32 = 0;
  for (let at = x; at < end; at += 4) {
    const d = load<f32>(at) - mean;
    squares += d * d;
  }
  const factor = <f32>1 / sqrt<f32>(squares / <f32>n + 1e-8);
  for (let at = x; at < end; at += 4) store<f32>(at, (load<f32>(at) - mean) * factor);
}
