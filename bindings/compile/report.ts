import type { Plan } from "../plan/types.ts";
import type { ModuleName } from "../primitives/modules.ts";
import type { KernelName } from "../primitives/registry.ts";
import type { MemoryLayout } from "./layout.ts";
import { DATA_SECTION, sectionBytes } from "./sections.ts";

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

export function reportOf(plan: Plan, { pages, heapBase, straight }: MemoryLayout, wasm: Uint8Array): CompileReport {
  const weightBytes = sectionBytes(wasm, DATA_SECTION);
  return {
    module: plan.module,
    moduleBytes: wasm.length,
    codeBytes: wasm.length - weightBytes,
    weightBytes,
    arenaBytes: plan.arenaBytes,
    scratchBytes: plan.scratchBytes,
    usedBytes: heapBase,
    memoryBytes: pages * 65536,
    macs: plan.steps.reduce((sum, { macs }) => sum + macs, 0),
    steps: plan.steps.length,
    kernels: [...new Set(plan.steps.filter(({ params }) => !straight.has(params)).map(({ kernel }) => kernel))].sort(),
  };
}
