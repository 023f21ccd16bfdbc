/** What SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND have in common: pixels of a grid that lie `block` apart. */
import { cut, type View } from "../../primitives/move/view.ts";
import { indices } from "../../primitives/move/walk.ts";

/** One axis: block size, elements put before the grid's own, the grid's own size. */
export interface Axis {
  readonly block: number;
  readonly before: number;
  readonly size: number;
}

/** For each of a block's pixels: where it stands in the block, and the parts of grid and batches that belong together. */
interface Phase {
  readonly phase: readonly number[];
  readonly grid: View;
  readonly batch: View;
}

/** More phases than this are no model's. */
const MOST_PHASES = 4096;

/** How many phases there are; undefined where they are too many. */
export function phaseCount(axes: readonly Axis[]): number | undefined {
  const count = axes.reduce((all, { block, size }) => all * Math.min(block, size), 1);
  return count <= MOST_PHASES ? count : undefined;
}

/**
 * Pixel i of an axis of `grid` is number (i + before) / block of the batch (i + before) % block. `batch` has the same
 * axes, from axis 1 on in both.
 */
export function phases(grid: View, batch: View, axes: readonly Axis[]): readonly Phase[] {
  const choices = axes.map(({ block, before, size }) =>
    Array.from({ length: Math.min(block, size) }, (_, first) => {
      const at = first + before;
      return { first, phase: at % block, place: Math.floor(at / block), count: Math.ceil((size - first) / block) };
    }),
  );
  return indices(choices.map(({ length }) => length)).map((index) => {
    let part = grid;
    let row = batch;
    const phase: number[] = [];
    for (const [d, k] of index.entries()) {
      const choice = choices[d]?.[k];
      const { block } = axes[d] as Axis;
      if (choice === undefined) continue;
      part = cut(part, d + 1, choice.first, choice.count, block);
      row = cut(row, d + 1, choice.place, choice.count);
      phase.push(choice.phase);
    }
    return { phase, grid: part, batch: row };
  });
}
