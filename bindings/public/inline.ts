/**
 * pint8 with its kernels inside: `pint8/inline`. It needs no files at all, where they are hard to bring along: a page of one
 * file, a function in a cloud, an extension, a program of one file. It is larger, and runs one thread.
 *
 * ```ts
 * import { loadModel } from "pint8/inline";
 * ```
 *
 * @module
 */
export * from "./index.ts";
export { createKernels, denseWeights, type Kernels, type KernelsOptions, prunedWeights } from "./kernels.ts";
