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
import { importModel } from "../formats/index.ts";
import { inspectBy } from "../inspect.ts";
import { loadBy, planBy } from "../load.ts";
import { operators } from "../ops/index.ts";
import { provide } from "../ops/later.ts";
import { inlineFile as wasmUrl } from "../session/inline.ts";
import { loadModule as module } from "../session/modules.ts";
import type { inspectModel as inspect, loadModel as load, planModel as plan } from "./index.ts";
import { createKernels as kernels } from "./kernels.ts";
import { loadPlan as loadSaved } from "./runtime.ts";

export * from "./index.ts";
export { denseWeights, type Kernels, type KernelsOptions, prunedWeights } from "./kernels.ts";

provide(operators);

// What follows takes the place of the functions of the same names above.
/** `loadModel` of `pint8`, with the kernels inside. */
export const loadModel: typeof load = (source, options) => loadBy(importModel, source, { wasmUrl, ...options });
/** `loadPlan` of `pint8/runtime`, with the kernels inside. */
export const loadPlan: typeof loadSaved = (source, options) => loadSaved(source, { wasmUrl, ...options });
/** `planModel` of `pint8`, with the kernels inside. */
export const planModel: typeof plan = (source, options) => planBy(importModel, source, { wasmUrl, ...options });
/** `inspectModel` of `pint8`, with the kernels inside. */
export const inspectModel: typeof inspect = (source, options) =>
  inspectBy(importModel, source, { wasmUrl, ...options });
/** `createKernels` of `pint8/kernels`, with the kernels inside. */
export const createKernels: typeof kernels = (options) => kernels({ wasmUrl, ...options });
/** `loadModule` of `pint8`, with the kernels inside. */
export const loadModule: typeof module = (name, wasm, edition, from = wasmUrl) => module(name, wasm, edition, from);
