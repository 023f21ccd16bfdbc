/**
 * Sums of products in scratch to int8 or int16. Eight sums to a row, i32 or i64 each.
 *
 * int8 takes the records of the int8 kernels. Else, and always for int16, a record is one of eight channels in lanes:
 *
 *     bias i64 ×8 | multiplier i32 ×8 | shift i32 ×8 | form u32, common shift u32, two words free
 *
 * The reference takes sums of 64 bits times the multiplier's upper 15 bits, rounded once; sums of 32 bits (models with a
 * bias of 32 bits) with all 31 bits, rounded twice. UNIFORM has multipliers raised so that all shifts are one, and its
 * bias as i32 ×8.
 */
import { Finish } from "./wide-params";
import { storeBytes } from "../common/bytes.simd";
import { clamp, rescale } from "../common/fixedpoint";
import { magic } from "../common/constants.simd";
import { requantize as requantizeOne } from "../requantize/requantize.scalar";
import {
  A,
  B,
  clamped,
  exact,
  FIXED,
  Fixed,
  FORM as FORM8,
  highest,
  lowest,
  narrow,
  offsetOf,
  POSITIVE,
  Positive,
  RECORD as RECORD8,
  requantize,
  requantizeAny,
  SIGNED,
  Signed,
} from "../requantize/requantize.simd";

/** The reference's arithmetic on 64 bits, one lane at a time: shift is to the right. */
const LANES64: u32 = 0;
/** On 32 bits: shift is to the left where positive. */
const LANES32: u32 = 1;
/** Sums of 32 bits times raised multipliers, one shift for all. */
const UNIFORM: u32 = 2;

const LANES_RECORD: usize = 144;
const MULTIPLIER: usize = 64;
const SHIFT: usize = 96;
const FORM: usize = 128;
const COMMON: usize = 132;

/** Where the records of panel `panel` begin. */
// @ts-ignore: decorator
@inline export function recordOf(p: Finish, panel: u32): usize {
  if (p.lanes) return <usize>p.q + <usize>panel * LANES_RECORD;
  return <usize>p.q + <usize>panel * (ASC_FEATURE_SIMD ? RECORD8 : 64);
}

/** One row of up to eight sums at `sums` to `y`; `column` is the first. */
export function finish(p: Finish, sums: usize, wide: bool, q: usize, y: usize, column: u32, width: u32): void {
  if (p.bias) addBias(p, sums, wide, column, width);
  if (p.lanes) finishLanes(p, sums, wide, q, y, width);
  else finish8(p, sums, q, y, width);
}

/** A bias that is computed, to sums that begin at 0. */
function addBias(p: Finish, sums: usize, wide: bool, column: u32, width: u32): void {
  const bytes = p.biasBytes;
  let from = <usize>p.bias + <usize>column * bytes;
  for (let c: u32 = 0; c < width; c++) {
    const b = bytes == 8 ? load<i64>(from) : <i64>load<i32>(from);
    if (wide) store<i64>(sums + (<usize>c << 3), load<i64>(sums + (<usize>c << 3)) + b);
    else store<i32>(sums + (<usize>c << 2), load<i32>(sums + (<usize>c << 2)) + <i32>b);
    from += bytes;
  }
}

function finish8(p: Finish, sums: usize, q: usize, y: usize, width: u32): void {
  if (ASC_FEATURE_SIMD) {
    const params = changetype<usize>(p);
    const r0 = i32x4.add(v128.load(sums), v128.load(q));
    const r1 = i32x4.add(v128.load(sums, 16), v128.load(q, 16));
    const eight = requantizeAny(r0, r1, q, params + offsetof<Finish>("yZeroPoint"));
    const v = clamped(eight, eight, lowest<Finish>(params), highest<Finish>(params));
    if (width == 8) v128.store64_lane(y, v, 0);
    else storeBytes(y, v, width);
  } else {
    for (const end = y + width; y < end; y++) {
      store<i8>(y, requantizeOne(load<i32>(sums), q, p.lo, p.hi, p.yZeroPoint));
      sums += 4;
      q += 8;
    }
  }
}

/** Four rows of eight sums of 32 bits to int8 at the four addresses + `offset`, the form looked up once. */
export function finishTile(p: Finish, sums: usize, q: usize, addresses: usize, offset: usize): void {
  const form = load<u32>(q, FORM8);
  const params = changetype<usize>(p);
  if (form == POSITIVE) tile<Positive>(params, sums, q, addresses, offset);
  else if (form == SIGNED) tile<Signed>(params, sums, q, addresses, offset);
  else if (form == FIXED) tile<Fixed>(params, sums, q, addresses, offset);
  else tile<void>(params, sums, q, addresses, offset);
}

// @ts-ignore: decorator
@inline function tile<F>(params: usize, sums: usize, q: usize, addresses: usize, offset: usize): void {
  for (const end = addresses + 16; addresses < end; addresses += 4) {
    v128.store64_lane(<usize>load<u32>(addresses) + offset, eight<F>(params, sums, q), 0);
    sums += 32;
  }
}

/** Eight sums as int8 in the form F; EXACT where F is void. */
// @ts-ignore: decorator
@inline function eight<F>(params: usize, sums: usize, q: usize): v128 {
  let r0 = i32x4.add(v128.load(sums), v128.load(q));
  let r1 = i32x4.add(v128.load(sums, 16), v128.load(q, 16));
  if (isVoid<F>()) {
    const zeroPoint = changetype<Finish>(params).yZeroPoint;
    r0 = exact(r0, q + A, q + B, zeroPoint);
    r1 = exact(r1, q + A + 16, q + B + 16, zeroPoint);
  } else {
    const m = magic();
    const offset = offsetOf<F>(params + offsetof<Finish>("yZeroPoint"), m);
    r0 = requantize<F>(r0, v128.load(q, A), v128.load(q, B), m, offset);
    r1 = requantize<F>(r1, v128.load(q, A + 16), v128.load(q, B + 16), m, offset);
  }
  return narrow(r0, r1, r0, r1, lowest<Finish>(params), highest<Finish>(params));
}

function finishLanes(p: Finish, sums: usize, wide: bool, q: usize, y: usize, width: u32): void {
  if (ASC_FEATURE_SIMD) {
    if (load<u32>(q, FORM) == UNIFORM) {
      const v = uniform(p, sums, q);
      if (width == 8) v128.store(y, v);
      else if (width >= 4) {
        v128.store64_lane(y, v, 0);
        if (width > 4) storeBytes(y + 8, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15), (width - 4) << 1);
      } else storeBytes(y, v, width << 1);
      return;
    }
  }
  const whole = load<u32>(q, FORM) == LANES32;
  const lo = p.lo;
  const hi = p.hi;
  const zeroPoint = p.yZeroPoint;
  for (let c: usize = 0; c < width; c++) {
    const at = q + (c << 2);
    const multiplier = load<i32>(at, MULTIPLIER);
    const shift = load<i32>(at, SHIFT);
    const sum = (wide ? load<i64>(sums + (c << 3)) : <i64>load<i32>(sums + (c << 2))) + load<i64>(q + (c << 3));
    let value: i32;
    if (whole) value = rescale(<i32>sum, multiplier, shift);
    else value = <i32>((sum * <i64>multiplier + (<i64>1 << (shift - 1))) >> shift);
    value = clamp(value + zeroPoint, lo, hi);
    if (p.yBytes == 1) store<i8>(y + c, value);
    else store<i16>(y + (c << 1), value);
  }
}

/** Eight sums of 32 bits as int16. */
// @ts-ignore: decorator
@inline function uniform(p: Finish, sums: usize, q: usize): v128 {
  const shift = load<i32>(q, COMMON);
  const half = i64x2.splat(<i64>1 << (shift - 1));
  const r0 = scaled(i32x4.add(v128.load(sums), v128.load(q)), v128.load(q, MULTIPLIER), half, shift);
  const r1 = scaled(i32x4.add(v128.load(sums, 16), v128.load(q, 16)), v128.load(q, MULTIPLIER + 16), half, shift);
  const zeroPoint = i32x4.splat(p.yZeroPoint);
  const v = i16x8.narrow_i32x4_s(i32x4.add(r0, zeroPoint), i32x4.add(r1, zeroPoint));
  return i16x8.min_s(i16x8.max_s(v, i16x8.splat(<i16>p.lo)), i16x8.splat(<i16>p.hi));
}

// @ts-ignore: decorator
@inline function scaled(r: v128, multiplier: v128, half: v128, shift: i32): v128 {
  const low = i64x2.shr_s(i64x2.add(i64x2.extmul_low_i32x4_s(r, multiplier), half), shift);
  const high = i64x2.shr_s(i64x2.add(i64x2.extmul_high_i32x4_s(r, multiplier), half), shift);
  return i32x4.shuffle(low, high, 0, 2, 4, 6);
}
