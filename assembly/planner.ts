/**
 * What takes longest when a model is planned, for engines with SIMD128: proofs of requantization, sums of weights, and
 * panels. Each function gives the bits of its twin in `bindings/kernels/planner.ts`, which runs where this module cannot.
 * All addresses are 16-byte aligned.
 */
export { prove } from "./planner/proof";
export { packPanels, sumRows } from "./planner/weights";

/** From here on memory is the caller's. */
export const HEAP = __heap_base;
