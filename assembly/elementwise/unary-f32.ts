/** Functions of one float32, four at a time in vector modules. @full @train */
import { load16, store16 } from "../common/edge.simd";
import { exponentials } from "../common/exponentials.simd";
import { erfF32, expF32, expMinusOneF32, geluF32, geluTanhF32, logF32, logisticF32, rootReciprocalF32, tanhF32 } from "../common/float";
import { acoshF32, asinhF32, atanhF32, coshF32, sinhF32 } from "../common/hyperbolic";
import { atLeast, atMost, ceilOf, floorOf, magnitude, nearestOf, negative, over, plus, root, splat, times, whereLess } from "../common/lanes";
import { share } from "../common/split";
import { sineF32, tangentF32 } from "../common/trigonometry";
import { around, isAround } from "./around.simd";
import {
  CLAMP, LEAKY, ABS, NEG, SIGN, CEIL, FLOOR, ROUND, SQRT, RSQRT, SQUARE, EXP, LOG, LOGISTIC, TANH, ELU, GELU, GELU_TANH, HARD_SWISH, SIN, COS, ERF, TAN, ASIN, SINH, COSH, ASINH, ACOSH, ATANH,
} from "./unary-forms";

/** y[i] = f(x[i]), clamped where the form says so. */
@unmanaged
export class UnaryF32 {
  x: u32;
  y: u32;
  count: u32;
  /** Which function: `unary-forms.ts`. */
  form: u32;
  /** Clamp: its bounds. Leaky: the slope below 0 is `lo`. */
  lo: f32;
  hi: f32;
  scratch: u32;
  scratchStride: u32;
}

export function unaryF32(p: UnaryF32, part: u32, parts: u32): void {
  const form = p.form;
  if (form >= SIN && form < SINH) return turns(p, part, parts);
  const start = share(p.count, part, parts);
  let count = (share(p.count, part + 1, parts) - start) << 2;
  let x = <usize>p.x + (<usize>start << 2);
  let y = <usize>p.y + (<usize>start << 2);
  if (ASC_FEATURE_SIMD) {
    const whole = count & ~63;
    if (FULL && form == EXP) {
      exponentials(x, y, count, 0, 1, 0, -Infinity);
      return;
    }
    if (form <= LEAKY) {
      if (form == CLAMP) clamps(p, x, y, whole);
      else leaks(p, x, y, whole);
      x += whole;
      y += whole;
      count &= 63;
    }
    if (FULL && isAround(form)) {
      const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
      const vectors = count & ~15;
      around(form, x, y, vectors, scratch);
      count &= 15;
      if (!count) return;
      v128.store(scratch, load16(x + vectors, count));
      around(form, scratch, scratch, 16, scratch + 16);
      return store16(y + vectors, v128.load(scratch), count);
    }
    while (count) {
      const n = min(count, 16);
      store16(y, value<v128>(p, load16(x, n), form), n);
      x += 16;
      y += 16;
      count -= n;
    }
  } else {
    for (; count; count -= 4) {
      store<f32>(y, value<f32>(p, load<f32>(x), form));
      x += 4;
      y += 4;
    }
  }
}

// What networks often have, whole blocks of 64 bytes: a function each, since of loops side by side the compiler makes one that asks.

function clamps(p: UnaryF32, x: usize, y: usize, count: u32): void {
  blocks(p, x, y, count, CLAMP);
}

function leaks(p: UnaryF32, x: usize, y: usize, count: u32): void {
  blocks(p, x, y, count, LEAKY);
}

// @ts-ignore: decorator
@inline function blocks(p: UnaryF32, x: usize, y: usize, count: u32, form: u32): void {
  for (; count; count -= 64) {
    v128.store(y, value<v128>(p, v128.load(x), form));
    v128.store(y, value<v128>(p, v128.load(x, 16), form), 16);
    v128.store(y, value<v128>(p, v128.load(x, 32), form), 32);
    v128.store(y, value<v128>(p, v128.load(x, 48), form), 48);
    x += 64;
    y += 64;
  }
}

// @ts-ignore: decorator
@inline function value<T>(p: UnaryF32, x: T, form: u32): T {
  if (form == CLAMP) return atMost<T>(atLeast<T>(x, splat<T>(p.lo)), splat<T>(p.hi));
  if (!FULL || !isVector<T>()) {
    switch (form) {
      case EXP: return expF32<T>(x);
      case LOGISTIC: return logisticF32<T>(x);
      case TANH: return tanhF32<T>(x);
      case GELU: return geluF32<T>(x);
      case GELU_TANH: return geluTanhF32<T>(x);
      case ERF: return erfF32<T>(x);
    }
  }
  switch (form) {
    case LEAKY: return whereLess<T>(x, splat<T>(0), times<T>(x, splat<T>(p.lo)), x);
    case ABS: return magnitude<T>(x);
    case NEG: return negative<T>(x);
    case SIGN: return whereLess<T>(x, splat<T>(0), splat<T>(-1), whereLess<T>(splat<T>(0), x, splat<T>(1), x));
    case CEIL: return ceilOf<T>(x);
    case FLOOR: return floorOf<T>(x);
    case ROUND: return nearestOf<T>(x);
    case SQRT: return root<T>(x);
    case RSQRT: return rootReciprocalF32<T>(x);
    case SQUARE: return times<T>(x, x);
    case LOG: return logF32<T>(x);
    case ELU: return whereLess<T>(x, splat<T>(0), expMinusOneF32<T>(x), x);
    case SINH: return sinhF32<T>(x);
    case COSH: return coshF32<T>(x);
    case ASINH: return asinhF32<T>(x);
    case ACOSH: return acoshF32<T>(x);
    case ATANH: return atanhF32<T>(x);
    default: {
      const gate = atMost<T>(atLeast<T>(plus<T>(x, splat<T>(3)), splat<T>(0)), splat<T>(6));
      return over<T>(times<T>(gate, x), splat<T>(6));
    }
  }
}

/** What has no vector form, one at a time; sines and cosines are reduced exactly for the largest numbers too. */
function turns(p: UnaryF32, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const x = load<f32>(<usize>p.x + (<usize>i << 2));
    store<f32>(<usize>p.y + (<usize>i << 2), single(p.form, x));
  }
}

function single(form: u32, x: f32): f32 {
  switch (form) {
    case SIN: return sineF32(x, 0);
    case COS: return sineF32(x, 1);
    case TAN: return tangentF32(x);
    case ASIN: return NativeMathf.asin(x);
    default: return NativeMathf.acos(x);
  }
}
