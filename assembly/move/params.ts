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

/** Up to eight loops over elements of `size` bytes, x and y by signed strides; all sizes from 1. */
@unmanaged
export class Strided {
  x: u32;
  y: u32;
  size: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  d5: u32;
  d6: u32;
  d7: u32;
  x0: i32;
  x1: i32;
  x2: i32;
  x3: i32;
  x4: i32;
  x5: i32;
  x6: i32;
  x7: i32;
  y0: i32;
  y1: i32;
  y2: i32;
  y3: i32;
  y4: i32;
  y5: i32;
  y6: i32;
  y7: i32;
}

/** The same, with x or y moved on by Σ clamp(begins[d], 0, limit[d]) · stride[d]. */
@unmanaged
export class StridedFrom extends Strided {
  /** Address of `rank` integers of `beginBytes` bytes, 4 or 8. */
  begins: u32;
  beginBytes: u32;
  rank: u32;
  /** `rank` pairs of limit and stride in bytes. */
  limitTable: u32;
  /** 0: x is moved on; 1: y; 2: x, and negative begins count from limit + 1. */
  onto: u32;
}

/** y[b,o,i,:] = x[b,o,indices[b,i],:]: rows of `bytes` bytes, indices clamped to 0 … limit − 1. */
@unmanaged
export class Gather {
  x: u32;
  y: u32;
  indices: u32;
  /** Bytes of an index, 1, 2, 4 or 8. */
  indexBytes: u32;
  batches: u32;
  outer: u32;
  count: u32;
  limit: u32;
  bytes: u32;
}

/** Rows of `bytes` bytes at places that tuples of `depth` indices name. */
@unmanaged
export class GatherNd {
  x: u32;
  y: u32;
  indices: u32;
  indexBytes: u32;
  count: u32;
  depth: u32;
  /** `depth` pairs of size and stride in bytes. */
  placeTable: u32;
  bytes: u32;
}

/** As GatherNd, from rows in order to places of y; places outside are left out. */
@unmanaged
export class ScatterNd extends GatherNd {
  /** Bytes of an element. */
  size: u32;
  /** 0: the last one stays; 1: integers are added; 2: float32; 3: one value for all, the last one stays; from 4 on see `combineRow`. */
  mode: u32;
}

/** Reverses the first lengths[batch] of `time` rows of `bytes` bytes; sizes around are [outer, d, inner, e]. */
@unmanaged
export class ReverseSequence {
  x: u32;
  y: u32;
  lengths: u32;
  lengthBytes: u32;
  /** Rows of bytes, and where the batch and time index stand in a row's number: (row / batchStep) % batches. */
  rows: u32;
  bytes: u32;
  batches: u32;
  batchStep: u32;
  time: u32;
  timeStep: u32;
}

/** y = sizes of a and b broadcast together, aligned at the end. */
@unmanaged
export class BroadcastArgs {
  a: u32;
  b: u32;
  y: u32;
  aCount: u32;
  bCount: u32;
  bytes: u32;
}

/** value[key[i]]: keys ascending, int32. Rows of `bytes` bytes, 0 where the key is not there; hits one byte each. */
@unmanaged
export class HashtableLookup {
  x: u32;
  keys: u32;
  values: u32;
  y: u32;
  hits: u32;
  count: u32;
  keyCount: u32;
  bytes: u32;
}

/** y[i] = start + i · delta, as many as y holds. Type: 0 int32, 1 int64, 2 float32. */
@unmanaged
export class Range {
  start: u32;
  delta: u32;
  y: u32;
  count: u32;
  type: u32;
}

/** Rows of bytes through a table of 256. */
@unmanaged
export class LookupRows {
  x: u32;
  y: u32;
  rows: u32;
  bytes: u32;
  xStride: u32;
  yStride: u32;
  table: u32;
}

/** Places of what is not 0: y[n,rank] int64. `lengthAt` gets the number of elements of y. */
@unmanaged
export class Where {
  x: u32;
  y: u32;
  lengthAt: u32;
  count: u32;
  /** Bytes of an element of x. */
  size: u32;
  /** Bits of an element's last four bytes that count: the sign of a float32 does not. */
  mask: u32;
  rank: u32;
  /** `rank` sizes. */
  sizeTable: u32;
  /** Bytes of y, which are 0 after the last place, and the count is one of rows; 0: the rest stays, and all numbers count. */
  room: u32;
  /** 1: y is [rank, n]. */
  isColumns: u32;
}

/** The values of x, each once, in the order of their first places; `places` says for each of x which one it is. */
@unmanaged
export class Unique {
  x: u32;
  y: u32;
  places: u32;
  lengthAt: u32;
  count: u32;
  size: u32;
  /** Element type, see common/element.ts. */
  type: u32;
  placeBytes: u32;
}

/** As many elements as the sizes say, at most `bound`; `lengthAt` gets what they say. */
@unmanaged
export class FillOpen {
  sizes: u32;
  sizeBytes: u32;
  rank: u32;
  value: u32;
  y: u32;
  lengthAt: u32;
  size: u32;
  bound: u32;
}

/** x, whose sizes are uint32 of a table, within one value; `pads` are two integers a dimension. At most `bound` elements; `lengthAt` gets what they say. */
@unmanaged
export class PadOpen {
  x: u32;
  y: u32;
  value: u32;
  pads: u32;
  padBytes: u32;
  rank: u32;
  sizeTable: u32;
  size: u32;
  lengthAt: u32;
  bound: u32;
}

/** As Range, up to a limit, at most `bound` elements; `lengthAt` gets the number that the limit asks for. */
@unmanaged
export class RangeOpen {
  start: u32;
  limit: u32;
  delta: u32;
  y: u32;
  lengthAt: u32;
  type: u32;
  bound: u32;
}
