/**
 * Weights of nine bits in the relaxed module: as int8, each moved by the same number, which is taken off again as a term of each row,
 * `factor` times the sum of its activations as the dot product takes them.
 */

/** Bytes of the terms of a block of rows, those that two tiles have in common counted twice. */
// @ts-ignore: decorator
@inline export function termsBytes(mBlock: u32): usize {
  return <usize>((mBlock + 11) & ~3) << 2;
}

/** The terms of rows packed at `a`, `row` bytes each: tiles of six up to `six`, of four up to `four`, and one more up to `end`. */
export function storeTerms(terms: usize, a: usize, row: usize, six: u32, four: u32, end: u32, k: u32, factor: i32): void {
  for (let i: u32 = 0; i < end; ) {
    const size: u32 = i < six || (i >= four && end - i == 6) ? 6 : 4;
    fourTerms(terms, a, size << 2, k, factor);
    // those of two more rows; the two behind them are of the next tile
    if (size == 6) fourTerms(terms + 16, a + 16, size << 2, k, factor);
    terms += <usize>size << 2;
    a += <usize>size * row;
    i += size;
  }
}

/** Four rows whose steps are `step` bytes apart. */
function fourTerms(terms: usize, a: usize, step: usize, k: u32, factor: i32): void {
  let sums = i32x4.splat(0);
  if (ASC_FEATURE_RELAXED_SIMD) {
    for (const end = a + <usize>(k >>> 2) * step; a < end; a += step)
      sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(1), v128.load(a), sums);
    const rest = k & 3;
    if (rest) sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(i32x4.splat(0x01010101 >>> ((4 - rest) << 3)), v128.load(a), sums);
  }
  v128.store(terms, i32x4.mul(sums, i32x4.splat(factor)));
}

/** The term of one row of k activations at `a`, as they are in memory. */
export function oneTerm(a: usize, k: u32, factor: i32, mask: v128): i32 {
  // unsigned ones are 128 more each
  let sum = (i32x4.extract_lane(mask, 0) & 128) * k;
  for (const end = a + k; a < end; a++) sum += load<i8>(a);
  return sum * factor;
}
