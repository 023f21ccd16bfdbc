/** Functions by name, as the kernels of this family number them. */

/** `pairsF32`; clamped are the first four. */
export const PAIRS_F32 = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  squaredDifference: 6,
  prelu: 7,
  floorDiv: 8,
  floorMod: 9,
  pow: 10,
  atan2: 11,
  hypot: 12,
} as const;

/** `pairsInt`. */
export const PAIRS_INT = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  squaredDifference: 6,
  floorDiv: 7,
  floorMod: 8,
  pow: 9,
  bitwiseXor: 10,
  and: 11,
  or: 12,
  rightShift: 13,
} as const;

/** `pairsQs8` and `pairsQs16`. */
export const PAIRS_QUANTIZED = { add: 0, sub: 1, mul: 2, squaredDifference: 3, div: 4, prelu: 5 } as const;

/** `compare`: 1 where equal counts, 2 where a is greater, 4 where it is less; `extra` 1 turns the result round. */
export const COMPARISONS = {
  equal: { form: 1, extra: 0 },
  notEqual: { form: 1, extra: 1 },
  less: { form: 4, extra: 0 },
  lessEqual: { form: 5, extra: 0 },
  greater: { form: 2, extra: 0 },
  greaterEqual: { form: 3, extra: 0 },
} as const;

/** `unaryF32`. */
export const UNARY_F32 = {
  clamp: 0,
  leaky: 1,
  abs: 2,
  neg: 3,
  sign: 4,
  ceil: 5,
  floor: 6,
  round: 7,
  sqrt: 8,
  rsqrt: 9,
  square: 10,
  exp: 11,
  log: 12,
  elu: 13,
  logistic: 14,
  tanh: 15,
  geluTanh: 16,
  erf: 17,
  gelu: 18,
  hardSwish: 19,
  sin: 20,
  cos: 21,
  tan: 22,
  asin: 23,
  acos: 24,
  sinh: 25,
  cosh: 26,
  asinh: 27,
  acosh: 28,
  atanh: 29,
} as const;

/** Bytes of a block of `assembly/elementwise/around.simd.ts`. */
const AROUND = 2064;

/** Bytes of scratch that vectors take for forms of `unaryF32` with an exponential in their middle. */
export const UNARY_SCRATCH: { readonly [F in keyof typeof UNARY_F32]?: number } = {
  logistic: AROUND,
  tanh: AROUND,
  gelu: AROUND,
  geluTanh: AROUND,
  erf: AROUND,
};
