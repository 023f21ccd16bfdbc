/**
 * Functions of int16 fixed-point numbers by gemmlowp's arithmetic on int16. A value with n integer bits stands for
 * raw · 2^(n − 15); results have none. All of it in i32, cut to int16 where the source's types cut.
 */

// @ts-ignore: decorator
@inline function saturate(x: i32): i32 {
  return min(max(x, -32768), 32767);
}

/** a·b / 2^15, rounded to nearest, ties away from zero, saturating. */
function mul(a: i32, b: i32): i32 {
  const product = a * b;
  return min((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15), 32767);
}

/** x / 2^exponent, rounded to nearest, ties away from zero. */
// @ts-ignore: decorator
@inline function shiftRight(x: i32, exponent: i32): i32 {
  const mask = (1 << exponent) - 1;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/** exp of a number from −1/4 to 0 without integer bits: a Taylor series around −1/8. */
function expNearZero(a: i32): i32 {
  const x = a + 4096;
  const x2 = mul(x, x);
  const x3 = mul(x2, x);
  const x4 = mul(x2, x2);
  const rest = shiftRight(mul(shiftRight(x4, 2) + x3, 10923) + x2, 1);
  return saturate(28918 + mul(28918, x + rest));
}

/** exp of a number of up to 7 integer bits that is not above 0. */
function expOfNegative(a: i32, bits: i32): i32 {
  if (a == 0) return 32767;
  const fraction = 15 - bits;
  if (bits > 5 && a < -(1 << (fraction + 5))) return 0;
  const quarter = 1 << (fraction - 2);
  const near = (a & (quarter - 1)) - quarter;
  let result = expNearZero(saturate(near << bits));
  const rest = near - a;
  if (bits > -2 && rest & (1 << (fraction - 2))) result = mul(result, 25520);
  if (bits > -1 && rest & (1 << (fraction - 1))) result = mul(result, 19875);
  if (bits > 0 && rest & (1 << fraction)) result = mul(result, 12055);
  if (bits > 1 && rest & (1 << (fraction + 1))) result = mul(result, 4435);
  if (bits > 2 && rest & (1 << (fraction + 2))) result = mul(result, 600);
  if (bits > 3 && rest & (1 << (fraction + 3))) result = mul(result, 11);
  if (bits > 4 && rest & (1 << (fraction + 4))) result = 0;
  return result;
}

/** 2 / (1 + a) for a from 0 to 1, with two integer bits: three steps of Newton and Raphson. */
function doubleReciprocal(a: i32): i32 {
  const half = (a + 32767 + 1) / 2;
  let x = 23130 + mul(half, -15420);
  for (let i = 0; i < 3; i++) x = <i32>(<i16>(x + saturate(mul(x, 8192 - mul(half, x)) << 2)));
  return x;
}

/** The logistic function of a number of three integer bits. */
export function logisticS16(a: i32): i32 {
  if (a == 0) return 1 << 14;
  const positive = saturate(doubleReciprocal(expOfNegative(<i32>(<i16>(a > 0 ? -a : a)), 3)) << 1);
  return a > 0 ? positive : 32767 - positive;
}

/** tanh of a number of up to six integer bits. */
export function tanhS16(a: i32, bits: i32): i32 {
  if (a == 0) return 0;
  const e = expOfNegative(<i32>(<i16>(a < 0 ? a : -a)), bits + 1);
  const t = saturate(<i32>(<i16>(doubleReciprocal(e) - 8192)) << 2);
  return a < 0 ? -t : t;
}
