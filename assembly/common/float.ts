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

/**
 * The numbers of the functions below, by their places: V8 takes one instruction to load one into all lanes and three to spell it
 * out. MAGIC leaves the nearest whole number, ties to even, in the low bits of what it is added to; ln 2 is in two parts.
 */
function numbers(): usize {
  return memory.data<f32>([
    // 0: exp(r) − 1
    1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
    // 6: 1 / ln 2, MAGIC, the parts of ln 2, and where exp ends
    1.44269504088896341, 12582912, 0.693359375, -2.12194440e-4,
    -104, 89, -87, -80,
    // 14: tanh, and where its polynomial ends
    -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1, 0.625,
    // 20: log, after the least normal number
    1.17549435e-38, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
    1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    // 30: erf of |x|
    1.72853470e-5, -3.83197126e-4, 3.88396438e-3, -2.42546219e-2, 1.06777877e-1, 6.34846687e-1, 1.28717512e-1,
    // 37: erf of x², and where it ends
    -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1, 0.921875,
    // 44: √½, √(2/π) and the cube of GELU
    0.70710678, 0.7978845608, 0.044715,
    // 47: MAGIC + 127, of which shifting makes a power of two
    12583039, 0.5, 1,
  ]);
}
const MAGIC: usize = 7;
const LN2_HIGH: usize = 8;
const LN2_LOW: usize = 9;

// @ts-ignore: decorator
@inline export function number<T>(place: usize): T {
  if (isVector<T>()) return v128.load32_splat(numbers() + (place << 2));
  else return <T>load<f32>(numbers() + (place << 2));
}

/** True for one number where vectors are at hand: it goes as one of four, so that functions stand in a module once. */
// @ts-ignore: decorator
@inline function isAlone<T>(): bool {
  return ASC_FEATURE_SIMD && !isVector<T>();
}

/** exp(r) − 1 for |r| ≤ ln(2)/2. */
// @ts-ignore: decorator
@inline function expNearZero<T>(r: T): T {
  let p = number<T>(0);
  p = timesPlus<T>(p, r, number<T>(1));
  p = timesPlus<T>(p, r, number<T>(2));
  p = timesPlus<T>(p, r, number<T>(3));
  p = timesPlus<T>(p, r, number<T>(4));
  p = timesPlus<T>(p, r, number<T>(5));
  return timesPlus<T>(p, times<T>(r, r), r);
}

/** 1.5·2^23 + round(x / ln 2). */
// @ts-ignore: decorator
@inline function halvings<T>(x: T): T {
  return timesPlus<T>(x, number<T>(6), number<T>(MAGIC));
}

/** x − n·ln 2. */
// @ts-ignore: decorator
@inline function rest<T>(x: T, n: T): T {
  return minus<T>(minus<T>(x, times<T>(n, number<T>(LN2_HIGH))), times<T>(n, number<T>(LN2_LOW)));
}

/** exp(x), subnormal results included; from 88.73 on infinity. */
export function expF32<T>(x: T): T {
  if (isAlone<T>()) return f32x4.extract_lane(expF32<v128>(splat<v128>(<f32>x)), 0);
  x = atMost<T>(atLeast<T>(x, number<T>(10)), number<T>(11));
  const shifted = halvings<T>(x);
  const n = minus<T>(shifted, number<T>(MAGIC));
  const y = plus<T>(expNearZero<T>(rest<T>(x, n)), splat<T>(1));
  // in two steps, each of which is a normal power of two
  const half = plus<T>(times<T>(n, splat<T>(0.5)), number<T>(MAGIC));
  const other = plus<T>(minus<T>(n, minus<T>(half, number<T>(MAGIC))), number<T>(MAGIC));
  return times<T>(times<T>(y, powerOfTwo<T>(half)), powerOfTwo<T>(other));
}

/** exp(x) for x ≤ 0; 0 below −87. */
// @ts-ignore: decorator
@inline export function expDownF32<T>(x: T): T {
  const z = atLeast<T>(x, number<T>(12));
  const shifted = halvings<T>(z);
  const y = plus<T>(expNearZero<T>(rest<T>(z, minus<T>(shifted, number<T>(MAGIC)))), splat<T>(1));
  return whereLess<T>(x, number<T>(12), splat<T>(0), times<T>(y, powerOfTwo<T>(shifted)));
}

/** exp(x) − 1 for x ≤ 0, accurate near 0 too. */
export function expMinusOneF32<T>(x: T): T {
  x = atLeast<T>(x, number<T>(13));
  const shifted = halvings<T>(x);
  const scale = powerOfTwo<T>(shifted);
  const p = expNearZero<T>(rest<T>(x, minus<T>(shifted, number<T>(MAGIC))));
  return timesPlus<T>(p, scale, minus<T>(scale, splat<T>(1)));
}

/** 1 / (1 + exp(−x)), small results as exact as large ones. */
export function logisticF32<T>(x: T): T {
  if (isAlone<T>()) return f32x4.extract_lane(logisticF32<v128>(splat<v128>(<f32>x)), 0);
  const e = expF32<T>(negative<T>(magnitude<T>(x)));
  return over<T>(whereLess<T>(x, splat<T>(0), e, splat<T>(1)), plus<T>(splat<T>(1), e));
}

/** tanh(x): a polynomial below 0.625, from there 1 − 2 / (exp(2|x|) + 1) with the sign of x. */
export function tanhF32<T>(x: T): T {
  if (isAlone<T>()) return f32x4.extract_lane(tanhF32<v128>(splat<v128>(<f32>x)), 0);
  const a = magnitude<T>(x);
  return tanhOf<T>(x, expF32<T>(plus<T>(a, a)));
}

/** tanh(x) with exp(2|x|). */
// @ts-ignore: decorator
@inline export function tanhOf<T>(x: T, double: T): T {
  const z = times<T>(x, x);
  let p = number<T>(14);
  p = timesPlus<T>(p, z, number<T>(15));
  p = timesPlus<T>(p, z, number<T>(16));
  p = timesPlus<T>(p, z, number<T>(17));
  p = timesPlus<T>(p, z, number<T>(18));
  const small = timesPlus<T>(times<T>(p, z), x, x);
  const large = withSign<T>(minus<T>(splat<T>(1), over<T>(splat<T>(2), plus<T>(double, splat<T>(1)))), x);
  return whereLess<T>(magnitude<T>(x), number<T>(19), small, large);
}

/** The bits of √½. */
const ROOT_HALF: i32 = 0x3f3504f3;

/** The natural logarithm; −∞ of 0, NaN of what is below. */
export function logF32<T>(x: T): T {
  if (isAlone<T>()) return f32x4.extract_lane(logF32<v128>(splat<v128>(<f32>x)), 0);
  const tiny = number<T>(20);
  const normal = whereLess<T>(x, tiny, times<T>(x, splat<T>(8388608)), x);
  const less = whereLess<T>(x, tiny, splat<T>(23), splat<T>(0));
  const e = minus<T>(exponentAbove<T>(normal, ROOT_HALF), less);
  const m = minus<T>(mantissaAbove<T>(normal, ROOT_HALF), splat<T>(1));
  const z = times<T>(m, m);
  let p = number<T>(21);
  p = timesPlus<T>(p, m, number<T>(22));
  p = timesPlus<T>(p, m, number<T>(23));
  p = timesPlus<T>(p, m, number<T>(24));
  p = timesPlus<T>(p, m, number<T>(25));
  p = timesPlus<T>(p, m, number<T>(26));
  p = timesPlus<T>(p, m, number<T>(27));
  p = timesPlus<T>(p, m, number<T>(28));
  p = timesPlus<T>(p, m, number<T>(29));
  p = times<T>(times<T>(p, m), z);
  p = timesPlus<T>(e, number<T>(LN2_LOW), p);
  p = minus<T>(p, times<T>(splat<T>(0.5), z));
  let y = timesPlus<T>(e, number<T>(LN2_HIGH), plus<T>(m, p));
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
  return erfOf<T>(x, expDownF32<T>(negative<T>(erfTail<T>(x))));
}

/** −log of what erf(|x|) lacks of 1. */
// @ts-ignore: decorator
@inline export function erfTail<T>(x: T): T {
  const t = atMost<T>(magnitude<T>(x), splat<T>(4));
  let p = number<T>(30);
  p = timesPlus<T>(p, t, number<T>(31));
  p = timesPlus<T>(p, t, number<T>(32));
  p = timesPlus<T>(p, t, number<T>(33));
  p = timesPlus<T>(p, t, number<T>(34));
  p = timesPlus<T>(p, t, number<T>(35));
  p = timesPlus<T>(p, t, number<T>(36));
  return timesPlus<T>(p, t, t);
}

/** erf(x) with what erf(|x|) lacks of 1, where x is not near 0. */
// @ts-ignore: decorator
@inline export function erfOf<T>(x: T, tail: T): T {
  const square = times<T>(x, x);
  let s = number<T>(37);
  s = timesPlus<T>(s, square, number<T>(38));
  s = timesPlus<T>(s, square, number<T>(39));
  s = timesPlus<T>(s, square, number<T>(40));
  s = timesPlus<T>(s, square, number<T>(41));
  s = timesPlus<T>(s, square, number<T>(42));
  return whereLess<T>(magnitude<T>(x), number<T>(43), timesPlus<T>(s, x, x), withSign<T>(minus<T>(splat<T>(1), tail), x));
}

/** x·√½. */
// @ts-ignore: decorator
@inline export function rootHalf<T>(x: T): T {
  return times<T>(x, number<T>(44));
}

/** x times the normal distribution up to x. */
export function geluF32<T>(x: T): T {
  return geluOf<T>(x, erfF32<T>(rootHalf<T>(x)));
}

/** GELU of x with erf(x·√½). */
// @ts-ignore: decorator
@inline export function geluOf<T>(x: T, e: T): T {
  return times<T>(times<T>(x, plus<T>(e, splat<T>(1))), splat<T>(0.5));
}

/** GELU by its tanh form: x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function geluTanhF32<T>(x: T): T {
  return times<T>(x, logisticF32<T>(geluTanhInner<T>(x)));
}

/** 2u, whose logistic function is ½·(1 + tanh u), but keeps small tails. */
// @ts-ignore: decorator
@inline export function geluTanhInner<T>(x: T): T {
  const cube = times<T>(times<T>(x, x), x);
  const inner = times<T>(number<T>(45), timesPlus<T>(number<T>(46), cube, x));
  return plus<T>(inner, inner);
}

/** 1 / √x. */
export function rootReciprocalF32<T>(x: T): T {
  return over<T>(splat<T>(1), root<T>(x));
}
