/**
 * What least squares take most of their time for, for engines with SIMD128: products of float64 matrices, Cholesky's factors and
 * inverses. Each function gives the bits of its twin in `bindings/optimize/linear/twins.ts`, which runs where this module cannot.
 * Factors and inverses have rows of whole tiles, eight columns, with zeros behind the last; addresses are 16-byte aligned.
 */
export { cholesky, invert } from "./linear/cholesky";
export { addProducts, pack } from "./linear/panels";

/** From here on memory is the caller's. */
export const HEAP = __heap_base;
