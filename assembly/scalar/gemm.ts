/**
 * int8 GEMM with requantization for engines without SIMD, most of them interpreters, where every instruction costs the
 * same: three rows of A share one 64-bit multiply. P[k] = a0[k] + a1[k]·2^21 + a2[k]·2^42 is built once per three rows;
 * the sum of w[k]·P[k] then holds three dot products in lanes of 21 bits, which are taken out every `chunk` steps,
 * before one can reach 2^20. Weights stay int8 [n][k] as the model has them.
 */
import { Conv2d, Gemm } from "../params";
import { RECORD, requantize } from "./requantize";

export function gemm(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, false);
}

/** GEMM with sparse B: blocks of four k's and eight columns that are not zero, see `sparseRows3`. */
export function spmm(params: usize, part: u32, parts: u32): void {
  product(params, part, parts, true);
}

// @ts-ignore: decorator
@inline function product(params: usize, part: u32, parts: u32, sparse: bool): void {
  const p = changetype<Gemm>(params);
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
export function gemv(params: usize, part: u32, parts: u32): void {
  const p = changetype<Gemm>(params);
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
export function gemvWide(params: usize, part: u32, parts: u32): void {
  const p = changetype<Gemm>(params);
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

/** The same GEMM on the patches of a convolution. */
export function conv2d(params: usize, part: u32, parts: u32): void {
  convolution(params, part, parts, false);
}

/** Convolution with sparse weights. */
export function sparseConv2d(params: usize, part: u32, parts: u32): void {
  convolution(params, part, parts, true);
}

// @ts-ignore: decorator
@inline function convolution(params: usize, part: u32, parts: u32, sparse: bool): void {
  const p = changetype<Conv2d>(params);
  const lanes = <usize>p.scratch + <usize>part * p.scratchStride;
  const row0 = lanes + (<usize>p.k << 3);
  const length = p.kW * p.inC;
  const end = share(p.m, part + 1, parts);
  for (let row = share(p.m, part, parts); row < end; row += 3) {
    const rows = min(end - row, 3);
    let target = lanes;
    for (let ky: u32 = 0; ky < p.kH; ky++) {
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
@inline function step(w: usize, lanes: usize): i64 {
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
    store<i8>(y2 + n, requantize(s2, q, lo, hi, zeroPoint));
    store<i8>(y1 + n, requantize(s1, q, lo, hi, zeroPoint));
    store<i8>(y0 + n, requantize(s0, q, lo, hi, zeroPoint));
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
    store<i8>(y2 + n, requantize(s2, q, lo, hi, zeroPoint));
    store<i8>(y1 + n, requantize(s1, q, lo, hi, zeroPoint));
    store<i8>(y0 + n, requantize(s0, q, lo, hi, zeroPoint));
    q += RECORD;
  }
}

/**
 * Row ky of an output pixel's patch, [kW][inC]: where it stands in the image if it lies inside, else copied to `copy`
 * with the zero point around it.
 */
function kernelRow(p: Conv2d, pixel: u32, ky: u32, copy: usize): usize {
  const line = pixel / p.outW;
  const batch = line / p.outH;
  const y = <i32>((line - batch * p.outH) * p.strideH + ky * p.dilationH) - p.padTop;
  let x = <i32>((pixel - line * p.outW) * p.strideW) - p.padLeft;
  const inC = p.inC;
  const image = <usize>p.x + <usize>(batch * p.inH + y) * (<usize>p.inW * p.xStride);
  const inY = <u32>y < p.inH;
  const direct = p.dilationW == 1 && p.xStride == inC && x >= 0 && x + <i32>p.kW <= <i32>p.inW;
  if (inY && direct) return image + <usize>x * inC;
  let target = copy;
  for (let kx: u32 = 0; kx < p.kW; kx++) {
    const end = target + inC;
    if (inY && <u32>x < p.inW) {
      for (let source = image + <usize>x * p.xStride; target < end; target++) store<u8>(target, load<u8>(source++));
    } else for (; target < end; target++) store<i8>(target, p.xZeroPoint);
    x += p.dilationW;
  }
  return copy;
}
