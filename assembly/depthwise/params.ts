/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */
import { Patches } from "../common/windows";

/** A depthwise convolution of `[batch,inH,inW,inC]`, `multiplier` outputs per input channel. */
@unmanaged
export class DwConv extends Patches {
  x: u32;
  y: u32;
  w: u32;
  q: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  multiplier: u32;
  xZeroPoint: i32;
  yZeroPoint: i32;
  lo: i32;
  hi: i32;
  /** Row groups per output row block, see depthwise/dwconv.simd.ts. */
  groups: u32;
  /** Relaxed: 2 where a weight is the sum of two int8, in groups that follow each other and repeat their rows; 1 else. */
  halves: u32;
  /** Output rows computed from one set of row groups. */
  rows: u32;
  /** Columns of the padded input that one output row needs. */
  columns: u32;
  /** `dwconv` of the vector modules: bytes from row to row and from pixel to pixel, which need not be along memory. */
  xRow: u32;
  xColumn: u32;
  yRow: u32;
  yColumn: u32;
}

/** A depthwise convolution of float32, `[batch,inH,inW,inC]`; weights [kH][kW][inC·multiplier]. */
@unmanaged
export class DwConvF32 extends Patches {
  x: u32;
  y: u32;
  w: u32;
  /** One float for each output channel; 0: none. */
  bias: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  multiplier: u32;
  /** Scale of each output channel where the weights are int8; 0: they are floats. Whether x's zero point is free. */
  scaleTable: u32;
  asymmetric: u32;
  lo: f32;
  hi: f32;
}
