/**
 * int32 accumulators to int8 in 64-bit integers, for engines without SIMD. A record holds one channel in eight bytes,
 * since flash is short where these run:
 *
 *   multiplier i32 | bias·32 + e, e = −shift from 0 to 30
 *
 * The reference rounds twice: x = (acc·multiplier + 2^30) >> 31, then x / 2^e with ties away from zero. Rounding first
 * and then adding half a unit is adding both halves first, so one shift does; only ties of negative values go the other
 * way, which one unit less gives.
 *
 * e = 31 marks a channel that does not fit: the first word is then the distance from the record to its multiplier,
 * shift and bias, i32 each.
 */
export const RECORD: usize = 8;
const APART: i32 = 31;

// @ts-ignore: decorator
@inline export function requantize(acc: i32, q: usize, lo: i32, hi: i32, zeroPoint: i32): i32 {
  const word = load<i32>(q, 4);
  const e = word & 31;
  let y: i32;
  if (e != APART) {
    const t = <i64>(acc + (word >> 5)) * <i64>load<i32>(q) + (1 << 30);
    y = e ? <i32>((t + ((<i64>1 << 30) << e) + ((t >> 63) << 31)) >> (31 + e)) : <i32>(t >> 31);
  } else y = apart(acc, q + load<u32>(q), zeroPoint);
  y += zeroPoint;
  y = y < lo ? lo : y;
  return y > hi ? hi : y;
}

/**
 * Three accumulators of one channel, to three places: what its record says is taken apart once. Both roundings are one shift where the
 * second is by nothing, too: then it adds nothing.
 */
export function requantize3(
  y0: usize, y1: usize, y2: usize, s0: i32, s1: i32, s2: i32, q: usize, lo: i32, hi: i32, zeroPoint: i32,
): void {
  const word = load<i32>(q, 4);
  const e = word & 31;
  if (e == APART) {
    const r = q + load<u32>(q);
    store<i8>(y2, clamp(apart(s2, r, zeroPoint), lo, hi, zeroPoint));
    store<i8>(y1, clamp(apart(s1, r, zeroPoint), lo, hi, zeroPoint));
    store<i8>(y0, clamp(apart(s0, r, zeroPoint), lo, hi, zeroPoint));
    return;
  }
  const bias = word >> 5;
  const multiplier = <i64>load<i32>(q);
  const shift = <i64>(31 + e);
  const half = e ? (<i64>1 << 30) << e : 0;
  const negative = e ? -(<i64>1 << 31) : 0;
  store<i8>(y2, fixed(s2 + bias, multiplier, shift, half, negative, lo, hi, zeroPoint));
  store<i8>(y1, fixed(s1 + bias, multiplier, shift, half, negative, lo, hi, zeroPoint));
  store<i8>(y0, fixed(s0 + bias, multiplier, shift, half, negative, lo, hi, zeroPoint));
}

// @ts-ignore: decorator
@inline function fixed(
  acc: i32, multiplier: i64, shift: i64, half: i64, negative: i64, lo: i32, hi: i32, zeroPoint: i32,
): i32 {
  const t = <i64>acc * multiplier + (1 << 30);
  return clamp(<i32>((t + half + ((t >> 63) & negative)) >> shift), lo, hi, zeroPoint);
}

function clamp(y: i32, lo: i32, hi: i32, zeroPoint: i32): i32 {
  y += zeroPoint;
  y = y < lo ? lo : y;
  return y > hi ? hi : y;
}

/** The reference's steps, or onnxruntime's rule with an f32 factor where the shift is 64: shift left, rounding doubling high multiply, rounding divide by a power of two. */
function apart(acc: i32, q: usize, zeroPoint: i32): i32 {
  const shift = load<i32>(q, 4);
  acc += load<i32>(q, 8);
  if (shift == 64) return <i32>max(min(nearest(<f32>acc * load<f32>(q)), <f32>1024), <f32>-1024);
  // no shift, but the bits of what is added to the product: the zero point and a part of a step
  if (<u32>(shift + 64) > 128)
    return <i32>max(min(nearest(<f32>acc * load<f32>(q) + reinterpret<f32>(shift)), <f32>1024), <f32>-1024) - zeroPoint;
  const left = shift > 0 ? acc << shift : acc;
  const x = <i32>((<i64>left * <i64>load<i32>(q) + (1 << 30)) >> 31);
  const e = shift < 0 ? -shift : 0;
  const mask = <i32>((<i64>1 << e) - 1);
  const y = (e > 31 ? x >> 31 : x >> e) + i32((x & mask) > (mask >>> 1) + i32(x < 0));
  return max(min(y, 1024), -1024);
}
