/** Parameter blocks of products of float32, and of float32 with int8 weights (hybrid). */
/** Hybrid: A is quantized as a whole. */
export const WHOLE: u32 = 2;

/** C[m,n] = clamp(A[m,k] · B[k,n] + bias), in floats. Strides and steps in bytes. */
@unmanaged
export class GemmF32 {
  x: u32;
  y: u32;
  w: u32;
  /** n floats; 0: none. */
  bias: u32;
  scratch: u32;
  scratchStride: u32;
  m: u32;
  n: u32;
  /** Elements of a row: floats, or pairs of int8 where hybrid. */
  k: u32;
  /** Between rows of A, its elements, and rows of C. */
  xStride: u32;
  xStep: u32;
  yStride: u32;
  /** B that is not packed: between its k's and its columns. 0: panels; hybrid: of int8, where `wStep` is 1 of int16. */
  wStep: u32;
  wColumn: u32;
  /** Matrices, and for each the u32 offsets in bytes of its A, B and C. */
  batches: u32;
  offsetsTable: u32;
  /** Rows of a block, a multiple of 4. */
  mBlock: u32;
  lo: f32;
  hi: f32;
  /** Hybrid: scale of each column; 1: A's zero point is free; 2: A is quantized as a whole by onnxruntime's rules; 4 more: both scales are multiplied first. */
  scaleTable: u32;
  asymmetric: u32;
}

/** A convolution as the product of its patches, [kD][kH][kW][inC] each. y strides in bytes; `xStride` is a pixel's bytes. */
@unmanaged
export class ConvF32 extends GemmF32 {
  inD: u32;
  inH: u32;
  inW: u32;
  inC: u32;
  outD: u32;
  outH: u32;
  outW: u32;
  kD: u32;
  kH: u32;
  kW: u32;
  strideD: u32;
  strideH: u32;
  strideW: u32;
  dilationD: u32;
  dilationH: u32;
  dilationW: u32;
  padFront: i32;
  padTop: i32;
  padLeft: i32;
  /** Between images, planes and lines of C. */
  yBatch: u32;
  yPlane: u32;
  yLine: u32;
  /** Hybrid: where the images begin, of which x may be a group of channels. */
  images: u32;
  /** Hybrid: channels of the group; inC is pairs of them. */
  channels: u32;
  /** All tiles, of float32, where they were made beforehand. */
  tilesTable: u32;
}
