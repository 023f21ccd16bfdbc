/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

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
