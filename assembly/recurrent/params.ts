/** Parameter blocks of this family. Strides are in elements; states are `[batch, size]` and change in place. */

/**
 * A recurrent layer over a sequence. x, aux, y at (batch b, time t): b·Row + t·Step. Weights are `[outputs, inputs]`, float32, or
 * int8 with one scale where `quantized` is 1; then rows of inputs are quantized as they come, with zero points where
 * `asymmetric` is 1. Addresses of what is not there are 0.
 */
@unmanaged
export class Sequence {
  x: u32;
  aux: u32;
  y: u32;
  h: u32;
  c: u32;
  /** For each gate (input, forget, cell, output; one of an RNN) eight words: `Gate`. */
  gates: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  time: u32;
  inputs: u32;
  auxInputs: u32;
  cells: u32;
  outputs: u32;
  xStep: u32;
  xRow: u32;
  auxStep: u32;
  auxRow: u32;
  yStep: u32;
  yRow: u32;
  /** 1: from the last time to the first. */
  reverse: u32;
  quantized: u32;
  asymmetric: u32;
  /** 0 none, 1 relu, 2 −1 to 1, 3 relu6, 4 tanh. */
  activation: u32;
  projection: u32;
  projectionBias: u32;
  projectionScale: f32;
  /** 0: no clipping. */
  cellClip: f32;
  projectionClip: f32;
}

/** A gate: addresses of its weights, and their scales. */
@unmanaged
export class Gate {
  x: u32;
  aux: u32;
  h: u32;
  bias: u32;
  /** float32, of the cell. */
  peephole: u32;
  norm: u32;
  xScale: f32;
  auxScale: f32;
  hScale: f32;
}

/** SVDF: `filters = units · rank`, features `[filters, inputs]`, time weights and state `[filters, memory]`. */
@unmanaged
export class Svdf {
  x: u32;
  y: u32;
  state: u32;
  features: u32;
  time: u32;
  /** 0: none. */
  bias: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  inputs: u32;
  units: u32;
  rank: u32;
  memory: u32;
  activation: u32;
  quantized: u32;
  asymmetric: u32;
  featureScale: f32;
  /** Of int8: the input's zero point, the output's, and two rescalings. */
  xZeroPoint: i32;
  yZeroPoint: i32;
  multiplier1: i32;
  shift1: i32;
  multiplier2: i32;
  shift2: i32;
}

/** An LSTM of int8 or int16 with an int16 cell, whose scale is a power of two. */
@unmanaged
export class LstmInteger {
  x: u32;
  y: u32;
  /** int8 or int16 as the input, `[batch, cells]`. */
  h: u32;
  /** int16, `[batch, cells]`. */
  c: u32;
  /** Input, forget, cell, output: `GateInteger`. */
  gates: u32;
  /** 256 uint16 of the logistic function. */
  table: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  time: u32;
  inputs: u32;
  cells: u32;
  xStep: u32;
  xRow: u32;
  yStep: u32;
  yRow: u32;
  forgetMultiplier: i32;
  forgetShift: i32;
  inputMultiplier: i32;
  inputShift: i32;
  hiddenMultiplier: i32;
  hiddenShift: i32;
  hiddenZeroPoint: i32;
  /** What brings the cell to the table of tanh. */
  tanhMultiplier: i32;
  tanhShift: i32;
  /** 0: no clipping. */
  cellClip: i32;
}

/** int8 weights; biases of int32, or int64 where activations are int16; the zero points are in them. */
@unmanaged
export class GateInteger {
  x: u32;
  h: u32;
  xBias: u32;
  hBias: u32;
  xMultiplier: i32;
  xShift: i32;
  hMultiplier: i32;
  hShift: i32;
}

/** An LSTM of int8 with an int16 cell of scale 2^−(15 − cellBits), and what `LstmInteger` has not. Weights int8, `[outputs, inputs]`. */
@unmanaged
export class LstmNorm {
  x: u32;
  y: u32;
  /** int8 `[batch, outputs]`. */
  h: u32;
  /** int16 `[batch, cells]`. */
  c: u32;
  /** Input, forget, cell, output: `GateNorm`. */
  gates: u32;
  /** int8 `[outputs, cells]` and int32 `[outputs]`; 0: the output is the cell's. */
  projection: u32;
  projectionBias: u32;
  scratch: u32;
  scratchStride: u32;
  batch: u32;
  time: u32;
  inputs: u32;
  cells: u32;
  outputs: u32;
  xStep: u32;
  xRow: u32;
  yStep: u32;
  yRow: u32;
  /** 1: the input gate is one less the forget gate. */
  coupled: u32;
  /** 1: the reference steps all samples at once. */
  together: u32;
  /** What the input gate times what is new is divided by, as a power of two. */
  newsShift: i32;
  /** Integer bits of the cell, 0 to 6. */
  cellBits: i32;
  hiddenMultiplier: i32;
  hiddenShift: i32;
  hiddenZeroPoint: i32;
  projectionMultiplier: i32;
  projectionShift: i32;
  outputZeroPoint: i32;
  /** 0: no clipping. */
  cellClip: i32;
  projectionClip: i32;
}

/** A gate of `LstmNorm`; biases are int32, with zero points in them. Addresses of what is not there are 0. */
@unmanaged
export class GateNorm {
  x: u32;
  h: u32;
  xBias: u32;
  hBias: u32;
  /** int16 weights of the cell's own state. */
  cell: u32;
  /** int16 weights of the normalization, and its int32 biases. */
  norm: u32;
  normBias: u32;
  isTanh: u32;
  xMultiplier: i32;
  xShift: i32;
  hMultiplier: i32;
  hShift: i32;
  cellMultiplier: i32;
  cellShift: i32;
  normMultiplier: i32;
  /** 12 more than the scale's. */
  normShift: i32;
  /** The variance where it is less than 1. */
  varianceGuard: i32;
}
