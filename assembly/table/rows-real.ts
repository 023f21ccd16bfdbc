/**
 * Functions of rows of float32. Sums of softmax and of layers' statistics are taken in four lanes, element i in lane i mod 4, and
 * then (0 + 1) + (2 + 3); all others in the order of memory, one number after the other: the same in every module. @full
 */
import { exponentials } from "../common/exponentials.simd";
import { expDownF32, expF32, logF32 } from "../common/float";
import { share } from "../common/split";

/** Rows of `depth` float32. */
@unmanaged
export class RealRows {
  x: u32;
  y: u32;
  rows: u32;
  depth: u32;
  /** What differences are multiplied by. */
  beta: f32;
}

/** (x − mean) / √(variance + beta) · scale + bias, of rows of the same length at these addresses; 0: none. */
@unmanaged
export class LayerNorm extends RealRows {
  scaleTable: u32;
  bias: u32;
}

/** Local response: bias + alpha · sum of squares over channels from c − radius to c + radius. */
@unmanaged
export class Response extends RealRows {
  /** At most the depth. */
  radius: u32;
  bias: f32;
  alpha: f32;
}

/** Rows of fewer columns than a turn of `exponentials` are made so many a time. */
const SHORT: u32 = 16;

/** exp((x − max) · beta) over the row's sum of them. */
export function softmaxF32(p: RealRows, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const short = ASC_FEATURE_SIMD && p.depth < SHORT;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; ) {
    const x = <usize>p.x + <usize>row * line;
    let y = <usize>p.y + <usize>row * line;
    let rows: u32 = 1;
    let sum: f32 = 0;
    if (short) {
      rows = min(SHORT, last - row);
      const end = rows * line;
      for (let i: usize = 0; i < end; ) {
        const most = largest(x + i, line);
        for (const stop = i + line; i < stop; i += 4) store<f32>(y + i, load<f32>(x + i) - most);
      }
      exponentials(y, y, end, 0, p.beta, 0, -87);
    } else sum = summed(x, y, line, largest(x, line), p.beta);
    row += rows;
    for (; rows; rows--) {
      if (short) sum = total(y, line, 0, false);
      const end = y + line;
      if (ASC_FEATURE_SIMD) {
        const all = f32x4.splat(sum);
        for (; y + 16 <= end; y += 16) v128.store(y, f32x4.div(v128.load(y), all));
      }
      for (; y < end; y += 4) store<f32>(y, load<f32>(y) / sum);
    }
  }
}

/** x − max − log of the sum of exp(x − max). */
export function logSoftmaxF32(p: RealRows, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    const most = largest(x, line);
    let sum: f32 = 0;
    for (let i: usize = 0; i < line; i += 4) sum += expF32<f32>(load<f32>(x + i) - most);
    const log = logF32<f32>(sum);
    for (let i: usize = 0; i < line; i += 4) store<f32>(y + i, load<f32>(x + i) - most - log);
  }
}

/** x over the row's Euclidean length, which counts as 10^−6 at least. */
export function l2NormalizeF32(p: RealRows, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    let sum: f32 = 0;
    for (let i: usize = 0; i < line; i += 4) {
      const value = load<f32>(x + i);
      sum += value * value;
    }
    const length = max<f32>(sqrt<f32>(sum), 1e-6);
    for (let i: usize = 0; i < line; i += 4) store<f32>(y + i, load<f32>(x + i) / length);
  }
}

/** What each pixel's channels are divided by a power of: bias + alpha · sum of squares, in the order of channels. */
export function localResponse(p: Response, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const reach = <usize>p.radius << 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    for (let i: usize = 0; i < line; ) {
      const end = x + min(i + reach + 4, line);
      let at = x + i - min(i, reach);
      if (ASC_FEATURE_SIMD) {
        // four channels where all have whole windows, else one in every lane
        const four = i >= reach && end + 12 <= x + line;
        let sums = f32x4.splat(0);
        for (; at < end; at += 4) {
          const v = four ? v128.load(at) : v128.load32_splat(at);
          sums = f32x4.add(sums, f32x4.mul(v, v));
        }
        sums = f32x4.add(f32x4.splat(p.bias), f32x4.mul(f32x4.splat(p.alpha), sums));
        if (four) v128.store(y + i, sums);
        else v128.store32_lane(y + i, sums, 0);
        i += four ? 16 : 4;
      } else {
        let sum: f32 = 0;
        for (; at < end; at += 4) {
          const value = load<f32>(at);
          sum += value * value;
        }
        store<f32>(y + i, p.bias + p.alpha * sum);
        i += 4;
      }
    }
  }
}

/** Rows less their mean, over their deviation. */
export function layerNormF32(p: LayerNorm, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    const mean = total(x, line, 0, false) / <f32>p.depth;
    const factor: f32 = <f32>1 / sqrt<f32>(total(x, line, mean, true) / <f32>p.depth + p.beta);
    let i: usize = 0;
    if (ASC_FEATURE_SIMD)
      for (; i + 16 <= line; i += 16) {
        let v = f32x4.mul(f32x4.sub(v128.load(x + i), f32x4.splat(mean)), f32x4.splat(factor));
        if (p.scaleTable) v = f32x4.mul(v, v128.load(<usize>p.scaleTable + i));
        if (p.bias) v = f32x4.add(v, v128.load(<usize>p.bias + i));
        v128.store(y + i, v);
      }
    for (; i < line; i += 4) {
      let v = (load<f32>(x + i) - mean) * factor;
      if (p.scaleTable) v *= load<f32>(<usize>p.scaleTable + i);
      if (p.bias) v += load<f32>(<usize>p.bias + i);
      store<f32>(y + i, v);
    }
  }
}

// @ts-ignore: decorator
@inline function term(x: usize, mean: f32, squares: bool): f32 {
  const v = load<f32>(x) - mean;
  return squares ? v * v : v;
}

/** The sum of x − mean, or of its squares. */
function total(x: usize, line: usize, mean: f32, squares: bool): f32 {
  let s0: f32 = 0;
  let s1: f32 = 0;
  let s2: f32 = 0;
  let s3: f32 = 0;
  const end = x + line;
  const whole = x + (line & ~15);
  if (ASC_FEATURE_SIMD) {
    let sums = f32x4.splat(0);
    for (; x < whole; x += 16) {
      const v = f32x4.sub(v128.load(x), f32x4.splat(mean));
      sums = f32x4.add(sums, squares ? f32x4.mul(v, v) : v);
    }
    s0 = f32x4.extract_lane(sums, 0);
    s1 = f32x4.extract_lane(sums, 1);
    s2 = f32x4.extract_lane(sums, 2);
    s3 = f32x4.extract_lane(sums, 3);
  } else {
    for (; x < whole; x += 16) {
      s0 += term(x, mean, squares);
      s1 += term(x + 4, mean, squares);
      s2 += term(x + 8, mean, squares);
      s3 += term(x + 12, mean, squares);
    }
  }
  if (x < end) s0 += term(x, mean, squares);
  if (x + 4 < end) s1 += term(x + 4, mean, squares);
  if (x + 8 < end) s2 += term(x + 8, mean, squares);
  return s0 + s1 + (s2 + s3);
}

// @ts-ignore: decorator
@inline function sumOfLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

function largest(x: usize, line: usize): f32 {
  let most: f32 = -f32.MAX_VALUE;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let four = f32x4.splat(most);
    for (; i + 16 <= line; i += 16) four = f32x4.pmax(four, v128.load(x + i));
    most = max(max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)), max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)));
  }
  for (; i < line; i += 4) {
    const value = load<f32>(x + i);
    most = value > most ? value : most;
  }
  return most;
}

/** y = exp((x − most) · beta), and their sum, as `total` has it; beta is not negative. */
function summed(x: usize, y: usize, line: usize, most: f32, beta: f32): f32 {
  if (ASC_FEATURE_SIMD) return sumOfLanes(exponentials(x, y, line, most, beta, 0, -87));
  for (let i: usize = 0; i < line; i += 4) store<f32>(y + i, expDownF32<f32>((load<f32>(x + i) - most) * beta));
  return total(y, line, 0, false);
}
