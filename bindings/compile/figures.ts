import type { Plan } from "../plan/types.ts";
import type { MemoryLayout } from "./layout.ts";
import type { CompileReport } from "./report.ts";
import { DATA_SECTION, sectionBytes } from "./sections.ts";

/** The report of a linked module. */
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
