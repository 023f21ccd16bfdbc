/**
 * GEMM with weights pruned one by one. The rows of A become columns: 28 rows side by side for each step of KR k's, so
 * that one weight step of one output, broadcast, multiplies 28 rows in seven accumulators; steps that are all zero are
 * left out.
 *
 *   columns: [k/KR][28 rows][KR], 112 bytes a step
 *   at `index`, for each output: the number of its steps as u32, then each step's offset in columns as u16 in units of
 *   16 bytes, padded to four bytes
 *   weights: for each output, its steps of KR weights, four bytes each (int16 for KR = 2, int8 for KR = 4)
 */
import { Gemm } from "./params";
import { activationMask } from "../common/probe";
import { magic } from "../common/constants.simd";
import { transposeTile } from "../move/permute.simd";
import { A, B, COL_SUM, exactLane, FIXED, FORM, highest, lowest, narrow, offsetOf, POSITIVE, RECORD, SIGNED } from "../requantize/requantize.simd";
import { Fixed, Positive, requantize, Signed } from "../requantize/requantize.simd";
import { storeBytes } from "../common/bytes.simd";
import { interleaveExactly, rowBytes, SPARE } from "./interleave.simd";

/** Rows at a time, and the bytes of one step of them. */
const ROWS: u32 = 28;
const STEP: usize = 112;

export function spmmColumns(p: Gemm, part: u32, parts: u32): void {
  const spare = <usize>p.scratch + <usize>part * p.scratchStride;
  const columns = spare + SPARE;
  const outputs = columns + rowBytes(p.k) * ROWS;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const blocks = (p.m + ROWS - 1) / ROWS;
  const end = <u32>((<u64>blocks * (part + 1)) / parts);
  for (let i = <u32>((<u64>blocks * part) / parts); i < end; i++) {
    const row = i * ROWS;
    const count = min(ROWS, p.m - row);
    layColumns(p, row, count, columns, spare, mask);
    allOutputs(p, columns, outputs, <usize>p.y + <usize>row * p.yStride, count, mask);
  }
}

/** Rows four at a time side by side; rows that are not there repeat the last. */
function layColumns(p: Gemm, row: u32, count: u32, columns: usize, spare: usize, mask: v128): void {
  const stride = <usize>p.xStride;
  const first = <usize>p.x + <usize>row * stride;
  const last = first + <usize>(count - 1) * stride;
  for (let j: u32 = 0; j < ROWS; j += 4) {
    const s = first + <usize>j * stride;
    const target = columns + (<usize>j << 2);
    interleaveExactly(target, STEP, min(s, last), min(s + stride, last), min(s + 2 * stride, last), min(s + 3 * stride, last), p.k, mask, spare);
  }
}

// @ts-ignore: decorator
@inline function dot(w: v128, x: usize, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, v128.load(x), acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(w, v128.load(x)));
}

/** Every output of a block of rows; eight outputs at a time are turned back into rows of y. */
function allOutputs(p: Gemm, columns: usize, outputs: usize, y: usize, count: u32, mask: v128): void {
  const n = p.n;
  const flips = ASC_FEATURE_RELAXED_SIMD && i32x4.extract_lane(mask, 0) != 0;
  let w = <usize>p.w;
  let index = <usize>p.index;
  let q = <usize>p.q;
  for (let o: u32 = 0; o < n; o++) {
    const lane = <usize>(o & 7) << 2;
    let bias = load<i32>(q + lane);
    if (flips) bias += load<i32>(q + lane, COL_SUM);
    let r0 = i32x4.splat(bias);
    let r1 = r0;
    let r2 = r0;
    let r3 = r0;
    let r4 = r0;
    let r5 = r0;
    let r6 = r0;
    let offset = index + 4;
    const end = offset + (<usize>load<u32>(index) << 1);
    for (; offset < end; offset += 2) {
      const x = columns + (<usize>load<u16>(offset) << 4);
      const v = v128.load32_splat(w);
      r0 = dot(v, x, r0);
      r1 = dot(v, x + 16, r1);
      r2 = dot(v, x + 32, r2);
      r3 = dot(v, x + 48, r3);
      r4 = dot(v, x + 64, r4);
      r5 = dot(v, x + 80, r5);
      r6 = dot(v, x + 96, r6);
      w += 4;
    }
    index = (end + 3) & ~3;
    const target = outputs + (lane << 3);
    const form = load<u32>(q, FORM);
    if (form == POSITIVE) storeRows<Positive>(p, q + lane, target, r0, r1, r2, r3, r4, r5, r6);
    else if (form == SIGNED) storeRows<Signed>(p, q + lane, target, r0, r1, r2, r3, r4, r5, r6);
    else if (form == FIXED) storeRows<Fixed>(p, q + lane, target, r0, r1, r2, r3, r4, r5, r6);
    else storeExact(p, q + lane, target, outputs + 256, r0, r1, r2, r3, r4, r5, r6);
    if ((o & 7) == 7 || o + 1 == n) {
      turn(outputs, y + (o & ~7), p.yStride, count, min(n - (o & ~7), 8));
      q += RECORD;
    }
  }
}

/** Requantizes 28 values of one output; its a and b are broadcast. */
// @ts-ignore: decorator
@inline function storeRows<F>(
  p: Gemm,
  q: usize,
  target: usize,
  r0: v128,
  r1: v128,
  r2: v128,
  r3: v128,
  r4: v128,
  r5: v128,
  r6: v128,
): void {
  const a = v128.load32_splat(q, A);
  const b = v128.load32_splat(q, B);
  const params = changetype<usize>(p);
  const m = magic();
  const offset = offsetOf<F>(params + offsetof<Gemm>("yZeroPoint"), m);
  const lo = lowest<Gemm>(params);
  const hi = highest<Gemm>(params);
  r0 = requantize<F>(r0, a, b, m, offset);
  r1 = requantize<F>(r1, a, b, m, offset);
  r2 = requantize<F>(r2, a, b, m, offset);
  r3 = requantize<F>(r3, a, b, m, offset);
  v128.store(target, narrow(r0, r1, r2, r3, lo, hi));
  r4 = requantize<F>(r4, a, b, m, offset);
  r5 = requantize<F>(r5, a, b, m, offset);
  r6 = requantize<F>(r6, a, b, m, offset);
  v128.store(target, narrow(r4, r5, r6, r6, lo, hi), 16);
}

/** The same by 64-bit integers, through memory. */
function storeExact(
  p: Gemm,
  q: usize,
  target: usize,
  spill: usize,
  r0: v128,
  r1: v128,
  r2: v128,
  r3: v128,
  r4: v128,
  r5: v128,
  r6: v128,
): void {
  v128.store(spill, r0);
  v128.store(spill, r1, 16);
  v128.store(spill, r2, 32);
  v128.store(spill, r3, 48);
  v128.store(spill, r4, 64);
  v128.store(spill, r5, 80);
  v128.store(spill, r6, 96);
  for (let i: usize = 0; i < ROWS; i++) {
    const v = exactLane(load<i32>(spill + (i << 2)), load<i32>(q, A), load<i32>(q, B), p.yZeroPoint);
    store<i8>(target + i, min(max(v, p.lo), p.hi));
  }
}

/** Eight outputs of 28 rows each become rows of eight. */
function turn(outputs: usize, y: usize, yStride: usize, count: u32, width: u32): void {
  const rows = outputs + 256;
  for (let half: usize = 0; half < 32; half += 16) transposeTile(rows + (half << 3), outputs + half, 8, 32);
  for (let i: u32 = 0; i < count; i++) {
    const v = v128.load64_zero(rows + (<usize>i << 3));
    if (width == 8) v128.store64_lane(y, v, 0);
    else storeBytes(y, v, width);
    y += yStride;
  }
}
