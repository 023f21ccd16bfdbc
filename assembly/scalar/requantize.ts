/**
 * int32 accumulators to int8 in 64-bit integers, for engines without SIMD. A record holds one channel:
 *
 *   c i64 | multiplier i64 | shift i64 | negative i64 | form i32 | bias i32
 *
 * The reference's double rounding is one shift of acc·multiplier + c, because rounding first and then adding half a
 * unit of the second shift is adding both halves first; only ties of negative values go the other way, one unit lower:
 * those are the sums below `negative`. The packer folds bias, both halves and the zero point into c where nothing can
 * overflow, else it takes form EXACT.
 */
export const EXACT: u32 = 0;
export const FOLDED: u32 = 1;

export const RECORD: usize = 40;

// @ts-ignore: decorator
@inline export function requantize(acc: i32, q: usize, lo: i32, hi: i32, zeroPoint: i32): i32 {
  let y: i32;
  if (load<u32>(q, 32) == FOLDED) {
    const t = <i64>acc * load<i64>(q, 8) + load<i64>(q);
    y = <i32>((t - (<i64>(t < load<i64>(q, 24)) << 31)) >> load<i64>(q, 16));
  } else y = exact(acc + load<i32>(q, 36), load<i32>(q, 8), load<i32>(q, 16)) + zeroPoint;
  y = y < lo ? lo : y;
  return y > hi ? hi : y;
}

/** The reference's steps: shift left, rounding doubling high multiply, rounding divide by a power of two. */
function exact(acc: i32, multiplier: i32, shift: i32): i32 {
  const left = shift > 0 ? acc << shift : acc;
  const x = <i32>((<i64>left * <i64>multiplier + (1 << 30)) >> 31);
  const e = shift < 0 ? -shift : 0;
  const mask = <i32>((<i64>1 << e) - 1);
  const q = (e > 31 ? x >> 31 : x >> e) + i32((x & mask) > (mask >>> 1) + i32(x < 0));
  return max(min(q, 1024), -1024);
}
