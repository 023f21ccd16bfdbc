/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

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
