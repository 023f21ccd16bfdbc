/** How far a long piece of work is, where somebody watches: `round   ██████░░░░ 12 of 20, 3 s, block3/conv`. */
import type { Streams } from "./streams.ts";

/** What is done of how much. */
interface Stage {
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
  readonly note?: string;
}

const WIDTH = 24;
/** Milliseconds between two lines. */
const PAUSE = 80;
const MOST_LETTERS = 78;

/** A function that shows each stage, and one that clears the line at the end. */
export function progressBar({ status }: Streams): {
  readonly show: (stage: Stage) => void;
  readonly clear: () => void;
} {
  if (status === undefined) return { show: () => {}, clear: () => {} };
  let [shown, phase, began] = [-Infinity, "", 0];
  return {
    show(stage) {
      const now = performance.now();
      if (stage.phase !== phase) [phase, began, shown] = [stage.phase, now, -Infinity];
      if (now - shown < PAUSE) return;
      shown = now;
      status(barLine(stage, (now - began) / 1000).slice(0, MOST_LETTERS));
    },
    clear: () => status(""),
  };
}

/** One line; seconds since its phase began. */
export function barLine({ phase, done, total, note }: Stage, seconds: number): string {
  const bar = total === undefined ? "" : `${"█".repeat(filled(done, total)).padEnd(WIDTH, "░")} `;
  const count = total === undefined ? `${done}` : `${done} of ${total}`;
  return `${phase.padEnd(10)} ${bar}${count}, ${Math.round(seconds)} s${note === undefined ? "" : `, ${note}`}`;
}

const filled = (done: number, total: number) => Math.round(WIDTH * Math.min(Math.max(done / Math.max(total, 1), 0), 1));
