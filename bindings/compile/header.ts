import type { Plan, PlanPort } from "../plan/types.ts";
import type { MemoryLayout } from "./layout.ts";
import { cType, elements } from "./ports.ts";

/** OUT.h: what a C host needs to know, as macros. */
export function headerText(plan: Plan, { pages, dataEnd, heapBase }: MemoryLayout, name: string): string {
  const prefix = macroPrefix(name);
  const macs = plan.steps.reduce((sum, step) => sum + step.macs, 0);
  return `/*
 * ${cText(name)}.wasm, compiled by pint8 for module ${plan.module}. It imports nothing.
 *
 *   1. Instantiate it. Its memory has ${prefix}_MEMORY_BYTES bytes, of which it uses the first ${prefix}_USED_BYTES.
 *   2. Write each input to memory at ${prefix}_INPUT_0_ADDRESS, little-endian, row-major.
 *   3. Call invoke(); it returns 0, or 1 where the inputs ask for more than there is room for.
 *   4. Read each output from memory at ${prefix}_OUTPUT_0_ADDRESS.
 *
 * invoke() overwrites its inputs: write all of them before every call. Outputs stay until the next call or the next input.
 * reset() brings state that lives from call to call back to its start. real = SCALE * (q - ZERO_POINT).
 */
#ifndef PINT8_${prefix}_H
#define PINT8_${prefix}_H

#define ${prefix}_MEMORY_BYTES ${pages * 65536}u
#define ${prefix}_USED_BYTES ${heapBase}u
#define ${prefix}_DATA_END ${dataEnd}u
#define ${prefix}_ARENA_BYTES ${plan.arenaBytes}u
#define ${prefix}_MACS ${macs}ull
#define ${prefix}_INPUTS ${plan.inputs.length}
#define ${prefix}_OUTPUTS ${plan.outputs.length}
${ports(`${prefix}_INPUT`, plan.inputs)}${ports(`${prefix}_OUTPUT`, plan.outputs)}
#endif
`;
}

/** The prefix of a header's macros: `my-model` gives `MY_MODEL`. */
export function macroPrefix(name: string): string {
  const prefix = name.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return /^[A-Z]/.test(prefix) ? prefix : `MODEL_${prefix}`;
}

const ports = (prefix: string, list: readonly PlanPort[]): string =>
  list
    .map((port, i) => {
      const { name, address, bytes, shape, scale, zeroPoint } = port;
      const macros = {
        NAME: `"${cText(name)}"`,
        TYPE: cType(port),
        ADDRESS: `${address}u`,
        BYTES: `${bytes}u`,
        ELEMENTS: `${elements(port)}u`,
        RANK: shape.length,
        SHAPE: `{${shape.length === 0 ? 0 : shape.join(", ")}}`,
        SCALE: `${(Number.isFinite(scale) ? scale : 0).toPrecision(9)}f`,
        ZERO_POINT: `(${zeroPoint})`,
      };
      const lines = Object.entries(macros).map(([macro, value]) => `#define ${prefix}_${i}_${macro} ${value}`);
      return `\n${lines.join("\n")}\n`;
    })
    .join("");

/** Text for a C string or comment: what is not plain ASCII, and what could end either, becomes `_`. */
const cText = (text: string) => text.replace(/[^A-Za-z0-9 ,:;.()[\]{}+=_-]/g, "_");
