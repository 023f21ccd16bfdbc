/**
 * One row of A against all panels (fully-connected layers): a 1×32 tile. SIMD128 widens B on the fly, because each
 * weight is used once; the relaxed dot product takes it as it is. Parts share the panels.
 */
import { Gemm } from "./params";
import { activationMask } from "../common/probe";
import { clamped, highest, initial, lowest, RECORD, requantizeAny } from "../requantize/requantize.simd";
import { copyRun, storeBytes } from "../common/bytes.simd";
import { oneTerm } from "./terms.simd";
import { widen } from "./widen.simd";

/** k's in one step of a panel, and bytes of that step as int8: eight columns. */
const KR: u32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
const STEP: usize = KR * 8;

/** acc + the products of KR k's and four columns at w. */
// @ts-ignore: decorator
@inline function dot(wide: bool, x: v128, w: usize, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(w), x, acc)
    : i32x4.add(acc, i32x4.dot_i16x8_s(x, wide ? v128.load(w) : v128.load8x8_s(w)));
}

/** Bytes of a step, and from its columns 0–3 to its columns 4–7, as the panels are stored. */
// @ts-ignore: decorator
@inline function stepBytes(wide: bool): usize {
  return wide && !ASC_FEATURE_RELAXED_SIMD ? 2 * STEP : STEP;
}

export function gemv(p: Gemm, part: u32, parts: u32): void {
  rowsByPanels(p, part, parts, false);
}

/** The same with panels of int16 for SIMD128, where twice the memory buys the widening. */
export function gemvWide(p: Gemm, part: u32, parts: u32): void {
  rowsByPanels(p, part, parts, true);
}

// @ts-ignore: decorator
@inline function rowsByPanels(p: Gemm, part: u32, parts: u32, wide: bool): void {
  const panel = <usize>((p.k + KR - 1) / KR) * stepBytes(wide);
  const a = <usize>p.scratch + <usize>part * p.scratchStride;
  const panels = (p.n + 7) >>> 3;
  const first = <u32>((<u64>panels * part) / parts);
  const last = <u32>((<u64>panels * (part + 1)) / parts);
  let row: u32 = 0;
  do {
    const x = <usize>p.x + <usize>row * p.xStride;
    if (ASC_FEATURE_RELAXED_SIMD) copyRun(a, x, p.k);
    else widen(a, x, p.k);
    const term = ASC_FEATURE_RELAXED_SIMD && p.index ? oneTerm(a, p.k, p.index, activationMask()) : 0;
    const y = <usize>p.y + <usize>row * p.yStride;
    let i = first;
    for (; i + 4 <= last && (i + 4) << 3 <= p.n; i += 4) {
      columns32(p, wide, a, <usize>p.w + <usize>i * panel, panel, <usize>p.q + <usize>i * RECORD, y + (<usize>i << 3), term);
    }
    for (; i < last; i++) {
      columns8(p, wide, a, <usize>p.w + <usize>i * panel, panel, <usize>p.q + <usize>i * RECORD, y + (<usize>i << 3), min(p.n - (i << 3), 8), term);
    }
    row++;
  } while (row < p.m);
}

/**
 * The sums of at most four columns, whose weights stand column by column, zeros up to a whole step: lanes are k's instead. SIMD128
 * has this of widened weights only: even those take less memory than panels.
 */
// @ts-ignore: decorator
@inline function fewColumns(p: Gemm, a: usize, w: usize, mask: v128): v128 {
  const end = a + ((<usize>p.k * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2) + 15) & ~15);
  // behind the row the sums of the lanes, then those of the columns
  let sum = end + 16;
  const last = sum + (<usize>p.n << 2);
  do {
    let r = i32x4.splat(0);
    let x = a;
    do {
      r = dot(true, ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load(x), mask) : v128.load(x), w, r);
      w += 16;
      x += 16;
    } while (x < end);
    v128.store(end, r);
    store<i32>(sum, load<i32>(end) + load<i32>(end, 4) + load<i32>(end, 8) + load<i32>(end, 12));
    sum += 4;
  } while (sum < last);
  return v128.load(end, 16);
}

// @ts-ignore: decorator
@inline function columns32(p: Gemm, wide: bool, a: usize, w: usize, panel: usize, q: usize, y: usize, term: i32): void {
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const step = stepBytes(wide);
  const half = step >> 1;
  let r0 = initial(q, mask);
  let r1 = initial(q + 16, mask);
  let r2 = initial(q + RECORD, mask);
  let r3 = initial(q + RECORD + 16, mask);
  let r4 = initial(q + 2 * RECORD, mask);
  let r5 = initial(q + 2 * RECORD + 16, mask);
  let r6 = initial(q + 3 * RECORD, mask);
  let r7 = initial(q + 3 * RECORD + 16, mask);
  if (ASC_FEATURE_RELAXED_SIMD && term) {
    const all = i32x4.splat(term);
    r0 = i32x4.add(r0, all);
    r1 = i32x4.add(r1, all);
    r2 = i32x4.add(r2, all);
    r3 = i32x4.add(r3, all);
    r4 = i32x4.add(r4, all);
    r5 = i32x4.add(r5, all);
    r6 = i32x4.add(r6, all);
    r7 = i32x4.add(r7, all);
  }
  const end = w + panel;
  const w1 = panel;
  const w2 = panel + panel;
  const w3 = w2 + panel;
  do {
    const x = ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load32_splat(a), mask) : v128.load32_splat(a);
    r0 = dot(wide, x, w, r0);
    r1 = dot(wide, x, w + half, r1);
    r2 = dot(wide, x, w + w1, r2);
    r3 = dot(wide, x, w + w1 + half, r3);
    r4 = dot(wide, x, w + w2, r4);
    r5 = dot(wide, x, w + w2 + half, r5);
    r6 = dot(wide, x, w + w3, r6);
    r7 = dot(wide, x, w + w3 + half, r7);
    w += step;
    a += 4;
  } while (w < end);
  const params = changetype<usize>(p);
  const z = params + offsetof<Gemm>("yZeroPoint");
  const lo = lowest<Gemm>(params);
  const hi = highest<Gemm>(params);
  v128.store(y, clamped(requantizeAny(r0, r1, q, z), requantizeAny(r2, r3, q + RECORD, z), lo, hi));
  r4 = requantizeAny(r4, r5, q + 2 * RECORD, z);
  r6 = requantizeAny(r6, r7, q + 3 * RECORD, z);
  v128.store(y, clamped(r4, r6, lo, hi), 16);
}

// @ts-ignore: decorator
@inline function columns8(p: Gemm, wide: bool, a: usize, w: usize, panel: usize, q: usize, y: usize, width: u32, term: i32): void {
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const step = stepBytes(wide);
  const half = step >> 1;
  let r0 = initial(q, mask);
  let r1 = initial(q + 16, mask);
  if (ASC_FEATURE_RELAXED_SIMD && term) {
    r0 = i32x4.add(r0, i32x4.splat(term));
    r1 = i32x4.add(r1, i32x4.splat(term));
  }
  const end = w + panel;
  if ((wide || ASC_FEATURE_RELAXED_SIMD) && p.mBlock) r0 = i32x4.add(r0, fewColumns(p, a, w, mask));
  else do {
    const x = ASC_FEATURE_RELAXED_SIMD ? v128.xor(v128.load32_splat(a), mask) : v128.load32_splat(a);
    r0 = dot(wide, x, w, r0);
    r1 = dot(wide, x, w + half, r1);
    w += step;
    a += 4;
  } while (w < end);
  const params = changetype<usize>(p);
  const z = params + offsetof<Gemm>("yZeroPoint");
  r0 = requantizeAny(r0, r1, q, z);
  const v = clamped(r0, r0, lowest<Gemm>(params), highest<Gemm>(params));
  if (width == 8) v128.store64_lane(y, v, 0);
  else storeBytes(y, v, width);
}
