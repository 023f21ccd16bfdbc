/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

/** int8 addition, or subtraction by a negative multiplier; operands broadcast by strides of 0. */
@unmanaged
export class Add {
  a: u32;
  b: u32;
  y: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  d5: u32;
  a0: u32;
  a1: u32;
  a2: u32;
  a3: u32;
  a4: u32;
  a5: u32;
  b0: u32;
  b1: u32;
  b2: u32;
  b3: u32;
  b4: u32;
  b5: u32;
  aZeroPoint: i32;
  bZeroPoint: i32;
  yZeroPoint: i32;
  aMultiplier: i32;
  aShift: i32;
  bMultiplier: i32;
  bShift: i32;
  yMultiplier: i32;
  yShift: i32;
  lo: i32;
  hi: i32;
  /** How the vector modules compute it, see elementwise/sum.simd.ts and elementwise/product.simd.ts; what a form does not use is 0. */
  form: u32;
  /** Linear sum: bits 15 and up of both factors as a pair of int16, the low 15 bits likewise, and −Σ zero point·factor. */
  highFactors: u32;
  lowFactors: u32;
  zero: i32;
  offset: i32;
  scale: f32;
  half: f32;
}
