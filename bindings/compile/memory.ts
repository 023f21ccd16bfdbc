import { ensure } from "../errors.ts";
import type { Plan } from "../plan/types.ts";
import type { MemoryLayout } from "./layout.ts";

/** Something that takes memory, for messages. */
export interface Sized {
  readonly text: string;
  readonly bytes: number;
}

/** Refuses a model that needs more linear memory than `most` bytes, with the figure and the largest tensors. */
export function checkMemory(
  plan: Plan,
  { pages, heapBase }: MemoryLayout,
  most: number,
  tensors: readonly Sized[],
): void {
  const bytes = pages * 65536;
  ensure(bytes <= most, "OUT_OF_MEMORY", () => {
    const largest = [...tensors].sort((a, b) => b.bytes - a.bytes).slice(0, 3);
    return {
      where: "max-memory",
      expected: `a model within ${most} bytes`,
      received:
        `one that needs ${bytes} (${heapBase} before whole pages: arena ${plan.arenaBytes}, image ${plan.image.length}, ` +
        `scratch ${plan.scratchBytes}); the largest tensors: ${largest.map(({ text }) => text).join("; ")}`,
      hint: "Use a smaller model, input or batch.",
    };
  });
}
