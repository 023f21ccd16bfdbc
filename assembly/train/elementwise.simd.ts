/** Sums, products, activations and fake quantization of equal shapes, and their gradients. @train */
import { load16, store16 } from "../common/edge.simd";
import { erfF32, expF32, tanhF32 } from "../common/float";
import { share } from "../common/split";

@unmanaged
export class PairGradF32 {
  /** Operands, the result; count floats each. */
  a: u32;
  b: u32;
  y: u32;
  count: u32;
  /** What is computed: the constants below. */
  form: u32;
  /** 1: added to what y holds. */
  accumulate: u32;
  lo: f32;
  hi: f32;
}

/** clamp(a + b). */
const SUM: u32 = 0;
/** a. */
const COPY: u32 = 1;
/** a · b. */
const PRODUCT: u32 = 2;
/** a where lo < b < hi, else 0: the gradient of a clamp with the result or the operand b. */
const CLAMP: u32 = 3;
/** a times the derivative at operand b of x·clamp(x + 3, 0, 6)/6. */
const HARD_SWISH: u32 = 4;
/** a · b · (1 − b): of the logistic function, by its result. */
const LOGISTIC: u32 = 5;
/** a · (1 − b²): of tanh, by its result. */
const TANH: u32 = 6;
/** a where b > 0, else a · lo: of a leaky rectifier, by its operand. */
const LEAKY: u32 = 7;
/** a where b > 0, else a · (1 + b): of the exponential linear unit, by its result. */
const ELU: u32 = 8;
/** a · (Φ(b) + b · φ(b)), Φ and φ of the normal distribution: of GELU, by its operand. */
const GELU: u32 = 9;
/** The same of GELU's approximation by tanh. */
const GELU_TANH: u32 = 10;
/** −a · b³ / 2: of one over the square root, by its result. */
const RSQRT: u32 = 11;
/** a · lo. */
const SCALE: u32 = 12;
/** a / b. */
const QUOTIENT: u32 = 13;

export function pairGradF32(p: PairGradF32, part: u32, parts: u32): void {
  switch (p.form) {
    case SUM: return loop(p, part, parts, SUM);
    case COPY: return loop(p, part, parts, COPY);
    case PRODUCT: return loop(p, part, parts, PRODUCT);
    case CLAMP: return loop(p, part, parts, CLAMP);
    case HARD_SWISH: return loop(p, part, parts, HARD_SWISH);
    case LOGISTIC: return loop(p, part, parts, LOGISTIC);
    case TANH: return loop(p, part, parts, TANH);
    case LEAKY: return loop(p, part, parts, LEAKY);
    case ELU: return loop(p, part, parts, ELU);
    case GELU: return loop(p, part, parts, GELU);
    case GELU_TANH: return loop(p, part, parts, GELU_TANH);
    case RSQRT: return loop(p, part, parts, RSQRT);
    case QUOTIENT: return loop(p, part, parts, QUOTIENT);
    default: return loop(p, part, parts, SCALE);
  }
}

// @ts-ignore: decorator
@inline function loop(p: PairGradF32, part: u32, parts: u32, form: u32): void {
  const start = <usize>share(p.count, part, parts) << 2;
  const end = <usize>share(p.count, part + 1, parts) << 2;
  for (let i = start; i < end; i += 16) {
    const bytes = <u32>min(end - i, 16);
    const a = load16(p.a + i, bytes);
    const b = form == COPY ? a : load16(p.b + i, bytes);
    let y = value(p, a, b, form);
    if (p.accumulate) y = f32x4.add(y, load16(p.y + i, bytes));
    store16(p.y + i, y, bytes);
  }
}

// @ts-ignore: decorator
@inline function value(p: PairGradF32, a: v128, b: v128, form: u32): v128 {
  if (form == SUM) return f32x4.pmin(f32x4.pmax(f32x4.add(a, b), f32x4.splat(p.lo)), f32x4.splat(p.hi));
  if (form == COPY) return a;
  if (form == PRODUCT) return f32x4.mul(a, b);
  if (form == CLAMP) return v128.and(a, v128.and(f32x4.gt(b, f32x4.splat(p.lo)), f32x4.lt(b, f32x4.splat(p.hi))));
  if (form == HARD_SWISH) {
    const middle = f32x4.add(f32x4.mul(b, f32x4.splat(1.0 / 3)), f32x4.splat(0.5));
    const slope = v128.bitselect(f32x4.splat(1), middle, f32x4.ge(b, f32x4.splat(3)));
    return v128.and(f32x4.mul(a, slope), f32x4.gt(b, f32x4.splat(-3)));
  }
  if (form == QUOTIENT) return f32x4.div(a, b);
  if (form == LOGISTIC) return f32x4.mul(a, f32x4.mul(b, f32x4.sub(f32x4.splat(1), b)));
  if (form == TANH) return f32x4.mul(a, f32x4.sub(f32x4.splat(1), f32x4.mul(b, b)));
  if (form == LEAKY) return v128.bitselect(a, f32x4.mul(a, f32x4.splat(p.lo)), f32x4.gt(b, f32x4.splat(0)));
  if (form == ELU) return v128.bitselect(a, f32x4.mul(a, f32x4.add(b, f32x4.splat(1))), f32x4.gt(b, f32x4.splat(0)));
  if (form == GELU) return f32x4.mul(a, geluSlope(b));
  if (form == GELU_TANH) return f32x4.mul(a, geluTanhSlope(b));
  if (form == RSQRT) return f32x4.mul(f32x4.mul(a, f32x4.splat(-0.5)), f32x4.mul(b, f32x4.mul(b, b)));
  return f32x4.mul(a, f32x4.splat(p.lo));
}

function geluSlope(x: v128): v128 {
  const half = f32x4.splat(0.5);
  const whole = f32x4.add(half, f32x4.mul(half, erfF32<v128>(f32x4.mul(x, f32x4.splat(0.70710678118)))));
  const density = expF32<v128>(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(x, x)));
  return f32x4.add(whole, f32x4.mul(f32x4.mul(x, f32x4.splat(0.39894228040)), density));
}

function geluTanhSlope(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const inner = f32x4.mul(f32x4.splat(0.79788456080), f32x4.add(x, f32x4.mul(f32x4.splat(0.044715), f32x4.mul(square, x))));
  const t = tanhF32<v128>(inner);
  const slope = f32x4.mul(f32x4.splat(0.79788456080), f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(0.134145), square)));
  const rise = f32x4.mul(f32x4.mul(x, slope), f32x4.sub(f32x4.splat(1), f32x4.mul(t, t)));
  return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.add(f32x4.splat(1), t), rise));
}

/** Rows of a wider or narrower tensor, as concatenation and its gradient move them; or each row a sum of weighed rows. */
@unmanaged
export class RowsF32 {
  x: u32;
  y: u32;
  rows: u32;
  /** Bytes of a row, and between rows. */
  bytes: u32;
  xStride: u32;
  yStride: u32;
  /** 1: added to what y holds. */
  accumulate: u32;
  /** Sums, where it is not 0: `rows + 1` places in the list of what each row of y is the sum of; strides are then those of images. */
  starts: u32;
  /** The list: bytes from an image of x to a row, and its weight. */
  columns: u32;
  weights: u32;
  images: u32;
}

export function copyRowsF32(p: RowsF32, part: u32, parts: u32): void {
  if (p.starts) return mixRows(p, part, parts);
  const end = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < end; row++) {
    const x = <usize>p.x + <usize>row * p.xStride;
    const y = <usize>p.y + <usize>row * p.yStride;
    if (!p.accumulate) memory.copy(y, x, p.bytes);
    else
      for (let i: usize = 0; i < p.bytes; i += 16) {
        const bytes = <u32>min(p.bytes - i, 16);
        store16(y + i, f32x4.add(load16(x + i, bytes), load16(y + i, bytes)), bytes);
      }
  }
}

/** Parts share the rows of all images; each number is one sum in the order of its list. */
function mixRows(p: RowsF32, part: u32, parts: u32): void {
  const all = p.rows * p.images;
  const end = share(all, part + 1, parts);
  for (let at = share(all, part, parts); at < end; at++) {
    const image = at / p.rows;
    const row = at - image * p.rows;
    const x = <usize>p.x + <usize>image * p.xStride;
    const y = <usize>p.y + <usize>image * p.yStride + <usize>row * p.bytes;
    const list = <usize>p.starts + (<usize>row << 2);
    const first = <usize>load<u32>(list) << 2;
    const last = <usize>load<u32>(list, 4) << 2;
    for (let i: usize = 0; i < p.bytes; i += 16) {
      const bytes = <u32>min(p.bytes - i, 16);
      let sum = p.accumulate ? load16(y + i, bytes) : f32x4.splat(0);
      for (let k = first; k < last; k += 4) {
        const value = load16(x + load<u32>(p.columns + k) + i, bytes);
        sum = f32x4.add(sum, f32x4.mul(value, f32x4.splat(load<f32>(p.weights + k))));
      }
      store16(y + i, sum, bytes);
    }
  }
}

/** y = the nearest of the levels scale · (q − zero), q from lo to hi. */
@unmanaged
export class FakeQuantF32 {
  x: u32;
  y: u32;
  /** Slices `[outer][channels][inner]`, one scale for each channel. */
  outer: u32;
  channels: u32;
  inner: u32;
  /** 0: the channel's largest magnitude over hi. */
  scale: f32;
  zero: f32;
  lo: f32;
  hi: f32;
}

/** Parts share the channels. */
export function fakeQuantF32(p: FakeQuantF32, part: u32, parts: u32): void {
  const end = share(p.channels, part + 1, parts);
  for (let c = share(p.channels, part, parts); c < end; c++) {
    let scale = p.scale;
    if (scale == 0) scale = largest(p, c) / p.hi;
    if (scale == 0) scale = 1;
    const one = <f32>1 / scale;
    for (let n: u32 = 0; n < p.outer; n++) {
      const at = <usize>((n * p.channels + c) * p.inner) << 2;
      for (let i: usize = 0; i < <usize>p.inner << 2; i += 4) {
        const q = nearest<f32>(load<f32>(p.x + at + i) * one) + p.zero;
        store<f32>(p.y + at + i, (min(max(q, p.lo), p.hi) - p.zero) * scale);
      }
    }
  }
}

function largest(p: FakeQuantF32, c: u32): f32 {
  let most: f32 = 0;
  for (let n: u32 = 0; n < p.outer; n++) {
    const at = <usize>((n * p.channels + c) * p.inner) << 2;
    for (let i: usize = 0; i < <usize>p.inner << 2; i += 4) most = max(most, abs<f32>(load<f32>(p.x + at + i)));
  }
  return most;
}
