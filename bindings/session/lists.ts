/**
 * What each thread runs from: a list of steps of its own. Kernels find their scratch in their parameter blocks, so a step
 * that has scratch has a block for every thread; all other blocks are shared. The first thread's list is the plan's.
 */

import { align, type Plan, STEP_BYTES } from "../plan/types.ts";

interface Lists {
  /** Address of the list of each thread. */
  readonly addresses: readonly number[];
  /** Where the lists that are not in the image end. */
  readonly end: number;
  /** Writes them; the image must be there. */
  write(memory: ArrayBufferLike): void;
}

/** The lists of `threads` threads, from `start` on, a multiple of 16. */
export function listsFor(plan: Plan, threads: number, start: number): Lists {
  const own = plan.steps.flatMap(({ params, scratch }, index) => {
    if (scratch === undefined || params + scratch.blockBytes > plan.imageAddress + plan.image.length) return [];
    return [{ index, params, bytes: scratch.blockBytes, at: scratch.at }];
  });
  const listBytes = align(plan.steps.length * STEP_BYTES);
  const size = own.reduce((sum, { bytes }) => sum + align(bytes), listBytes);
  const addressOf = (thread: number) => (thread === 0 ? plan.stepsAddress : start + (thread - 1) * size);
  return {
    addresses: Array.from({ length: threads }, (_, thread) => addressOf(thread)),
    end: start + (threads - 1) * size,
    write(memory) {
      const bytes = new Uint8Array(memory);
      const view = new DataView(memory);
      for (let thread = 1; thread < threads; thread++) {
        const list = addressOf(thread);
        bytes.copyWithin(list, plan.stepsAddress, plan.stepsAddress + plan.steps.length * STEP_BYTES);
        let block = list + listBytes;
        for (const { index, params, bytes: length, at } of own) {
          bytes.copyWithin(block, params, params + length);
          view.setUint32(block + at, plan.scratchAddress + thread * plan.scratchBytes, true);
          view.setUint32(list + index * STEP_BYTES + 4, block, true);
          block += align(length);
        }
      }
    },
  };
}
