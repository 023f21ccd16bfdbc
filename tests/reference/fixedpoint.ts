/**
 * gemmlowp's fixed-point arithmetic as it is written there, on BigInt: the readable second opinion to
 * `bindings/primitives/requantize/fixedpoint.ts` and `assembly/common/fixedpoint.ts`.
 */

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/** SaturatingRoundingDoublingHighMul: nudged by sign, divided towards zero. */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const product = BigInt(a) * BigInt(b);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return Number((product + nudge) / (1n << 31n));
}

/** RoundingDivideByPOT: by the remainder against a threshold. */
export function roundingDivideByPOT(x: number, exponent: number): number {
  const mask = (1n << BigInt(exponent)) - 1n;
  const remainder = BigInt(x) & mask;
  const threshold = (mask >> 1n) + (x < 0 ? 1n : 0n);
  return Number((BigInt(x) >> BigInt(exponent)) + (remainder > threshold ? 1n : 0n));
}

/** MultiplyByQuantizedMultiplier, the form that rounds twice. */
export function multiplyByQuantizedMultiplier(x: number, multiplier: number, shift: number): number {
  const left = BigInt.asIntN(32, BigInt(x) << BigInt(Math.max(shift, 0)));
  return roundingDivideByPOT(saturatingRoundingDoublingHighMul(Number(left), multiplier), Math.max(-shift, 0));
}

/** QuantizeMultiplier: the fraction of x by repeated halving, rounded half away from zero. */
export function quantizeMultiplier(real: number): { multiplier: number; shift: number } {
  if (real === 0) return { multiplier: 0, shift: 0 };
  let fraction = Math.abs(real);
  let shift = 0;
  while (fraction >= 1) {
    fraction /= 2;
    shift++;
  }
  while (fraction < 0.5) {
    fraction *= 2;
    shift--;
  }
  let multiplier = Math.floor(fraction * 2 ** 31 + 0.5);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier: real < 0 ? -multiplier : multiplier, shift };
}

const mul = saturatingRoundingDoublingHighMul;
const int32 = (x: number) => x | 0;

/** SaturatingRoundingMultiplyByPOT. */
function multiplyByPOT(x: number, exponent: number): number {
  if (exponent < 0) return roundingDivideByPOT(x, -exponent);
  const threshold = 2 ** (31 - exponent) - 1;
  if (x > threshold) return INT32_MAX;
  if (x < -threshold) return INT32_MIN;
  return int32(x << exponent);
}

/** exp_on_interval_between_negative_one_quarter_and_0_excl. */
function expNearZero(a: number): number {
  const x = int32(a + (1 << 28));
  const x2 = mul(x, x);
  const x3 = mul(x2, x);
  const x4 = mul(x2, x2);
  const x4Over4 = multiplyByPOT(x4, -2);
  const tail = multiplyByPOT(int32(mul(int32(x4Over4 + x3), 715827883) + x2), -1);
  return int32(1895147668 + mul(1895147668, int32(x + tail)));
}

/** exp_on_negative_values of a value with `integerBits` integer bits. */
export function expOnNegativeValues(a: number, integerBits: number): number {
  const fractionalBits = 31 - integerBits;
  const quarter = 1 << (fractionalBits - 2);
  const modulo = int32((a & (quarter - 1)) - quarter);
  let result = expNearZero(multiplyByPOT(modulo, integerBits));
  const remainder = int32(modulo - a);
  const barrel = [
    [-2, 1672461947],
    [-1, 1302514674],
    [0, 790015084],
    [1, 290630308],
    [2, 39332535],
    [3, 720401],
    [4, 242],
  ] as const;
  for (const [exponent, factor] of barrel)
    if (integerBits > exponent && (remainder & (1 << (fractionalBits + exponent))) !== 0) result = mul(result, factor);
  return a === 0 ? INT32_MAX : result;
}

/** RoundingHalfSum with 1.0, then the Newton–Raphson steps that the two divisions share; Q2.29. */
function newton(a: number): number {
  const sum = BigInt(a) + BigInt(INT32_MAX);
  const half = Number((sum + (sum >= 0n ? 1n : -1n)) / 2n);
  let x = int32(1515870810 + mul(half, -1010580540));
  for (let i = 0; i < 3; i++) x = int32(x + multiplyByPOT(mul(x, int32((1 << 29) - mul(half, x))), 2));
  return x;
}

/** one_over_one_plus_x_for_x_in_0_1. */
export function oneOverOnePlusX(a: number): number {
  return multiplyByPOT(newton(a), 1);
}

/** logistic of Q4.27. */
export function logistic(a: number): number {
  if (a === 0) return 1 << 30;
  const positive = oneOverOnePlusX(expOnNegativeValues(a > 0 ? -a : a, 4));
  return a > 0 ? positive : INT32_MAX - positive;
}

/** tanh of Q4.27. */
export function tanh(a: number): number {
  if (a === 0) return 0;
  const negative = multiplyByPOT(int32(newton(expOnNegativeValues(a < 0 ? a : -a, 5)) - (1 << 29)), 2);
  return a < 0 ? -negative : negative;
}
