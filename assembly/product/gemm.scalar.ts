/**
 * int8 GEMM with requantization for engines without SIMD, most of them interpreters, where every instruction costs the
 * same: three rows of A share one 64-bit multiply. P[k] = a0[k] + a1[k]·2^21 + a2[k]·2^42 is built once per three rows;
 * the sum of w[k]·P[k] then holds three dot products in lanes of 21 bits, which are taken out every `chunk` steps,
 * before one can reach 2^20. Weights stay int8 [n][k] as the model has them.
 */
import { Conv2d, Gemm } from "./params";
import { RECORD, requantize3 } from "../requantize/requantize.scalar";

export function gemm(p: Gemm, part: u32, parts: u32): void {
  product(p, part, parts, false);
}

/** GEMM with sparse B: blocks of four k's and eight columns that are not zero, see `sparseRows3`. */
export function spmm(p: Gemm, part: u32, parts: u32): void {
  product(p, part, parts, true);
}

// @ts-ignore: decorator
@inline function product(p: Gemm, part: u32, parts: u32, sparse: bool): void {
  const lanes = <usize>p.scratch + <usize>part * p.scratchStride;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; row += 3) {
    const x0 = <usize>p.x + <usize>row * p.xStride;
    const x1 = row + 1 < end ? x0 + p.xStride : x0;
    const x2 = row + 2 < end ? x1 + p.xStride : x1;
    packLanes(lanes, x0, x1, x2, p.k);
    const y = <usize>p.y + <usize>row * p.yStride;
    if (sparse) sparseRows3(p, lanes, y, min(end - row, 3));
    else rows3(p, lanes, y, min(end - row, 3));
  }
}

/** The same GEMM on the patches of a convolution. */
export function conv2d(p: Conv2d, part: u32, parts: u32): void {
  convolution(p, part, parts, false);
}

/** Convolution with sparse weights. */
export function sparseConv2d(p: Conv2d, part: u32, parts: u32): void {
  convolution(p, part, parts, true);
}

// @ts-ignore: decorator
@inline function convolution(p: Conv2d, part: u32, parts: u32, sparse: bool): void {
  const lanes = <usize>p.scratch + <usize>part * p.scratchStride;
  const row0 = lanes + (<usize>p.k << 3);
  const length = p.patches.kW * p.patches.inC;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; row += 3) {
    const rows = min(end - row, 3);
    let target = lanes;
    for (let ky: u32 = 0; ky < p.patches.kH; ky++) {
      const x0 = kernelRow(p, row, ky, row0);
      const x1 = rows > 1 ? kernelRow(p, row + 1, ky, row0 + length) : x0;
      const x2 = rows > 2 ? kernelRow(p, row + 2, ky, row0 + 2 * length) : x1;
      packLanes(target, x0, x1, x2, length);
      target += <usize>length << 3;
    }
    const y = <usize>p.y + <usize>row * p.yStride;
    if (sparse) sparseRows3(p, lanes, y, rows);
    else rows3(p, lanes, y, rows);
  }
}

// @ts-ignore: decorator
@inline function share(m: u32, part: u32, parts: u32): u32 {
  if (part == parts) return m;
  const start = <u32>((<u64>m * part) / parts);
  return start - (start % 3);
}

/** P[i] = x0[i] + x1[i]·2^21 + x2[i]·2^42 for `length` bytes, four at a time. */
function packLanes(target: usize, x0: usize, x1: usize, x2: usize, length: u32): void {
  const end4 = x0 + (length & ~3);
  const end = x0 + length;
  while (x0 < end4) {
    store<i64>(target, <i64>load<i8>(x0) + (<i64>load<i8>(x1) << 21) + (<i64>load<i8>(x2) << 42));
    store<i64>(target, <i64>load<i8>(x0, 1) + (<i64>load<i8>(x1, 1) << 21) + (<i64>load<i8>(x2, 1) << 42), 8);
    store<i64>(target, <i64>load<i8>(x0, 2) + (<i64>load<i8>(x1, 2) << 21) + (<i64>load<i8>(x2, 2) << 42), 16);
    store<i64>(target, <i64>load<i8>(x0, 3) + (<i64>load<i8>(x1, 3) << 21) + (<i64>load<i8>(x2, 3) << 42), 24);
    x0 += 4;
    x1 += 4;
    x2 += 4;
    target += 32;
  }
  while (x0 < end) {
    store<i64>(target, <i64>load<i8>(x0) + (<i64>load<i8>(x1) << 21) + (<i64>load<i8>(x2) << 42));
    x0++;
    x1++;
    x2++;
    target += 8;
  }
}

// @ts-ignore: decorator
@inline export function step(w: usize, lanes: usize): i64 {
  return <i64>load<i8>(w) * load<i64>(lanes);
}

/** Up to three rows of C. */
function rows3(p: Gemm, lanes: usize, y0: usize, rows: u32): void {
  const k = <usize>p.k;
  const chunk = <usize>p.chunk;
  const lo = p.lo;
  const hi = p.hi;
  const zeroPoint = p.yZeroPoint;
  const y1 = rows > 1 ? y0 + p.yStride : y0;
  const y2 = rows > 2 ? y1 + p.yStride : y1;
  let w = <usize>p.w;
  let q = <usize>p.q;
  for (let n: u32 = 0; n < p.n; n++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let l = lanes;
    const end = w + k;
    do {
      const stop = min(w + chunk, end);
      const stop8 = w + ((stop - w) & ~7);
      let acc: i64 = 0;
      while (w < stop8) {
        acc += <i64>load<i8>(w) * load<i64>(l);
        acc += <i64>load<i8>(w, 1) * load<i64>(l, 8);
        acc += <i64>load<i8>(w, 2) * load<i64>(l, 16);
        acc += <i64>load<i8>(w, 3) * load<i64>(l, 24);
        acc += <i64>load<i8>(w, 4) * load<i64>(l, 32);
        acc += <i64>load<i8>(w, 5) * load<i64>(l, 40);
        acc += <i64>load<i8>(w, 6) * load<i64>(l, 48);
        acc += <i64>load<i8>(w, 7) * load<i64>(l, 56);
        w += 8;
        l += 64;
      }
      while (w < stop) {
        acc += step(w, l);
        w++;
        l += 8;
      }
      const l0 = (acc << 43) >> 43;
      acc = (acc - l0) >> 21;
      const l1 = (acc << 43) >> 43;
      s0 += <i32>l0;
      s1 += <i32>l1;
      s2 += <i32>((acc - l1) >> 21);
    } while (w < end);
    requantize3(y0 + n, y1 + n, y2 + n, s0, s1, s2, q, lo, hi, zeroPoint);
    q += RECORD;
  }
}

/**
 * The same with sparse weights. At `index`, for each panel of eight columns: the number of blocks as u32, then each
 * block's first k as u16, padded to four bytes. Weights: panel by panel, column by column, four bytes a block.
 */
function sparseRows3(p: Gemm, lanes: usize, y0: usize, rows: u32): void {
  const chunk = <usize>p.chunk >>> 1;
  const lo = p.lo;
  const hi = p.hi;
  const zeroPoint = p.yZeroPoint;
  const y1 = rows > 1 ? y0 + p.yStride : y0;
  const y2 = rows > 2 ? y1 + p.yStride : y1;
  let w = <usize>p.w;
  let q = <usize>p.q;
  let index = <usize>p.index;
  for (let n: u32 = 0; n < p.n; n++) {
    const first = index + 4;
    const end = first + (load<u32>(index) << 1);
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    for (let o = first; o < end; ) {
      const stop = min(o + chunk, end);
      let acc: i64 = 0;
      while (o < stop) {
        const l = lanes + (<usize>load<u16>(o) << 3);
        acc += <i64>load<i8>(w) * load<i64>(l);
        acc += <i64>load<i8>(w, 1) * load<i64>(l, 8);
        acc += <i64>load<i8>(w, 2) * load<i64>(l, 16);
        acc += <i64>load<i8>(w, 3) * load<i64>(l, 24);
        w += 4;
        o += 2;
      }
      const l0 = (acc << 43) >> 43;
      acc = (acc - l0) >> 21;
      const l1 = (acc << 43) >> 43;
      s0 += <i32>l0;
      s1 += <i32>l1;
      s2 += <i32>((acc - l1) >> 21);
    }
    if ((n & 7) == 7) index = (end + 3) & ~3;
    requantize3(y0 + n, y1 + n, y2 + n, s0, s1, s2, q, lo, hi, zeroPoint);
    q += RECORD;
  }
}

/**
 * Row ky of an output pixel's patch, [kW][inC]: where it stands in the image if it lies inside, else copied to `copy`
 * with the zero point around it.
 */
function kernelRow(p: Conv2d, pixel: u32, ky: u32, copy: usize): usize {
  const line = pixel / p.patches.outW;
  const batch = line / p.patches.outH;
  const y = <i32>((line - batch * p.patches.outH) * p.patches.strideH + ky * p.patches.dilationH) - p.patches.padTop;
  let x = <i32>((pixel - line * p.patches.outW) * p.patches.strideW) - p.patches.padLeft;
  const inC = p.patches.inC;
  const image = <usize>p.x + <usize>(batch * p.patches.inH + y) * (<usize>p.patches.inW * p.xStride);
  const inY = <u32>y < p.patches.inH;
  const direct = p.patches.dilationW == 1 && p.xStride == inC && x >= 0 && x + <i32>p.patches.kW <= <i32>p.patches.inW;
  if (inY && direct) return image + <usize>x * inC;
  let target = copy;
  for (let kx: u32 = 0; kx < p.patches.kW; kx++) {
    const end = target + inC;
    if (inY && <u32>x < p.patches.inW) {
      for (let source = image + <usize>x * p.xStride; target < end; target++) store<u8>(target, load<u8>(source++));
    } else for (; target < end; target++) store<i8>(target, p.xZeroPoint);
    x += p.patches.dilationW;
  }
  return copy;
}
