/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

/** y[batch,outH,outW,bytes] from x by one entry of `rows` and of `columns` for each: u32, u32, i32, see `resize.ts`. */
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
