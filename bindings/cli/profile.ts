import type { Session } from "../session/session.ts";
import type { TypedArray } from "../tensor.ts";
import { loadPeak } from "./peak.ts";
import { count, percent, table } from "./text.ts";

/** What one kernel call takes, over all runs that were measured. */
interface StepProfile {
  readonly operator: string;
  readonly kernel: string;
  readonly note: string;
  readonly macs: number;
  /** Milliseconds. */
  readonly median: number;
  readonly min: number;
  /** Of the sum of all medians. */
  readonly share: number;
  /** By the median; 0 where there is nothing to multiply. */
  readonly gmacsPerSecond: number;
  /** Of the ceiling that was measured between the runs. */
  readonly ceilingShare: number;
}

interface Profile {
  /** What one thread multiplies on registers alone: the median of slices between the runs. */
  readonly ceilingGmacsPerSecond: number;
  readonly runs: number;
  readonly steps: readonly StepProfile[];
}

const DURATION_MS = 1500;
const WARM_UP_MS = 500;
const LEAST_RUNS = 5;

/** Runs step by step until the time has passed, a slice of the peak loop after each run. */
export async function profileSteps(session: Session, inputs: readonly TypedArray[]): Promise<Profile> {
  const peak = await loadPeak(session.module);
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) session.profile(inputs);
  const runs: Float64Array[] = [];
  const slices: number[] = [];
  for (const end = performance.now() + DURATION_MS; performance.now() < end || runs.length < LEAST_RUNS; ) {
    runs.push(session.profile(inputs));
    if (slices.length < 200) slices.push(peak.slice());
    if (runs.length % 16 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  const ceiling = middle(slices);
  const times = session.steps.map((_, i) => runs.map((run) => run[i] as number));
  const medians = times.map(middle);
  const total = medians.reduce((sum, median) => sum + median, 0);
  const steps = session.steps.map(({ where, kernel, note, macs }, i): StepProfile => {
    const median = medians[i] as number;
    const gmacsPerSecond = median > 0 ? macs / median / 1e6 : 0;
    return {
      operator: where,
      kernel,
      note,
      macs,
      median,
      min: Math.min(...(times[i] as number[])),
      share: total > 0 ? median / total : 0,
      gmacsPerSecond,
      ceilingShare: gmacsPerSecond / ceiling,
    };
  });
  return { ceilingGmacsPerSecond: ceiling, runs: runs.length, steps };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] as number) + (sorted[Math.ceil(half)] as number)) / 2;
}

/** The profile as lines of at most `width` letters: a row for each kernel call, and what the columns are measured against. */
export function profileLines({ ceilingGmacsPerSecond, runs, steps }: Profile, width?: number): readonly string[] {
  const rows = steps.map(({ operator, kernel, note, macs, median, min, share, gmacsPerSecond, ceilingShare }) => [
    operator,
    ...[(median * 1000).toFixed(1), (min * 1000).toFixed(1), percent(share), count(macs)],
    ...(macs === 0 ? ["", ""] : [gmacsPerSecond.toFixed(1), percent(ceilingShare)]),
    note === "" ? kernel : `${kernel}: ${note}`,
  ]);
  const head = ["operator", "µs", "min", "share", "MACs", "GMAC/s", "of peak", "kernel"];
  return [
    ...table([head, ...rows], [1, 2, 3, 4, 5, 6], width),
    `peak ${ceilingGmacsPerSecond.toFixed(1)} GMAC/s on registers of one thread; medians of ${runs} runs, step by step`,
  ];
}
