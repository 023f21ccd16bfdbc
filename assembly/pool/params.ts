/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */
import { Windows } from "../common/windows";

/** Pooling over windows clipped to the input. */
@unmanaged
export class Pool extends Windows {
  x: u32;
  y: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  channels: u32;
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
