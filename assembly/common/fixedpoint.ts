/**
 * gemmlowp's fixed-point arithmetic on int32, the rounding of every quantized operator. A value with n integer bits
 * stands for raw · 2^(n − 31). Products and sums go through i64, which keeps each rounding to a line.
 */

/** floor((a·b + 2^30) / 2^31): the high half of 2ab, rounded. a = b = −2^31 does not occur. */
// @ts-ignore: decorator
@inline export function highMul(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b + (1 << 30)) >> 31);
}

/** x / 2^exponent, rounded to nearest, ties away from zero; exponent 0 to 31. */
// @ts-ignore: decorator
@inline export function roundingShift(x: i32, exponent: i32): i32 {
  const half = (<i64>1 << exponent) >> 1;
  const negative = <i64>((x >> 31) & (-exponent >> 31));
  return <i32>((<i64>x + half + negative) >> exponent);
}

/** x · multiplier · 2^(shift − 31) with both roundings of TFLite's MultiplyByQuantizedMultiplier. */
// @ts-ignore: decorator
@inline export function rescale(x: i32, multiplier: i32, shift: i32): i32 {
  return roundingShift(highMul(x << max(shift, 0), multiplier), max(-shift, 0));
}

/** x · 2^exponent, saturating. */
// @ts-ignore: decorator
@inline export function saturatingShift(x: i32, exponent: i32): i32 {
  const wide = <i64>x << exponent;
  return <i32>min(max(wide, <i64>i32.MIN_VALUE), <i64>i32.MAX_VALUE);
}

/** 1 / (1 + x) for x in [0, 1), Q0.31 in and out, by three steps of Newton and Raphson from 48/17 − 32/17·d. */
export function reciprocalOfOnePlus(x: i32): i32 {
  const half = <i32>((<i64>x + <i64>i32.MAX_VALUE + 1) / 2);
  let r: i32 = 1515870810 + highMul(half, -1010580540);
  for (let i = 0; i < 3; i++) {
    const error = (1 << 29) - highMul(half, r);
    r += saturatingShift(highMul(r, error), 2);
  }
  return saturatingShift(r, 1);
}

// @ts-ignore: decorator
@inline export function clamp(x: i32, lo: i32, hi: i32): i32 {
  return min(max(x, lo), hi);
}

/** The inverse root of a sum from 2^27 to 2^29, by five steps of Newton and Raphson from 1 in Q3.28. */
export function inverseRoot(sum: i32): i32 {
  const half = roundingShift(sum >> 1, 1);
  let x: i32 = 1 << 28;
  for (let i = 0; i < 5; i++) {
    const cube = saturatingShift(highMul(highMul(x, x), x), 6);
    x = saturatingShift(highMul((1 << 28) + (1 << 27), x) - highMul(half, cube), 3);
  }
  return highMul(x, 1518500250);
}
