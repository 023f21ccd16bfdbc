/**
 * What takes longest when a model is planned, for engines with SIMD128: proofs of requantization, sums of weights, and
 * panels. Each function gives the bits of its twin in `bindings/primitives/requantize/packer.ts`, which runs where this module cannot.
 * All addresses are 16-byte aligned.
 */
export { prove } from "./packer/proof";
export { packPanels, sumRows } from "./packer/weights";

/** From here on memory is the caller's. */
export const HEAP = __heap_base;
