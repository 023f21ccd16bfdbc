/**
 * Parameter blocks, one per kernel family: 32-bit fields in this order, written by `bindings/kernels/params.ts`,
 * which a test holds against this file. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in
 * bytes unless said, all else in elements.
 */

/** C[m,n] = requantize(A[m,k] · B[k,n]); A has row stride xStride, C has row stride yStride. */
@unmanaged
export class Gemm {
  x: u32;
  y: u32;
  w: u32;
  q: u32;
  scratch: u32;
  scratchStride: u32;
  m: u32;
  n: u32;
  k: u32;
  xStride: u32;
  yStride: u32;
  /** Rows packed at a time. */
  mBlock: u32;
  /** Scalar module: steps of k that three 21-bit lanes can sum. */
  chunk: u32;
  /** Sparse kernels: address of the list of blocks, see simd/gemm.ts. */
  index: u32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
}

/** A convolution as the GEMM of its patches: m = batch·outH·outW, k = kH·kW·inC. */
@unmanaged
export class Conv2d extends Gemm {
  inH: u32;
  inW: u32;
  inC: u32;
  outH: u32;
  outW: u32;
  kH: u32;
  kW: u32;
  strideH: u32;
  strideW: u32;
  dilationH: u32;
  dilationW: u32;
  padTop: i32;
  padLeft: i32;
  xZeroPoint: i32;
}

/** A depthwise convolution of `[batch,inH,inW,inC]`, `multiplier` outputs per input channel. */
@unmanaged
export class DwConv {
  x: u32;
  y: u32;
  w: u32;
  q: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  inH: u32;
  inW: u32;
  inC: u32;
  outH: u32;
  outW: u32;
  multiplier: u32;
  kH: u32;
  kW: u32;
  strideH: u32;
  strideW: u32;
  dilationH: u32;
  dilationW: u32;
  padTop: i32;
  padLeft: i32;
  xZeroPoint: i32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
  /** Row groups per output row block, see simd/dwconv.ts. */
  groups: u32;
  /** Output rows computed from one set of row groups. */
  rows: u32;
  /** Columns of the padded input that one output row needs. */
  columns: u32;
}

/** y[i] = table[x[i] as u8], 256 entries. */
@unmanaged
export class Lookup {
  x: u32;
  y: u32;
  table: u32;
  count: u32;
  /** Where every entry is its index xor this, 1 to 255, the vector modules do that; 0 means the table. */
  flip: u32;
}

/** int8 addition, or subtraction by a negative multiplier; operands broadcast by strides of 0. */
@unmanaged
export class Add {
  a: u32;
  b: u32;
  y: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  d5: u32;
  a0: u32;
  a1: u32;
  a2: u32;
  a3: u32;
  a4: u32;
  a5: u32;
  b0: u32;
  b1: u32;
  b2: u32;
  b3: u32;
  b4: u32;
  b5: u32;
  aZeroPoint: i32;
  bZeroPoint: i32;
  yZeroPoint: i32;
  aMultiplier: i32;
  aShift: i32;
  bMultiplier: i32;
  bShift: i32;
  yMultiplier: i32;
  yShift: i32;
  lo: i32;
  hi: i32;
  /** How the vector modules compute it, see simd/add.ts and simd/mul.ts; what a form does not use is 0. */
  form: u32;
  /** Linear sum: bits 15 and up of both factors as a pair of int16, the low 15 bits likewise, and −Σ zero point·factor. */
  highFactors: u32;
  lowFactors: u32;
  zero: i32;
  offset: i32;
  scale: f32;
  half: f32;
}

/** Pooling over windows clipped to the input. */
@unmanaged
export class Pool {
  x: u32;
  y: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  inH: u32;
  inW: u32;
  channels: u32;
  outH: u32;
  outW: u32;
  kH: u32;
  kW: u32;
  strideH: u32;
  strideW: u32;
  padTop: i32;
  padLeft: i32;
  lo: i32;
  hi: i32;
}

/** Mean over both reduce dimensions of `[outer, reduce, middle, reduce2, inner]`; the multiplier holds 1/count. */
@unmanaged
export class Mean {
  x: u32;
  y: u32;
  outer: u32;
  reduce: u32;
  middle: u32;
  reduce2: u32;
  inner: u32;
  xZeroPoint: i32;
  yZeroPoint: i32;
  multiplier: i32;
  shift: i32;
}

/** int8 softmax over rows of `depth`; expTable has 256 entries by difference to the row's maximum. */
@unmanaged
export class Softmax {
  x: u32;
  y: u32;
  rows: u32;
  depth: u32;
  expTable: u32;
}

/** Rows of `bytes` bytes from x to y with strides: concatenation, slices. */
@unmanaged
export class Copy {
  x: u32;
  y: u32;
  rows: u32;
  bytes: u32;
  xStride: u32;
  yStride: u32;
}

/** Up to six dimensions of elements of `size` bytes, y in order, x by strides: transpose and padding. */
@unmanaged
export class Permute {
  x: u32;
  y: u32;
  size: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  d5: u32;
  x0: u32;
  x1: u32;
  x2: u32;
  x3: u32;
  x4: u32;
  x5: u32;
}

/** Fills y with a value, then copies x `[d0..d4]` rows of `bytes` into it at `offset` by strides. */
@unmanaged
export class Pad {
  x: u32;
  y: u32;
  yBytes: u32;
  /** Address of one element's bytes. */
  value: u32;
  size: u32;
  offset: u32;
  bytes: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  y0: u32;
  y1: u32;
  y2: u32;
  y3: u32;
  y4: u32;
}

/** float32 to int8 (or uint8 by lo, hi), and back. */
@unmanaged
export class Quantize {
  x: u32;
  y: u32;
  count: u32;
  scale: f32;
  zeroPoint: i32;
  lo: i32;
  hi: i32;
}

/** y[m,n] = requantize(x[m,n] + bias[n]): int32 accumulators, packed rows. */
@unmanaged
export class Requantize {
  x: u32;
  y: u32;
  q: u32;
  m: u32;
  n: u32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
}

/** y[batch,outH,outW,bytes] from x by one entry of `rows` and of `columns` for each: u32, u32, i32, see `portable/resize.ts`. */
@unmanaged
export class Resize {
  x: u32;
  y: u32;
  rows: u32;
  columns: u32;
  batch: u32;
  outH: u32;
  outW: u32;
  /** Bytes of one image of x, and of one pixel. */
  xBytes: u32;
  bytes: u32;
}
