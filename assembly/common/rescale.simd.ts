/** TFLite's fixed-point rescaling of four int32 with one multiplier and shift for all lanes; exact for every value. */

/** floor((x·multiplier + 2^30) / 2^31). */
// @ts-ignore: decorator
@inline export function highMul(x: v128, multiplier: v128): v128 {
  const half = i64x2.splat(1 << 30);
  return i32x4.shuffle(
    i64x2.shl(i64x2.add(i64x2.extmul_low_i32x4_s(x, multiplier), half), 1),
    i64x2.shl(i64x2.add(i64x2.extmul_high_i32x4_s(x, multiplier), half), 1),
    1,
    3,
    5,
    7,
  );
}

/** x / 2^exponent, rounded to nearest, ties away from zero; exponent 0 to 31. */
// @ts-ignore: decorator
@inline export function roundingShift(x: v128, exponent: i32): v128 {
  const mask = <i32>((<i64>1 << exponent) - 1);
  const threshold = i32x4.sub(i32x4.splat(mask >>> 1), i32x4.shr_s(x, 31));
  const up = i32x4.gt_s(v128.and(x, i32x4.splat(mask)), threshold);
  return i32x4.sub(i32x4.shr_s(x, exponent), up);
}

/** x · multiplier · 2^(shift − 31) with both roundings. */
// @ts-ignore: decorator
@inline export function rescale(x: v128, multiplier: v128, shift: i32): v128 {
  return roundingShift(highMul(i32x4.shl(x, max(shift, 0)), multiplier), max(-shift, 0));
}
