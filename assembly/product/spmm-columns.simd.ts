/**
 * GEMM with weights pruned one by one. Rows of A become columns side by side, so that weights of one output, broadcast,
 * multiply 28 rows in seven accumulators, or 16 in four; weights that are zero are left out. Where there are not so many
 * rows left, rows before them are computed again with them.
 *
 *   columns, SIMD128: [k/2][16 rows][2] int16. Weights go in pairs of neighbours, of which one at least is not zero
 *   relaxed: [k][16 rows] bytes. Weights go in fours from wherever they stand, the last four filled up with zeros; their columns are interleaved on the way
 *   at `index`, for each output: the number of its pairs or fours as u32, then of each pair, or of each weight of the fours, the
 *   offset in columns in bytes as u16, padded to four bytes
 *   weights: for each output its pairs of int16 or fours of int8, four bytes each
 */
import { Gemm } from "./params";
import { activationMask } from "../common/probe";
import { magic } from "../common/constants.simd";
import { transposeTile } from "../move/permute.simd";
import { A, B, COL_SUM, exact, FIXED, FORM, highest, lowest, narrow, offsetOf, POSITIVE, RECORD, SIGNED } from "../requantize/requantize.simd";
import { Fixed, Positive, requantize, Signed } from "../requantize/requantize.simd";
import { storeBytes } from "../common/bytes.simd";
import { interleaveExactly, rowBytes, SPARE } from "./interleave.simd";

/** Rows that are turned into columns and back together; there are as many at least, and as many k's. */
const ROWS: u32 = 16;
/** Rows of a block: of four accumulators, or of seven, whose last four take the last sixteen of its rows. */
class Four {}
class Seven {}
const MANY: u32 = 28;
const OTHERS: u32 = MANY - ROWS;

export function spmmColumns(p: Gemm, part: u32, parts: u32): void {
  const spare = <usize>p.scratch + <usize>part * p.scratchStride;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const columns = spare + SPARE;
  const others = columns + rowBytes(p.k) * ROWS;
  const m = p.m;
  const blocks = (m + MANY - 1) / MANY;
  const end = min(m, <u32>((<u64>blocks * (part + 1)) / parts) * MANY);
  for (let row = <u32>((<u64>blocks * part) / parts) * MANY; row < end; ) {
    const seven = end - row > ROWS && m >= MANY;
    const rows = seven ? MANY : ROWS;
    const first = min(row, m - rows);
    const x = <usize>p.x + <usize>first * p.xStride;
    const y = <usize>p.y + <usize>first * p.yStride;
    layColumns(p, x, columns, spare, mask);
    if (seven) {
      layColumns(p, x + OTHERS * p.xStride, others, spare, mask);
      allOutputs<Seven>(p, columns, others, y, mask);
    } else allOutputs<Four>(p, columns, others, y, mask);
    row += rows;
  }
}

/** The rows from x on side by side. */
function layColumns(p: Gemm, x: usize, columns: usize, spare: usize, mask: v128): void {
  const stride = <usize>p.xStride;
  const k = p.k;
  if (ASC_FEATURE_RELAXED_SIMD) {
    for (let i: u32 = 0; i < k; i += 16) {
      const at = min(i, k - 16);
      const target = columns + (<usize>at << 4);
      transposeTile(target, x + at, 16, <u32>stride);
      transposeTile(target + 8, x + at + (stride << 3), 16, <u32>stride);
    }
    for (let at = columns, end = columns + (<usize>k << 4); at < end; at += 16) v128.store(at, v128.xor(v128.load(at), mask));
    return;
  }
  for (let j: u32 = 0; j < ROWS; j += 4) {
    const s = x + <usize>j * stride;
    interleaveExactly(columns + (<usize>j << 2), 64, s, s + stride, s + 2 * stride, s + 3 * stride, k, mask, spare);
  }
}

// @ts-ignore: decorator
@inline function dot(w: v128, x: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, acc) : i32x4.add(acc, i32x4.dot_i16x8_s(w, x));
}

// @ts-ignore: decorator
@inline function low(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline function high(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-ignore: decorator
@inline function lowPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline function highPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Every output of a block of rows; eight outputs at a time are turned back into rows of y. */
function allOutputs<V>(p: Gemm, columns: usize, others: usize, y: usize, mask: v128): void {
  const seven = idof<V>() == idof<Seven>();
  const outputs = others + rowBytes(p.k) * ROWS;
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
    const end = w + (<usize>load<u32>(index) << 2);
    index += 4;
    for (; w < end; w += 4) {
      const v = v128.load32_splat(w);
      const x = <usize>load<u16>(index);
      if (ASC_FEATURE_RELAXED_SIMD) {
        const xb = <usize>load<u16>(index, 2);
        const xc = <usize>load<u16>(index, 4);
        const xd = <usize>load<u16>(index, 6);
        let a = v128.load(columns + x);
        let b = v128.load(columns + xb);
        let c = v128.load(columns + xc);
        let d = v128.load(columns + xd);
        let ab = low(a, b);
        let cd = low(c, d);
        r0 = dot(v, lowPairs(ab, cd), r0);
        r1 = dot(v, highPairs(ab, cd), r1);
        ab = high(a, b);
        cd = high(c, d);
        r2 = dot(v, lowPairs(ab, cd), r2);
        r3 = dot(v, highPairs(ab, cd), r3);
        if (seven) {
          a = v128.load(others + x);
          b = v128.load(others + xb);
          c = v128.load(others + xc);
          d = v128.load(others + xd);
          ab = low(a, b);
          cd = low(c, d);
          r4 = dot(v, highPairs(ab, cd), r4);
          ab = high(a, b);
          cd = high(c, d);
          r5 = dot(v, lowPairs(ab, cd), r5);
          r6 = dot(v, highPairs(ab, cd), r6);
        }
        index += 8;
      } else {
        r0 = dot(v, v128.load(columns + x), r0);
        r1 = dot(v, v128.load(columns + x, 16), r1);
        r2 = dot(v, v128.load(columns + x, 32), r2);
        r3 = dot(v, v128.load(columns + x, 48), r3);
        if (seven) {
          r4 = dot(v, v128.load(others + x, 16), r4);
          r5 = dot(v, v128.load(others + x, 32), r5);
          r6 = dot(v, v128.load(others + x, 48), r6);
        }
        index += 2;
      }
    }
    index = (index + 3) & ~3;
    storeRows(p, q, lane, outputs + (lane << 2), r0, r1, r2, r3);
    if (seven) storeRows(p, q, lane, outputs + 128 + (lane << 2), r3, r4, r5, r6);
    if ((o & 7) == 7 || o + 1 == n) {
      const width = (o & 7) + 1;
      const target = y + (o & ~7);
      turn(outputs, target, p.yStride, width);
      if (seven) turn(outputs + 128, target + OTHERS * p.yStride, p.yStride, width);
      q += RECORD;
    }
  }
}

/** Requantizes 16 values of one output, `lane` of the record at q. */
function storeRows(p: Gemm, q: usize, lane: usize, target: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const form = load<u32>(q, FORM);
  q += lane;
  const params = changetype<usize>(p);
  const a = v128.load32_splat(q, A);
  const b = v128.load32_splat(q, B);
  if (form == POSITIVE) v128.store(target, bytes<Positive>(params, a, b, r0, r1, r2, r3));
  else if (form == SIGNED) v128.store(target, bytes<Signed>(params, a, b, r0, r1, r2, r3));
  else if (form == FIXED) v128.store(target, bytes<Fixed>(params, a, b, r0, r1, r2, r3));
  else {
    // A and b stand where outputs come later.
    v128.store(target, a);
    v128.store(target, b, 256);
    const zeroPoint = p.yZeroPoint;
    r0 = exact(r0, target, target + 256, zeroPoint);
    r1 = exact(r1, target, target + 256, zeroPoint);
    r2 = exact(r2, target, target + 256, zeroPoint);
    r3 = exact(r3, target, target + 256, zeroPoint);
    v128.store(target, narrow(r0, r1, r2, r3, lowest<Gemm>(params), highest<Gemm>(params)));
  }
}

// @ts-ignore: decorator
@inline function bytes<F>(params: usize, a: v128, b: v128, r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const m = magic();
  const offset = offsetOf<F>(params + offsetof<Gemm>("yZeroPoint"), m);
  r0 = requantize<F>(r0, a, b, m, offset);
  r1 = requantize<F>(r1, a, b, m, offset);
  r2 = requantize<F>(r2, a, b, m, offset);
  r3 = requantize<F>(r3, a, b, m, offset);
  return narrow(r0, r1, r2, r3, lowest<Gemm>(params), highest<Gemm>(params));
}

/** Up to eight outputs of sixteen rows become rows. */
function turn(outputs: usize, y: usize, yStride: usize, width: u32): void {
  if (width == 8) {
    transposeTile(y, outputs, <u32>yStride, 16);
    return;
  }
  const rows = outputs + 256;
  transposeTile(rows, outputs, 8, 16);
  for (let i: usize = 0; i < 128; i += 8, y += yStride) storeBytes(y, v128.load64_zero(rows + i), width);
}
