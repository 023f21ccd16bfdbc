/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */
import { Patches } from "../common/windows";

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
  /** Rows packed at a time; `gemv` and `gemvWide` with vectors: 1 where the weights of a column follow each other. */
  mBlock: u32;
  /** Scalar module: steps of k that three 21-bit lanes can sum. `directConv2d`: bytes of outputs that the last tile of a row begins earlier. */
  chunk: u32;
  /** Sparse kernels: address of the list of blocks, see product/gemm.simd.ts. Dense ones of SIMD128: 1 where w is int16; relaxed: product/terms.simd.ts. */
  index: u32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
}

/** A convolution as the GEMM of its patches: m = batch·outH·outW, k = kH·kW·inC. */
@unmanaged
export class Conv2d extends Gemm {
  xZeroPoint: i32;

  /** The patches' fields come after these. */
  // @ts-ignore: decorator
  @inline get patches(): Patches {
    return changetype<Patches>(changetype<usize>(this) + offsetof<Conv2d>());
  }
}
