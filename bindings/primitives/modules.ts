/** The three builds of the kernels, slowest first. */
export const MODULES = ["scalar", "simd", "relaxed"] as const;
/** A build of the kernels, by its name. */
export type ModuleName = (typeof MODULES)[number];

/**
 * Each build in two sizes: `core` has the kernels of ordinary int8 networks, `full` has all that inference takes. `train`, of simd alone, has
 * the float kernels of training and their gradients.
 */
export const EDITIONS = ["core", "full", "train"] as const;
export type Edition = (typeof EDITIONS)[number];

/** What to spare where there is a choice: bytes of weights, tables and code, or executed instructions. */
export type Optimize = "size" | "speed";

// Node's types have no WebAssembly.
type Declared = typeof globalThis extends { WebAssembly: infer T } ? T : object;
export type WasmModule = Declared extends { Module: { prototype: infer T } } ? T : object;
export type WasmMemory = Declared extends { Memory: { prototype: infer T } } ? T : { readonly buffer: ArrayBuffer };
