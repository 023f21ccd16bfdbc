/**
 * Functions of float32, accurate to about 2 ulp, of one number (T = f32) or four (T = v128), with the same bytes either
 * way. NaN gives NaN. Polynomials: Cephes' single precision coefficients.
 */
import {
  atLeast,
  atMost,
  exponentAbove,
  magnitude,
  mantissaAbove,
  minus,
  negative,
  over,
  plus,
  powerOfTwo,
  root,
  splat,
  times,
  timesPlus,
  whereEqual,
  whereLess,
  withSign,
} from "./lanes";

/** Adding it leaves the nearest whole number, ties to even, in the low bits. */
const MAGIC: f32 = 12582912;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

/** exp(r) − 1 for |r| ≤ ln(2)/2. */
// @ts-ignore: decorator
@inline function expNearZero<T>(r: T): T {
  let p = splat<T>(1.9875691500e-4);
  p = timesPlus<T>(p, r, splat<T>(1.3981999507e-3));
  p = timesPlus<T>(p, r, splat<T>(8.3334519073e-3));
  p = timesPlus<T>(p, r, splat<T>(4.1665795894e-2));
  p = timesPlus<T>(p, r, splat<T>(1.6666665459e-1));
  p = timesPlus<T>(p, r, splat<T>(5.0000001201e-1));
  return timesPlus<T>(p, times<T>(r, r), r);
}

/** 1.5·2^23 + round(x / ln 2). */
// @ts-ignore: decorator
@inline function halvings<T>(x: T): T {
  return timesPlus<T>(x, splat<T>(1.44269504088896341), splat<T>(MAGIC));
}

/** x − n·ln 2. */
// @ts-ignore: decorator
@inline function rest<T>(x: T, n: T): T {
  return minus<T>(minus<T>(x, times<T>(n, splat<T>(LN2_HIGH))), times<T>(n, splat<T>(LN2_LOW)));
}

/** exp(x), subnormal results included; from 88.73 on infinity. */
export function expF32<T>(x: T): T {
  x = atMost<T>(atLeast<T>(x, splat<T>(-104)), splat<T>(89));
  const shifted = halvings<T>(x);
  const n = minus<T>(shifted, splat<T>(MAGIC));
  const y = plus<T>(expNearZero<T>(rest<T>(x, n)), splat<T>(1));
  // in two steps, each of which is a normal power of two
  const half = plus<T>(times<T>(n, splat<T>(0.5)), splat<T>(MAGIC));
  const other = plus<T>(minus<T>(n, minus<T>(half, splat<T>(MAGIC))), splat<T>(MAGIC));
  return times<T>(times<T>(y, powerOfTwo<T>(half)), powerOfTwo<T>(other));
}

/** exp(x) for x ≤ 0; 0 below −87. */
// @ts-ignore: decorator
@inline export function expDownF32<T>(x: T): T {
  const z = atLeast<T>(x, splat<T>(-87));
  const shifted = halvings<T>(z);
  const y = plus<T>(expNearZero<T>(rest<T>(z, minus<T>(shifted, splat<T>(MAGIC)))), splat<T>(1));
  return whereLess<T>(x, splat<T>(-87), splat<T>(0), times<T>(y, powerOfTwo<T>(shifted)));
}

/** exp(x) − 1 for x ≤ 0, accurate near 0 too. */
export function expMinusOneF32<T>(x: T): T {
  x = atLeast<T>(x, splat<T>(-80));
  const shifted = halvings<T>(x);
  const scale = powerOfTwo<T>(shifted);
  const p = expNearZero<T>(rest<T>(x, minus<T>(shifted, splat<T>(MAGIC))));
  return timesPlus<T>(p, scale, minus<T>(scale, splat<T>(1)));
}

/** 1 / (1 + exp(−x)), small results as exact as large ones. */
export function logisticF32<T>(x: T): T {
  const e = expF32<T>(negative<T>(magnitude<T>(x)));
  return over<T>(whereLess<T>(x, splat<T>(0), e, splat<T>(1)), plus<T>(splat<T>(1), e));
}

/** tanh(x): a polynomial below 0.625, from there 1 − 2 / (exp(2|x|) + 1) with the sign of x. */
export function tanhF32<T>(x: T): T {
  const z = times<T>(x, x);
  let p = splat<T>(-5.70498872745e-3);
  p = timesPlus<T>(p, z, splat<T>(2.06390887954e-2));
  p = timesPlus<T>(p, z, splat<T>(-5.37397155531e-2));
  p = timesPlus<T>(p, z, splat<T>(1.33314422036e-1));
  p = timesPlus<T>(p, z, splat<T>(-3.33332819422e-1));
  const small = timesPlus<T>(times<T>(p, z), x, x);
  const a = magnitude<T>(x);
  const e = plus<T>(expF32<T>(plus<T>(a, a)), splat<T>(1));
  const large = withSign<T>(minus<T>(splat<T>(1), over<T>(splat<T>(2), e)), x);
  return whereLess<T>(a, splat<T>(0.625), small, large);
}

/** The bits of √½. */
const ROOT_HALF: i32 = 0x3f3504f3;

/** The natural logarithm; −∞ of 0, NaN of what is below. */
export function logF32<T>(x: T): T {
  const tiny = splat<T>(1.17549435e-38);
  const normal = whereLess<T>(x, tiny, times<T>(x, splat<T>(8388608)), x);
  const less = whereLess<T>(x, tiny, splat<T>(23), splat<T>(0));
  const e = minus<T>(exponentAbove<T>(normal, ROOT_HALF), less);
  const m = minus<T>(mantissaAbove<T>(normal, ROOT_HALF), splat<T>(1));
  const z = times<T>(m, m);
  let p = splat<T>(7.0376836292e-2);
  p = timesPlus<T>(p, m, splat<T>(-1.1514610310e-1));
  p = timesPlus<T>(p, m, splat<T>(1.1676998740e-1));
  p = timesPlus<T>(p, m, splat<T>(-1.2420140846e-1));
  p = timesPlus<T>(p, m, splat<T>(1.4249322787e-1));
  p = timesPlus<T>(p, m, splat<T>(-1.6668057665e-1));
  p = timesPlus<T>(p, m, splat<T>(2.0000714765e-1));
  p = timesPlus<T>(p, m, splat<T>(-2.4999993993e-1));
  p = timesPlus<T>(p, m, splat<T>(3.3333331174e-1));
  p = times<T>(times<T>(p, m), z);
  p = timesPlus<T>(e, splat<T>(LN2_LOW), p);
  p = minus<T>(p, times<T>(splat<T>(0.5), z));
  let y = timesPlus<T>(e, splat<T>(LN2_HIGH), plus<T>(m, p));
  y = whereEqual<T>(x, splat<T>(Infinity), x, y);
  y = whereEqual<T>(x, splat<T>(0), splat<T>(-Infinity), y);
  // below 0, or NaN
  return whereLess<T>(x, splat<T>(0), splat<T>(NaN), whereEqual<T>(x, x, y, x));
}

/**
 * The error function, within 1e−7 of itself: minimax polynomials of x² near 0, and of |x| in 1 − exp(−|x| − |x|·p) elsewhere.
 * Source of the coefficients: N. Juffa's erff.
 */
export function erfF32<T>(x: T): T {
  const a = magnitude<T>(x);
  const t = atMost<T>(a, splat<T>(4));
  let p = splat<T>(1.72853470e-5);
  p = timesPlus<T>(p, t, splat<T>(-3.83197126e-4));
  p = timesPlus<T>(p, t, splat<T>(3.88396438e-3));
  p = timesPlus<T>(p, t, splat<T>(-2.42546219e-2));
  p = timesPlus<T>(p, t, splat<T>(1.06777877e-1));
  p = timesPlus<T>(p, t, splat<T>(6.34846687e-1));
  p = timesPlus<T>(p, t, splat<T>(1.28717512e-1));
  const tail = expDownF32<T>(negative<T>(timesPlus<T>(p, t, t)));
  const square = times<T>(x, x);
  let s = splat<T>(-5.96761703e-4);
  s = timesPlus<T>(s, square, splat<T>(4.99119423e-3));
  s = timesPlus<T>(s, square, splat<T>(-2.67681349e-2));
  s = timesPlus<T>(s, square, splat<T>(1.12819925e-1));
  s = timesPlus<T>(s, square, splat<T>(-3.76125336e-1));
  s = timesPlus<T>(s, square, splat<T>(1.28379166e-1));
  return whereLess<T>(a, splat<T>(0.921875), timesPlus<T>(s, x, x), withSign<T>(minus<T>(splat<T>(1), tail), x));
}

/** x times the normal distribution up to x. */
export function geluF32<T>(x: T): T {
  const e = erfF32<T>(times<T>(x, splat<T>(0.70710678)));
  return times<T>(times<T>(x, plus<T>(e, splat<T>(1))), splat<T>(0.5));
}

/** GELU by its tanh form: x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function geluTanhF32<T>(x: T): T {
  const cube = times<T>(times<T>(x, x), x);
  const inner = times<T>(splat<T>(0.7978845608), timesPlus<T>(splat<T>(0.044715), cube, x));
  // ½·(1 + tanh u) is the logistic function of 2u, which keeps small tails
  return times<T>(x, logisticF32<T>(plus<T>(inner, inner)));
}

/** 1 / √x. */
export function rootReciprocalF32<T>(x: T): T {
  return over<T>(splat<T>(1), root<T>(x));
}
