/** Hyperbolic functions of float32 and their inverses, of one number (T = f32) or four (T = v128), with the same bytes either way. */
import { expF32, expMinusOneF32, logF32 } from "./float";
import { magnitude, minus, negative, over, plus, root, splat, times, timesPlus, whereLess, withSign } from "./lanes";

/** Half of exp(|x|), infinite only where that is. */
// @ts-ignore: decorator
@inline function halfExp<T>(x: T): T {
  const h = expF32<T>(times<T>(magnitude<T>(x), splat<T>(0.5)));
  return times<T>(times<T>(h, splat<T>(0.5)), h);
}

export function coshF32<T>(x: T): T {
  const half = halfExp<T>(x);
  return plus<T>(half, over<T>(splat<T>(0.25), half));
}

/** Below 1 by exp(−|x|) − 1, which is accurate near 0 too. */
export function sinhF32<T>(x: T): T {
  const half = halfExp<T>(x);
  const e = expMinusOneF32<T>(negative<T>(magnitude<T>(x)));
  const two = plus<T>(e, splat<T>(2));
  const small = over<T>(times<T>(negative<T>(e), two), plus<T>(e, two));
  return withSign<T>(whereLess<T>(magnitude<T>(x), splat<T>(1), small, minus<T>(half, over<T>(splat<T>(0.25), half))), x);
}

/** log(1 + x) for x ≥ 0, accurate near 0 too. */
function logPlusOne<T>(x: T): T {
  const y = plus<T>(x, splat<T>(1));
  const rounded = minus<T>(y, splat<T>(1));
  const log = logF32<T>(y);
  const exact = whereLess<T>(rounded, splat<T>(16777216), over<T>(times<T>(log, x), rounded), log);
  return whereLess<T>(splat<T>(0), rounded, exact, x);
}

/** log(2x), where 1 is nothing beside x². */
// @ts-ignore: decorator
@inline function logTwice<T>(x: T): T {
  return plus<T>(logF32<T>(x), splat<T>(0.69314718056));
}

export function asinhF32<T>(x: T): T {
  const a = magnitude<T>(x);
  const square = times<T>(a, a);
  const near = logPlusOne<T>(plus<T>(a, over<T>(square, plus<T>(root<T>(plus<T>(square, splat<T>(1))), splat<T>(1)))));
  return withSign<T>(whereLess<T>(a, splat<T>(4096), near, logTwice<T>(a)), x);
}

/** NaN below 1. */
export function acoshF32<T>(x: T): T {
  const above = minus<T>(x, splat<T>(1));
  const near = logPlusOne<T>(plus<T>(above, root<T>(timesPlus<T>(above, above, plus<T>(above, above)))));
  return whereLess<T>(x, splat<T>(1), splat<T>(NaN), whereLess<T>(x, splat<T>(4096), near, logTwice<T>(x)));
}

/** ±∞ at ±1, NaN beyond. */
export function atanhF32<T>(x: T): T {
  const a = magnitude<T>(x);
  const log = logPlusOne<T>(over<T>(plus<T>(a, a), minus<T>(splat<T>(1), a)));
  return whereLess<T>(splat<T>(1), a, splat<T>(NaN), withSign<T>(times<T>(log, splat<T>(0.5)), x));
}
