/** Parameter blocks of this family: 32-bit fields in this order. Names ending in `Table`, and x, y, w, q, a, b, are addresses; strides are in bytes unless said, all else in elements. */

/** Two operands, broadcast by strides of 0 along the output's sizes d0 to d5; strides in bytes. */
@unmanaged
export class Pairs {
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
}

/** int8 addition, or subtraction by a negative multiplier. */
@unmanaged
export class Add extends Pairs {
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

/** float32, clamped to lo and hi where the form is a sum, difference, product or quotient. */
@unmanaged
export class PairsF32 extends Pairs {
  /** Which function, see elementwise/pairs-f32.ts. */
  form: u32;
  lo: f32;
  hi: f32;
}

/** Integers as they are. */
@unmanaged
export class PairsInt extends Pairs {
  /** Which function, see elementwise/pairs-int.ts and elementwise/compare.ts. */
  form: u32;
  /** Element type, see common/element.ts. */
  type: u32;
  /** Comparisons: 1 turns the result round. Shifts: the largest one. */
  extra: u32;
}

/** Comparisons of int8 or int16 with scales: both shifted left by 8 and scaled. */
@unmanaged
export class CompareQs8 extends PairsInt {
  aZeroPoint: i32;
  bZeroPoint: i32;
  aMultiplier: i32;
  aShift: i32;
  bMultiplier: i32;
  bShift: i32;
}

/** Quantized functions of two operands beside the sums and products of int8. */
@unmanaged
export class PairsQuantized extends Pairs {
  /** Which function, see elementwise/pairs-quantized.ts. */
  form: u32;
  aZeroPoint: i32;
  bZeroPoint: i32;
  yZeroPoint: i32;
  /** Both operands are shifted left by this before they are scaled. */
  left: i32;
  aMultiplier: i32;
  aShift: i32;
  bMultiplier: i32;
  bShift: i32;
  yMultiplier: i32;
  yShift: i32;
  lo: i32;
  hi: i32;
}

/** y = condition ? a : b, for elements of 1, 2, 4 or 8 bytes. */
@unmanaged
export class Select extends Pairs {
  condition: u32;
  size: u32;
  c0: u32;
  c1: u32;
  c2: u32;
  c3: u32;
  c4: u32;
  c5: u32;
}

/** y[i] from x[i], of one element type and another. */
@unmanaged
export class Convert {
  x: u32;
  y: u32;
  count: u32;
  /** Element types, see common/element.ts. */
  from: u32;
  to: u32;
}

/** Integers with one scale to integers with another. */
@unmanaged
export class Rescale extends Convert {
  xZeroPoint: i32;
  yZeroPoint: i32;
  /** From 0 up: factor, and shift to the left. */
  multiplier: i32;
  shift: i32;
  /** Below 0. */
  downMultiplier: i32;
  downShift: i32;
  /** 1: the magnitude is scaled. */
  magnitude: u32;
  lo: i32;
  hi: i32;
}

/** How many of `bounds` ascending float32 at `table` are at most x[i], int32. */
@unmanaged
export class Bucketize extends Convert {
  table: u32;
  bounds: u32;
}

/** Sums and products of int8 by onnxruntime's rules, see elementwise/nearest.ts. */
@unmanaged
export class Nearest extends Pairs {
  /** Taken off the operands before, and added after rounding. */
  aZeroPoint: i32;
  bZeroPoint: i32;
  yZeroPoint: i32;
  aScale: f32;
  bScale: f32;
  /** Of forms that divide. */
  yScale: f32;
  /** Of the others: added before rounding. */
  offset: f32;
  lo: i32;
  hi: i32;
  /** Of sums: 0 fused, 1 in float32 after each step, 2 as floats and divided. Of products: 0 by aScale, 2 likewise. */
  form: u32;
}
