/** Parameter blocks of products in 16 bits: 32-bit fields in this order. Names x, y, w, q are addresses; sizes in elements unless said. */
import { Patches } from "../common/windows";

/** What finishing sums needs, in products and depthwise convolutions alike. */
@unmanaged
export class Finish extends Patches {
  x: u32;
  y: u32;
  w: u32;
  q: u32;
  /** 0: q are the records of the int8 kernels; 1: those of product/finish.ts. */
  lanes: u32;
  /** Address of a computed bias, 0 where the records have it. */
  bias: u32;
  /** Bytes of an element of the computed bias. */
  biasBytes: u32;
  scratch: u32;
  scratchStride: u32;
  xBytes: u32;
  yBytes: u32;
  xZeroPoint: i32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
}

/** y[m,n] = requantize(A[m,k] · B[k,n]), rows of A the patches of images, `[kH,kW,inC]` with k = kH·kW·inC. */
@unmanaged
export class Wide extends Finish {
  m: u32;
  n: u32;
  /** Pairs of k that a packed row and a packed column have. */
  pairs: u32;
  /** Pairs that a sum of 32 bits holds; 0 where it holds all. */
  chunk: u32;
  /** 2 where each k makes a pair with a zero, else 1. */
  spread: u32;
  /** Rows packed at a time, a multiple of 4. */
  mBlock: u32;
  /** Bytes of an element of B. */
  wBytes: u32;
  /** 1 where B stands in the scratch of thread 0, packed by `packColumns`. */
  computed: u32;
  /** Where rows stand in a thread's scratch, in bytes. */
  rows: u32;
  /** Bytes from element to element of x, and from pixel to pixel. */
  xStep: u32;
  xPixel: u32;
  /** Bytes from pixel to pixel of y, from line to line, from image to image. */
  yPixel: u32;
  yLine: u32;
  yImage: u32;
}

/** Packs B of `productWide` into the scratch of thread 0. Element (k, n) stands at n·columnBytes + k·stepBytes. */
@unmanaged
export class Columns {
  w: u32;
  scratch: u32;
  scratchStride: u32;
  n: u32;
  k: u32;
  pairs: u32;
  spread: u32;
  columnBytes: u32;
  stepBytes: u32;
  /** Bytes of an element of w. */
  wBytes: u32;
  wZeroPoint: i32;
}

/** Depthwise: output channel c takes input channel c / multiplier; w int8 `[kH,kW,inC·multiplier]`. */
@unmanaged
export class DepthwiseWide extends Finish {
  batch: u32;
  multiplier: u32;
  wZeroPoint: i32;
  /** 1 where sums take 64 bits. */
  wide: u32;
}
