import type { ModuleName } from "../primitives/modules.ts";
import type { KernelName } from "../primitives/registry.ts";

/** The figures of a compiled module, in bytes where nothing else is said. */
export interface CompileReport {
  readonly module: ModuleName;
  /** The whole file. */
  readonly moduleBytes: number;
  /** The file without its data: kernels, steps, exports. */
  readonly codeBytes: number;
  /** The data: packed weights, tables, parameter blocks; runs of zeros are not stored. */
  readonly weightBytes: number;
  /** Activations, inputs and outputs. */
  readonly arenaBytes: number;
  /** Of kernels, while they run. */
  readonly scratchBytes: number;
  /** End of all memory that is used: what an engine must give that can give less than whole pages. */
  readonly usedBytes: number;
  /** Linear memory, in whole pages of 64 KiB. */
  readonly memoryBytes: number;
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  readonly steps: number;
  /** The kernels that it holds; steps that became code of their own need none. */
  readonly kernels: readonly KernelName[];
}
