/**
 * gemmlowp's fixed-point arithmetic on int32 in exact doubles: what the kernels compute, for tables made when a model
 * is planned. A raw value with n integer bits stands for raw · 2^(n − 31).
 */

const MAX = 2 ** 31 - 1;

/** floor((a·b + 2^30) / 2^31) of two int32, saturating for a = b = −2^31. */
export function highMul(a: number, b: number): number {
  const high = a * (b >> 16);
  const low = a * (b & 0xffff) + 2 ** 30;
  return Math.min(Math.floor((high + Math.floor(low / 2 ** 16)) / 2 ** 15), MAX);
}

/** x / 2^exponent rounded to nearest, ties away from zero; x int32, exponent from 0. */
export function roundingShift(x: number, exponent: number): number {
  const scaled = x / 2 ** exponent;
  return x < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
}

/** x · multiplier · 2^(shift − 31), both roundings of TFLite; left shifts wrap as int32 do. */
export function rescale(x: number, multiplier: number, shift: number): number {
  const left = shift > 0 ? Math.imul(x, 2 ** Math.min(shift, 31)) : x;
  return roundingShift(highMul(left, multiplier), Math.max(-shift, 0));
}

/** x · 2^exponent, saturating to int32. */
function saturatingShift(x: number, exponent: number): number {
  return Math.min(Math.max(x * 2 ** exponent, -(2 ** 31)), MAX);
}

/** exp(a), a ≤ 0 with `integerBits` (4 or 5) integer bits; result Q0.31. */
export function expOfNegative(a: number, integerBits: number): number {
  if (a === 0) return MAX;
  const quarter = 2 ** (29 - integerBits);
  const reduced = (a & (quarter - 1)) - quarter;
  const remainder = reduced - a;
  let result = expNearMinusEighth(saturatingShift(reduced, integerBits));
  for (let i = 0; i < integerBits + 2; i++)
    if ((remainder & (quarter * 2 ** i)) !== 0) result = highMul(result, EXP_FACTORS[i] as number);
  return result;
}

/** exp(−2^(i − 2)) in Q0.31. */
const EXP_FACTORS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** exp(a) for a in [−1/4, 0), Q0.31: Taylor's series to the fourth power around −1/8. */
function expNearMinusEighth(a: number): number {
  const x = a + 2 ** 28;
  const x2 = highMul(x, x);
  const x3 = highMul(x2, x);
  const x4 = highMul(x2, x2);
  const tail = roundingShift(highMul(roundingShift(x4, 2) + x3, 715827883) + x2, 1);
  return 1895147668 + highMul(1895147668, x + tail);
}

/** 2 / (1 + x) for x in [0, 1), Q0.31 to Q2.29: three Newton–Raphson steps from 48/17 − 32/17·d. */
function twoOverOnePlus(x: number): number {
  const half = Math.floor((x + MAX + 1) / 2);
  let r = 1515870810 + highMul(half, -1010580540);
  for (let i = 0; i < 3; i++) r += saturatingShift(highMul(r, 2 ** 29 - highMul(half, r)), 2);
  return r;
}

/** 1 / (1 + exp(−a)) of Q4.27, Q0.31. */
export function logistic(a: number): number {
  if (a === 0) return 2 ** 30;
  const positive = saturatingShift(twoOverOnePlus(expOfNegative(-Math.abs(a), 4)), 1);
  return a > 0 ? positive : MAX - positive;
}

/** tanh(a) of Q4.27, Q0.31. */
export function tanh(a: number): number {
  if (a === 0) return 0;
  const value = saturatingShift(twoOverOnePlus(expOfNegative(-Math.abs(a), 5)) - 2 ** 29, 2);
  return a < 0 ? -value : value;
}
