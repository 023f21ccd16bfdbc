/** Sums of sixteen pairs. */
import { Add } from "./params";
import { highMul, roundingShift } from "../common/rescale.simd";

/** Before the clamp. */
// @ts-ignore: decorator
@inline export function linearSum(
  u: v128,
  v: v128,
  coarse: v128,
  fine: v128,
  zero: v128,
  half: v128,
  fraction: i32,
  zeroPoint: v128,
): v128 {
  const low = i8x16.shuffle(u, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const high = i8x16.shuffle(u, v, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const r0 = i16x8.narrow_i32x4_s(
    linearFour(i16x8.extend_low_i8x16_s(low), coarse, fine, zero, half, fraction),
    linearFour(i16x8.extend_high_i8x16_s(low), coarse, fine, zero, half, fraction),
  );
  const r1 = i16x8.narrow_i32x4_s(
    linearFour(i16x8.extend_low_i8x16_s(high), coarse, fine, zero, half, fraction),
    linearFour(i16x8.extend_high_i8x16_s(high), coarse, fine, zero, half, fraction),
  );
  return i8x16.narrow_i16x8_s(i16x8.add_sat_s(r0, zeroPoint), i16x8.add_sat_s(r1, zeroPoint));
}

// @ts-ignore: decorator
@inline function linearFour(pairs: v128, coarse: v128, fine: v128, zero: v128, half: v128, fraction: i32): v128 {
  const high = i32x4.shl(i32x4.dot_i16x8_s(pairs, coarse), 15);
  const t = i32x4.add(i32x4.add(high, i32x4.dot_i16x8_s(pairs, fine)), zero);
  return i32x4.shr_s(i32x4.add(i32x4.add(t, half), i32x4.shr_s(t, 31)), fraction);
}

/** The reference: both operands shifted left by 20 and scaled, their sum scaled; before the clamp. */
export function referenceSum(p: Add, a: v128, b: v128): v128 {
  const aZero = i16x8.splat(<i16>p.aZeroPoint);
  const bZero = i16x8.splat(<i16>p.bZeroPoint);
  const a0 = i16x8.sub(i16x8.extend_low_i8x16_s(a), aZero);
  const b0 = i16x8.sub(i16x8.extend_low_i8x16_s(b), bZero);
  const a1 = i16x8.sub(i16x8.extend_high_i8x16_s(a), aZero);
  const b1 = i16x8.sub(i16x8.extend_high_i8x16_s(b), bZero);
  return narrow(
    p,
    referenceFour(p, i32x4.extend_low_i16x8_s(a0), i32x4.extend_low_i16x8_s(b0)),
    referenceFour(p, i32x4.extend_high_i16x8_s(a0), i32x4.extend_high_i16x8_s(b0)),
    referenceFour(p, i32x4.extend_low_i16x8_s(a1), i32x4.extend_low_i16x8_s(b1)),
    referenceFour(p, i32x4.extend_high_i16x8_s(a1), i32x4.extend_high_i16x8_s(b1)),
  );
}

/** A negative multiplier subtracts: the operand is scaled by its absolute value first, so that ties round as in TFLite. */
function referenceFour(p: Add, a: v128, b: v128): v128 {
  const sign = p.bMultiplier >> 31;
  const u = roundingShift(highMul(i32x4.shl(a, 20), i32x4.splat(p.aMultiplier)), -p.aShift);
  const v = roundingShift(highMul(i32x4.shl(b, 20), i32x4.splat((p.bMultiplier ^ sign) - sign)), -p.bShift);
  const signs = i32x4.splat(sign);
  const sum = i32x4.add(u, i32x4.sub(v128.xor(v, signs), signs));
  return roundingShift(highMul(sum, i32x4.splat(p.yMultiplier)), -p.yShift);
}

/** Sixteen results without zero point to int8 with it. */
// @ts-ignore: decorator
@inline export function narrow(p: Add, r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const zeroPoint = v128.load16_splat(changetype<usize>(p), offsetof<Add>("yZeroPoint"));
  return i8x16.narrow_i16x8_s(
    i16x8.add_sat_s(i16x8.narrow_i32x4_s(r0, r1), zeroPoint),
    i16x8.add_sat_s(i16x8.narrow_i32x4_s(r2, r3), zeroPoint),
  );
}
