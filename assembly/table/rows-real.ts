/** Functions of rows of float32. Sums are taken in the order of memory, one number after the other, in every module. @full */
import { expF32, logF32 } from "../common/float";
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

/** Local response: x · (bias + alpha · sum of squares over channels from c − radius to c + radius)^(−beta). */
@unmanaged
export class Response extends RealRows {
  radius: u32;
  bias: f32;
  alpha: f32;
}

/** exp((x − max) · beta) over the row's sum of them. */
export function softmaxF32(p: RealRows, part: u32, parts: u32): void {
  const line = <usize>p.depth << 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    const sum = exponentials(x, y, line, largest(x, line), p.beta);
    let i: usize = 0;
    if (ASC_FEATURE_SIMD) {
      const all = f32x4.splat(sum);
      for (; i + 16 <= line; i += 16) v128.store(y + i, f32x4.div(v128.load(y + i), all));
    }
    for (; i < line; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
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

/** Each pixel's channels by their neighbours. */
export function localResponse(p: Response, part: u32, parts: u32): void {
  const depth = p.depth;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + (<usize>(row * depth) << 2);
    const y = <usize>p.y + (<usize>(row * depth) << 2);
    for (let c: u32 = 0; c < depth; c++) {
      const first = c - min(c, p.radius);
      const end = min(<u64>c + p.radius + 1, <u64>depth);
      let sum: f32 = 0;
      for (let i = first; i < <u32>end; i++) {
        const value = load<f32>(x + (<usize>i << 2));
        sum += value * value;
      }
      const factor = expF32<f32>(-p.beta * logF32<f32>(p.bias + p.alpha * sum));
      store<f32>(y + (<usize>c << 2), load<f32>(x + (<usize>c << 2)) * factor);
    }
  }
}

function largest(x: usize, line: usize): f32 {
  let most: f32 = -f32.MAX_VALUE;
  for (let i: usize = 0; i < line; i += 4) {
    const value = load<f32>(x + i);
    most = value > most ? value : most;
  }
  return most;
}

/** y = exp((x − most) · beta), and their sum. */
function exponentials(x: usize, y: usize, line: usize, most: f32, beta: f32): f32 {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD)
    for (; i + 16 <= line; i += 16) {
      const difference = f32x4.sub(v128.load(x + i), f32x4.splat(most));
      v128.store(y + i, expF32<v128>(f32x4.mul(difference, f32x4.splat(beta))));
    }
  for (; i < line; i += 4) store<f32>(y + i, expF32<f32>((load<f32>(x + i) - most) * beta));
  let sum: f32 = 0;
  for (i = 0; i < line; i += 4) sum += load<f32>(y + i);
  return sum;
}
