import { align, memoryBytes, type Plan, STEP_BYTES } from "../plan/types.ts";
import type { Optimize } from "../primitives/modules.ts";
import { type Segment, withoutZeros } from "./segments.ts";
import { imageWithout, type Straight, straightSteps } from "./straight.ts";

const PAGE_BYTES = 65536;

/** How `reset` brings a variable back: one byte all over, or a copy that is kept. Addresses and bytes are multiples of 8. */
export type ResetVariable =
  | { readonly kind: "fill"; readonly address: number; readonly bytes: number; readonly value: number }
  | { readonly kind: "copy"; readonly address: number; readonly bytes: number; readonly from: number };

/**
 * The memory of a standalone module, as the plan has it; the step table is left out, and what `reset` copies from comes last:
 *
 *     0           1024    imageAddress                    scratchAddress
 *     │ constants │ arena │ variables, weights, params │ scratch │ starts of variables │
 *                                                    dataEnd                    heapBase
 */
export interface MemoryLayout {
  readonly pages: number;
  /** End of the data that the module brings, but for the starts of variables; 16-byte aligned. */
  readonly dataEnd: number;
  /** End of all that is used; 16-byte aligned. */
  readonly heapBase: number;
  readonly segments: readonly Segment[];
  readonly variables: readonly ResetVariable[];
  /** The steps that need no data, by the addresses of their parameter blocks: they become code. */
  readonly straight: ReadonlyMap<number, Straight>;
}

/** Lays out the memory of a plan with one thread. */
export function layoutOf(plan: Plan, optimize: Optimize): MemoryLayout {
  const straight = straightSteps(plan, optimize);
  const bytes = imageWithout(plan, straight);
  for (const { stepsAddress, steps } of [plan, ...plan.bodies]) {
    const list = stepsAddress - plan.imageAddress;
    bytes.fill(0, list, list + steps.length * STEP_BYTES);
  }
  const image: Segment = { address: plan.imageAddress, bytes };

  let end = align(plan.scratchAddress + plan.scratchBytes);
  const copies: Segment[] = [];
  const variables = plan.variables.map((variable): ResetVariable => {
    const { address } = variable;
    const size = align(variable.bytes, 8);
    const offset = address - plan.imageAddress;
    const start = plan.image.slice(offset, offset + variable.bytes);
    const value = start[0] ?? 0;
    if (start.every((byte) => byte === value)) return { kind: "fill", address, bytes: size, value };
    const from = end;
    copies.push({ address: from, bytes: start });
    end = align(from + size);
    return { kind: "copy", address, bytes: size, from };
  });
  return {
    pages: Math.max(memoryBytes(plan, 1), align(end, PAGE_BYTES)) / PAGE_BYTES,
    dataEnd: align(plan.imageAddress + plan.image.length),
    heapBase: end,
    segments: [image, ...copies].flatMap(withoutZeros),
    variables,
    straight,
  };
}
