import type { Block } from "../../bindings/plan/arena.ts";
import { ALIGNMENT, align } from "../../bindings/plan/types.ts";

/** The most bytes that blocks of memory take at once: no arena can be smaller. */
export function peakBytes(blocks: readonly Block[]): number {
  const at = (step: number) => blocks.filter(({ first, last }) => first <= step && step <= last);
  const sums = blocks.map(({ first }) => at(first).reduce((sum, { bytes }) => sum + align(bytes, ALIGNMENT), 0));
  return Math.max(0, ...sums);
}
