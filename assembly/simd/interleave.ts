/**
 * Four rows of activations side by side, as register tiles and columns take them: [k/KR][4 rows][KR], 16 bytes a step.
 * The activations of a step are then broadcast from one address; rows apart need an address each, which on V8 made a
 * sixth of the loop's instructions. SIMD128 widens to int16 on the way, the relaxed module flips top bits by `mask`.
 */
import { copyRun } from "./bytes";

/** Activations that are read at a time: four steps. */
export const CHUNK: u32 = ASC_FEATURE_RELAXED_SIMD ? 16 : 8;
/** k's of one step. */
const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Bytes of one step of four rows. */
export const STEP_A: usize = 16;
/** Bytes that `interleaveExactly` needs to spare. */
export const SPARE: usize = 64;

/** Bytes of four rows of k activations: whole chunks. */
// @ts-ignore: decorator
@inline export function tileBytes(k: u32): usize {
  return <usize>((k + CHUNK - 1) / CHUNK) * (4 * STEP_A);
}

/** Four steps of one row. */
// @ts-ignore: decorator
@inline function chunk(source: usize, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load(source), mask) : v128.load8x8_s(source);
}

/**
 * Interleaves k activations of the rows at s0 to s3 into steps `step` bytes apart. Reads and writes whole chunks: up to
 * 15 bytes beyond k, and up to three steps beyond the last.
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
  for (const end = s0 + k; s0 < end; s0 += CHUNK) {
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
  }
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
