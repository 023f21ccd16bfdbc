/** The step loop: a list of pairs (kernel number, parameter block) becomes calls. */
import { dotProductKind } from "./common/probe";
import { step } from "./generated/step";

/**
 * Runs `count` steps of the list at `steps`, this thread doing share `part` of `parts` of each. Kernel numbers are
 * positions in the table that the build derives (`scripts/kernel-table.mjs`).
 */
export function run(steps: usize, count: u32, part: u32, parts: u32): void {
  for (const end = steps + (<usize>count << 3); steps < end; steps += 8) {
    step(load<u32>(steps), load<u32>(steps, 4), part, parts);
  }
}

/** What the relaxed dot product does here: 0 no such instruction in this module, 1 usdot, 2 sdot, −1 inexact. */
export function dotProduct(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? dotProductKind() : 0;
}
