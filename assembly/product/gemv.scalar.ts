/**
 * Products of one or two rows for engines without SIMD: two multiply-adds share one 64-bit multiply where weights stay as
 * they are, three where they may take more memory.
 */
import { Gemm } from "./params";
import { step } from "./gemm.scalar";
import { RECORD, requantize } from "../requantize/requantize.scalar";

/** Every fourth byte of eight: two weights, 32 bits apart. */
const PAIR: i64 = 0x000000ff000000ff;
/** int8 to 0…255, eight at once. */
const FLIP: i64 = 0x8080808080808080;
/** Steps of k whose low halves stay within int32: 32768·255·128 < 2^31. */
const PAIRED: u32 = 65536;

/**
 * Fully-connected layers of few rows, weights as they are: one 64-bit multiply adds two products. Of weights w[j] and
 * w[j+4], 32 bits apart and 128 too large, times x[j+4] + x[j]·2^32 the high half is what both add to the sum.
 */
export function gemv(p: Gemm, part: u32, parts: u32): void {
  const k = <usize>p.k;
  const pairs = <usize>p.scratch + <usize>part * p.scratchStride;
  const first = <u32>((<u64>p.n * part) / parts);
  const last = <u32>((<u64>p.n * (part + 1)) / parts);
  const paired = <usize>(min(p.k, PAIRED) & ~15);
  for (let row: u32 = 0; row < p.m; row++) {
    const x = <usize>p.x + <usize>row * p.xStride;
    const y = <usize>p.y + <usize>row * p.yStride;
    const excess = packPairs(pairs, x, paired) << 7;
    let w = <usize>p.w + <usize>first * k;
    let q = <usize>p.q + <usize>first * RECORD;
    for (let n = first; n < last; n++) {
      let sum: i64 = 0;
      let l = pairs;
      const end = w + k;
      for (const stop = w + paired; w < stop; w += 16) {
        const u = load<i64>(w) ^ FLIP;
        const v = load<i64>(w, 8) ^ FLIP;
        sum +=
          (u & PAIR) * load<i64>(l) +
          ((u >> 8) & PAIR) * load<i64>(l, 8) +
          ((u >> 16) & PAIR) * load<i64>(l, 16) +
          ((u >> 24) & PAIR) * load<i64>(l, 24) +
          (v & PAIR) * load<i64>(l, 32) +
          ((v >> 8) & PAIR) * load<i64>(l, 40) +
          ((v >> 16) & PAIR) * load<i64>(l, 48) +
          ((v >> 24) & PAIR) * load<i64>(l, 56);
        l += 64;
      }
      let acc = <i32>((sum - <i64>(<i32>sum)) >> 32) - excess;
      let a = x + paired;
      for (const end4 = end - 3; w < end4; w += 4) {
        acc +=
          <i32>load<i8>(a) * <i32>load<i8>(w) +
          <i32>load<i8>(a, 1) * <i32>load<i8>(w, 1) +
          <i32>load<i8>(a, 2) * <i32>load<i8>(w, 2) +
          <i32>load<i8>(a, 3) * <i32>load<i8>(w, 3);
        a += 4;
      }
      while (w < end) acc += <i32>load<i8>(a++) * <i32>load<i8>(w++);
      store<i8>(y + n, requantize(acc, q, p.lo, p.hi, p.yZeroPoint));
      q += RECORD;
    }
  }
}

/** x[j+4] + x[j]·2^32 for the first four j of each eight; returns the sum of x. */
function packPairs(target: usize, x: usize, length: usize): i32 {
  let sum = 0;
  for (const end = x + length; x < end; x += 4) {
    for (const half = x + 4; x < half; x++) {
      const low = <i32>load<i8>(x, 4);
      const high = <i32>load<i8>(x);
      store<i64>(target, <i64>low + (<i64>high << 32));
      sum += low + high;
      target += 8;
    }
  }
  return sum;
}

/**
 * The same with the weights of three columns in one i64, w0 + w1·2^21 + w2·2^42, packed so: [n/3][k] i64. Eight bytes
 * for three weights buy a third of the instructions.
 */
export function gemvWide(p: Gemm, part: u32, parts: u32): void {
  const k = p.k;
  const triples = (p.n + 2) / 3;
  const last = <u32>((<u64>triples * (part + 1)) / parts);
  for (let row: u32 = 0; row < p.m; row++) {
    const x = <usize>p.x + <usize>row * p.xStride;
    const y = <usize>p.y + <usize>row * p.yStride;
    for (let triple = <u32>((<u64>triples * part) / parts); triple < last; triple++) {
      columns3(p, x, <usize>p.w + ((<usize>triple * k) << 3), y, triple * 3);
    }
  }
}

function columns3(p: Gemm, x: usize, w: usize, y: usize, n: u32): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  const end = x + p.k;
  while (x < end) {
    const stop = min(x + p.chunk, end);
    const stop4 = x + ((stop - x) & ~3);
    let acc: i64 = 0;
    while (x < stop4) {
      acc += <i64>load<i8>(x) * load<i64>(w);
      acc += <i64>load<i8>(x, 1) * load<i64>(w, 8);
      acc += <i64>load<i8>(x, 2) * load<i64>(w, 16);
      acc += <i64>load<i8>(x, 3) * load<i64>(w, 24);
      x += 4;
      w += 32;
    }
    while (x < stop) {
      acc += step(x, w);
      x++;
      w += 8;
    }
    const l0 = (acc << 43) >> 43;
    acc = (acc - l0) >> 21;
    const l1 = (acc << 43) >> 43;
    s0 += <i32>l0;
    s1 += <i32>l1;
    s2 += <i32>((acc - l1) >> 21);
  }
  const q = <usize>p.q + <usize>n * RECORD;
  store<i8>(y + n, requantize(s0, q, p.lo, p.hi, p.yZeroPoint));
  if (n + 1 < p.n) store<i8>(y + n + 1, requantize(s1, q + RECORD, p.lo, p.hi, p.yZeroPoint));
  if (n + 2 < p.n) store<i8>(y + n + 2, requantize(s2, q + 2 * RECORD, p.lo, p.hi, p.yZeroPoint));
}
