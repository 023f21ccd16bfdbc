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
  const lo = p.lo;
  const hi = p.hi;
  const zeroPoint = p.yZeroPoint;
  for (let row: u32 = 0; row < p.m; row++) {
    const x = <usize>p.x + <usize>row * p.xStride;
    let y = <usize>p.y + <usize>row * p.yStride;
    const excess = packPairs(pairs, x, paired) << 7;
    let w = <usize>p.w + <usize>first * k;
    let q = <usize>p.q + <usize>first * RECORD;
    const lastY = y + last;
    for (y += first; y < lastY; y++) {
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
      store<i8>(y, requantize(acc, q, lo, hi, zeroPoint));
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
  const n = p.n;
  const triples = (n + 2) / 3;
  const first = <u32>((<u64>triples * part) / parts);
  const last = min(<u32>((<u64>triples * (part + 1)) / parts) * 3, n);
  const k = <usize>p.k;
  const chunk = min(<usize>p.chunk, k);
  const lo = p.lo;
  const hi = p.hi;
  const zeroPoint = p.yZeroPoint;
  for (let row: u32 = 0; row < p.m; row++) {
    const x0 = <usize>p.x + <usize>row * p.xStride;
    const y0 = <usize>p.y + <usize>row * p.yStride;
    const end = x0 + k;
    const lastY = y0 + last;
    let w = <usize>p.w + ((<usize>first * k) << 3);
    let q = <usize>p.q + <usize>first * (3 * RECORD);
    for (let y = y0 + first * 3; y < lastY; ) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let x = x0;
      do {
        const stop = x + chunk < end ? x + chunk : end;
        let acc: i64 = 0;
        for (const stop4 = stop - 3; x < stop4; x += 4) {
          acc +=
            <i64>load<i8>(x) * load<i64>(w) +
            <i64>load<i8>(x, 1) * load<i64>(w, 8) +
            <i64>load<i8>(x, 2) * load<i64>(w, 16) +
            <i64>load<i8>(x, 3) * load<i64>(w, 24);
          w += 32;
        }
        for (; x < stop; x++) {
          acc += step(x, w);
          w += 8;
        }
        const l0 = (acc << 43) >> 43;
        acc = (acc - l0) >> 21;
        const l1 = (acc << 43) >> 43;
        s0 += <i32>l0;
        s1 += <i32>l1;
        s2 += <i32>((acc - l1) >> 21);
      } while (x < end);
      store<i8>(y, requantize(s0, q, lo, hi, zeroPoint));
      if (++y == lastY) break;
      store<i8>(y, requantize(s1, q + RECORD, lo, hi, zeroPoint));
      if (++y == lastY) break;
      store<i8>(y++, requantize(s2, q + 2 * RECORD, lo, hi, zeroPoint));
      q += 3 * RECORD;
    }
  }
}
