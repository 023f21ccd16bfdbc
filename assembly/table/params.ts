/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

/** y[i] = table[x[i] as u8], 256 entries. */
@unmanaged
export class Lookup {
  x: u32;
  y: u32;
  table: u32;
  count: u32;
  /** Where every entry is its index xor this, 1 to 255, the vector modules do that; 0 means the table. */
  flip: u32;
  /** Tables, one behind the other, of which x, a multiple of so many, has each in turn; 1 or more. */
  channels: u32;
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
  /** 1: half to even, where 0 is half away from zero. */
  even: u32;
}

/** int16 by a table of 513 int16: the function at every 128th, and the straight line between. */
@unmanaged
export class LookupS16 {
  x: u32;
  y: u32;
  table: u32;
  count: u32;
}

/** int16 LOGISTIC or TANH by 256 uint16. */
@unmanaged
export class SigmoidS16 {
  x: u32;
  y: u32;
  table: u32;
  count: u32;
  /** 1 for TANH. */
  tanh: u32;
  /** x · multiplier / 2^shift counts in 1/24 of 2^9. */
  multiplier: i32;
  shift: i32;
}
