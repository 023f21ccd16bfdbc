/**
 * float32 arithmetic written once for one number (T = f32) and for four (T = v128): the same operations, hence the same
 * bytes in every module.
 */

// @ts-ignore: decorator
@inline export function splat<T>(x: f32): T {
  if (isVector<T>()) return f32x4.splat(x);
  else return <T>x;
}

// @ts-ignore: decorator
@inline export function plus<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.add(a, b);
  else return a + b;
}

// @ts-ignore: decorator
@inline export function minus<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.sub(a, b);
  else return a - b;
}

// @ts-ignore: decorator
@inline export function times<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.mul(a, b);
  else return a * b;
}

// @ts-ignore: decorator
@inline export function over<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.div(a, b);
  else return a / b;
}

/** a·b + c, rounded twice. */
// @ts-ignore: decorator
@inline export function timesPlus<T>(a: T, b: T, c: T): T {
  return plus<T>(times<T>(a, b), c);
}

/** b where b < a, else a, also where a is NaN. */
// @ts-ignore: decorator
@inline export function atMost<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.pmin(a, b);
  else return b < a ? b : a;
}

/** b where b > a, else a, also where a is NaN. */
// @ts-ignore: decorator
@inline export function atLeast<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.pmax(a, b);
  else return a < b ? b : a;
}

// @ts-ignore: decorator
@inline export function root<T>(x: T): T {
  if (isVector<T>()) return f32x4.sqrt(x);
  else return sqrt<f32>(x);
}

// @ts-ignore: decorator
@inline export function magnitude<T>(x: T): T {
  if (isVector<T>()) return f32x4.abs(x);
  else return abs<f32>(x);
}

// @ts-ignore: decorator
@inline export function negative<T>(x: T): T {
  if (isVector<T>()) return f32x4.neg(x);
  else return -x;
}

// @ts-ignore: decorator
@inline export function floorOf<T>(x: T): T {
  if (isVector<T>()) return f32x4.floor(x);
  else return floor<f32>(x);
}

// @ts-ignore: decorator
@inline export function ceilOf<T>(x: T): T {
  if (isVector<T>()) return f32x4.ceil(x);
  else return ceil<f32>(x);
}

// @ts-ignore: decorator
@inline export function truncOf<T>(x: T): T {
  if (isVector<T>()) return f32x4.trunc(x);
  else return trunc<f32>(x);
}

/** The nearest whole number, ties to even. */
// @ts-ignore: decorator
@inline export function nearestOf<T>(x: T): T {
  if (isVector<T>()) return f32x4.nearest(x);
  else return nearest<f32>(x);
}

/** The magnitude of x with the sign of `sign`. */
// @ts-ignore: decorator
@inline export function withSign<T>(x: T, sign: T): T {
  if (isVector<T>()) return v128.bitselect(sign, x, i32x4.splat(i32.MIN_VALUE));
  else return copysign<f32>(x, sign);
}

/** `yes` where a < b, else `no`. */
// @ts-ignore: decorator
@inline export function whereLess<T>(a: T, b: T, yes: T, no: T): T {
  if (isVector<T>()) return v128.bitselect(yes, no, f32x4.lt(a, b));
  else return a < b ? yes : no;
}

/** `yes` where a = b, else `no`. */
// @ts-ignore: decorator
@inline export function whereEqual<T>(a: T, b: T, yes: T, no: T): T {
  if (isVector<T>()) return v128.bitselect(yes, no, f32x4.eq(a, b));
  else return a == b ? yes : no;
}

/** 2^n, where the low bits of 1.5·2^23 + n are given; n from −126 to 127. */
// @ts-ignore: decorator
@inline export function powerOfTwo<T>(bits: T): T {
  if (isVector<T>()) return i32x4.shl(i32x4.add(bits, i32x4.splat(127)), 23);
  else return reinterpret<f32>((reinterpret<i32>(bits) + 127) << 23);
}

/** How many powers of two the bits of x are above `base`, as a float32. */
// @ts-ignore: decorator
@inline export function exponentAbove<T>(x: T, base: i32): T {
  if (isVector<T>()) return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.sub(x, i32x4.splat(base)), 23));
  else return <f32>((reinterpret<i32>(x) - base) >> 23);
}

/** x over the power of two that brings its bits to [base, base + 2^23). */
// @ts-ignore: decorator
@inline export function mantissaAbove<T>(x: T, base: i32): T {
  if (isVector<T>()) {
    const low = v128.and(i32x4.sub(x, i32x4.splat(base)), i32x4.splat(0x7fffff));
    return i32x4.add(low, i32x4.splat(base));
  } else return reinterpret<f32>(((reinterpret<i32>(x) - base) & 0x7fffff) + base);
}
