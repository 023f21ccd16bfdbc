/**
 * Products of floats whose weights are mostly zeros. The rows of A become columns, 32 rows side by side for each k, so that one
 * weight, broadcast, multiplies 32 rows in eight accumulators; zeros are left out. Every output is one sum in the order of k, as
 * in `gemm-f32.ts`.
 *
 *   columns: [k][32 rows] | outputs: [4][32 rows]
 *   weights: of each output, the bytes of its weights as u32, its bias, then each one's offset in columns as u32 and the weight
 * @full
 */
import { atLeast, atMost } from "../common/lanes";
import { GemmF32 } from "./f32-params";
import { turnFour } from "./pack-f32";
import { Float } from "./finish-f32";
import { add } from "./tile-f32";

/** Rows at a time, of which there are as many at least, and their bytes; k and n are multiples of four. */
const ROWS: u32 = 32;
const STEP: usize = 128;

/** Parts take blocks of rows in turns; the last ones are computed with some before them again. */
export function spmmF32(p: GemmF32, part: u32, parts: u32): void {
  const columns = <usize>p.scratch + <usize>part * p.scratchStride;
  const outputs = columns + <usize>p.k * STEP;
  for (let i = part * ROWS; i < p.m; i += parts * ROWS) {
    const row = min(i, p.m - ROWS);
    let x = <usize>p.x + <usize>row * p.xStride;
    for (let to = columns; to < columns + STEP; to += 16) {
      turnFour(to, x, p.k, p.xStride, STEP);
      x += p.xStride << 2;
    }
    let y = <usize>p.y + <usize>row * p.yStride;
    let w = <usize>p.w;
    for (const end = y + (p.n << 2); y < end; y += 16) {
      for (let to = outputs; to < outputs + 4 * STEP; to += STEP) w = oneOutput(p, columns, to, w);
      turnFour(y, outputs, ROWS, STEP, p.yStride);
    }
  }
}

/** 32 rows of one output, whose weights are at w; returns where the next one's are. */
function oneOutput(p: GemmF32, columns: usize, to: usize, w: usize): usize {
  let r0 = f32x4.splat(0);
  let r1 = r0;
  let r2 = r0;
  let r3 = r0;
  let r4 = r0;
  let r5 = r0;
  let r6 = r0;
  let r7 = r0;
  const head = w;
  w += 8;
  const end = w + load<u32>(head);
  for (; w < end; w += 8) {
    const x = columns + load<u32>(w);
    const v = v128.load32_splat(w, 4);
    r0 = add<Float>(v, v128.load(x), r0);
    r1 = add<Float>(v, v128.load(x, 16), r1);
    r2 = add<Float>(v, v128.load(x, 32), r2);
    r3 = add<Float>(v, v128.load(x, 48), r3);
    r4 = add<Float>(v, v128.load(x, 64), r4);
    r5 = add<Float>(v, v128.load(x, 80), r5);
    r6 = add<Float>(v, v128.load(x, 96), r6);
    r7 = add<Float>(v, v128.load(x, 112), r7);
  }
  const bias = v128.load32_splat(head, 4);
  const lo = f32x4.splat(p.lo);
  const hi = f32x4.splat(p.hi);
  v128.store(to, finish(r0, bias, lo, hi));
  v128.store(to, finish(r1, bias, lo, hi), 16);
  v128.store(to, finish(r2, bias, lo, hi), 32);
  v128.store(to, finish(r3, bias, lo, hi), 48);
  v128.store(to, finish(r4, bias, lo, hi), 64);
  v128.store(to, finish(r5, bias, lo, hi), 80);
  v128.store(to, finish(r6, bias, lo, hi), 96);
  v128.store(to, finish(r7, bias, lo, hi), 112);
  return end;
}

// @ts-ignore: decorator
@inline function finish(sum: v128, bias: v128, lo: v128, hi: v128): v128 {
  return atMost<v128>(atLeast<v128>(f32x4.add(sum, bias), lo), hi);
}
