/** Fully-connected layers of float32 rows, quantized on the way, and int8 weights with a scale for each block of a row. @full */
import { share } from "../common/split";
import { quantizeRow } from "./hybrid-f32";

/** y[m,n] = clamp(rowScale · Σ scale[n,block] · (x · w[n,k] of the block) + bias[n]). */
@unmanaged
export class BlockProduct {
  x: u32;
  y: u32;
  w: u32;
  /** n floats; 0: none. */
  bias: u32;
  /** [n][k / block] floats. */
  scaleTable: u32;
  scratch: u32;
  scratchStride: u32;
  m: u32;
  n: u32;
  k: u32;
  /** Columns of a block. */
  block: u32;
  lo: f32;
  hi: f32;
}

/** The sum of products of `count` int16 and int8. */
function dot(a: usize, w: usize, count: u32): i32 {
  let sum: i32 = 0;
  if (ASC_FEATURE_SIMD) {
    let sums = i32x4.splat(0);
    for (; count >= 8; count -= 8) {
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(a), v128.load8x8_s(w)));
      a += 16;
      w += 8;
    }
    sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  }
  for (; count; count--) {
    sum += <i32>load<i16>(a) * <i32>load<i8>(w);
    a += 2;
    w++;
  }
  return sum;
}

/** Parts share the columns; each quantizes the rows for itself. */
export function gemmBlocks(p: BlockProduct, part: u32, parts: u32): void {
  const last = share(p.n, part + 1, parts);
  const row = <usize>p.scratch + <usize>part * p.scratchStride;
  const block = p.block;
  for (let i: u32 = 0; i < p.m; i++) {
    const scale = quantizeRow(row, <usize>p.x + (<usize>i * p.k << 2), p.k, true);
    for (let n = share(p.n, part, parts); n < last; n++) {
      let w = <usize>p.w + <usize>n * p.k;
      let s = <usize>p.scaleTable + (<usize>n * (p.k / block) << 2);
      let sum: f32 = 0;
      for (let a = row, end = row + (<usize>p.k << 1); a < end; a += <usize>block << 1) {
        sum += load<f32>(s) * <f32>dot(a, w, block);
        w += block;
        s += 4;
      }
      const y = sum * scale + (p.bias ? load<f32>(<usize>p.bias + (<usize>n << 2)) : 0);
      store<f32>(<usize>p.y + (<usize>(i * p.n + n) << 2), min(max(y, p.lo), p.hi));
    }
  }
}
