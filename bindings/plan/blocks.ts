/** Parameter blocks of a plan as they stand in its image. */

import { PARAMS } from "../primitives/params.ts";
import { KERNELS, type KernelName, kernelNumber } from "../primitives/registry.ts";
import type { Plan } from "./types.ts";

/** The field names of a kernel's block, in their order. */
export function fieldsOf(kernel: KernelName): readonly string[] {
  const [, block] = KERNELS[kernelNumber(kernel)] as (typeof KERNELS)[number];
  return Object.keys(PARAMS[block]);
}

/** A word of a block in the image; undefined where the block has no such field, or ends where the image does. */
export function fieldOf(plan: Plan, kernel: KernelName, params: number, name: string): number | undefined {
  const at = params - plan.imageAddress + fieldsOf(kernel).indexOf(name) * 4;
  if (!fieldsOf(kernel).includes(name) || at + 4 > plan.image.length) return undefined;
  return new DataView(plan.image.buffer, plan.image.byteOffset).getUint32(at, true);
}
