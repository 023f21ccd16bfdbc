/**
 * Rows of activations side by side, as register tiles and columns take them: [k/KR][rows][KR], 4 bytes a step and row.
 * The activations of a step are then broadcast from one address; rows apart need an address each, which on V8 made a
 * sixth of the loop's instructions. SIMD128 widens to int16 on the way, the relaxed module flips top bits by `mask`.
 */
import { copyRun } from "../common/bytes.simd";

/** Rows of a tile. */
export class Four {}
export class Six {}

/** Activations that are read at a time: four steps. */
const CHUNK: u32 = ASC_FEATURE_RELAXED_SIMD ? 16 : 8;
/** k's of one step. */
const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Bytes of one step of one row. */
export const LANE: usize = 4;
/** Bytes that `interleaveExactly` needs to spare. */
export const SPARE: usize = 64;

/** The last address at which a row can be read in whole chunks, where `last` is that of the last row. */
// @ts-ignore: decorator
@inline export function chunkLimit(last: usize, k: u32): usize {
  return last + k - <usize>((k + CHUNK - 1) & ~(CHUNK - 1));
}

/** Bytes of a row of k activations among others: whole chunks. */
// @ts-ignore: decorator
@inline export function rowBytes(k: u32): usize {
  return <usize>((k + CHUNK - 1) / CHUNK) * (4 * LANE);
}

/** Four steps of one row. */
// @ts-ignore: decorator
@inline function chunk(source: usize, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load(source), mask) : v128.load8x8_s(source);
}

/**
 * Interleaves k activations of the rows at s0 to s3 into steps `step` bytes apart, of which they take the first sixteen.
 * Reads and writes whole chunks: up to 15 bytes beyond k, and up to three steps beyond the last.
 */
// @ts-ignore: decorator
@inline export function interleave(
  target: usize,
  step: usize,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  k: u32,
  mask: v128,
): void {
  const end = s0 + k;
  do {
    const a = chunk(s0, mask);
    const b = chunk(s1, mask);
    const c = chunk(s2, mask);
    const d = chunk(s3, mask);
    const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
    v128.store(target, i64x2.shuffle(ab0, cd0, 0, 2));
    v128.store(target + step, i64x2.shuffle(ab0, cd0, 1, 3));
    target += step << 1;
    const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(target, i64x2.shuffle(ab1, cd1, 0, 2));
    v128.store(target + step, i64x2.shuffle(ab1, cd1, 1, 3));
    target += step << 1;
    s1 += CHUNK;
    s2 += CHUNK;
    s3 += CHUNK;
    s0 += CHUNK;
  } while (s0 < end);
}

/** The same without reading beyond k: what is no whole chunk goes through the SPARE bytes at `spare`. */
export function interleaveExactly(
  target: usize,
  step: usize,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  k: u32,
  mask: v128,
  spare: usize,
): void {
  const whole = k & ~(CHUNK - 1);
  if (whole) interleave(target, step, s0, s1, s2, s3, whole, mask);
  if (k == whole) return;
  target += <usize>(whole / KR) * step;
  const rest = k - whole;
  copyRun(spare, s0 + whole, rest);
  copyRun(spare + CHUNK, s1 + whole, rest);
  copyRun(spare + 2 * CHUNK, s2 + whole, rest);
  copyRun(spare + 3 * CHUNK, s3 + whole, rest);
  interleave(target, step, spare, spare + CHUNK, spare + 2 * CHUNK, spare + 3 * CHUNK, rest, mask);
}

/**
 * Rows from s0 on, `stride` bytes apart, none beyond `last`, into tiles of R, where each takes `row` bytes; whole chunks
 * may be read of rows up to `limit`. Rows five and six of a tile come first: what they write beyond themselves is the next step of the first
 * four, or up to LANES_BEYOND bytes after the tile. Returns where the tiles end.
 */
export function interleaveTiles<R>(
  target: usize,
  row: usize,
  s0: usize,
  stride: usize,
  rows: u32,
  last: usize,
  limit: usize,
  k: u32,
  mask: v128,
  spare: usize,
): usize {
  const six = idof<R>() == idof<Six>();
  const size: u32 = six ? 6 : 4;
  const step: usize = six ? 6 * LANE : 4 * LANE;
  const bytes = <usize>size * row;
  for (const end = s0 + <usize>rows * stride; s0 < end; s0 += <usize>size * stride) {
    const s1 = s0 + stride;
    const s2 = s1 + stride;
    const s3 = s2 + stride;
    const s4 = s3 + stride;
    const s5 = s4 + stride;
    if (six) {
      if (s5 <= limit) interleave(target + 16, step, s4, s5, s5, s5, k, mask);
      else interleaveExactly(target + 16, step, s4, s5, s5, s5, k, mask, spare);
    }
    if (s3 <= limit) interleave(target, step, s0, s1, s2, s3, k, mask);
    else interleaveExactly(target, step, s0, min(s1, last), min(s2, last), min(s3, last), k, mask, spare);
    target += bytes;
  }
  return target;
}

/** What the last tile may write beyond itself. */
export const LANES_BEYOND: usize = 16;
