/** Timing of contenders that take turns in one process, so that what disturbs the machine disturbs all alike. */

export interface Contender {
  readonly name: string;
  /** Inferences of one run; 1 where absent. Times are those of one. */
  readonly inferences?: number;
  run(): unknown;
}

/** Times of one run in milliseconds. */
export interface Times {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly p10: number;
  readonly p90: number;
  readonly samples: number;
  /** Share of the samples that no context switch disturbed; only these count where there are enough of them. */
  readonly quiet: number;
  /** Median per round, for ratios of neighbours. */
  readonly rounds: readonly number[];
}

interface MeasureOptions {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

const SAMPLE_MS = 1;
const PER_ROUND = 3;
const LEAST_ROUNDS = 7;
const ENOUGH = 15;

/**
 * Warms each contender by time, at least ten runs, then lets them take turns: one run that is not counted, then three
 * samples, each of as many runs as last a millisecond.
 */
export async function takeTurns(contenders: readonly Contender[], options: MeasureOptions): Promise<readonly Times[]> {
  const batches: number[] = [];
  for (const { run } of contenders) {
    const end = performance.now() + options.warmUpMs;
    for (let runs = 0; runs < 10 || performance.now() < end; runs++) await run();
    let least = Infinity;
    for (let i = 0; i < 5; i++) least = Math.min(least, (await sample(run, 1)).time);
    batches.push(Math.max(1, Math.ceil(SAMPLE_MS / Math.max(least, 1e-4))));
  }
  const all: { time: number; quiet: boolean }[][] = contenders.map(() => []);
  const rounds: number[][] = contenders.map(() => []);
  const end = performance.now() + options.durationMs;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < end; round++)
    for (const [i, { run, inferences = 1 }] of contenders.entries()) {
      await run();
      const taken = [];
      for (let s = 0; s < PER_ROUND; s++) {
        const { time, quiet } = await sample(run, batches[i] as number);
        taken.push({ time: time / inferences, quiet });
      }
      all[i]?.push(...taken);
      rounds[i]?.push(
        quantile(
          taken.map(({ time }) => time),
          0.5,
        ),
      );
    }
  return contenders.map(({ name }, i) => {
    const samples = all[i] as { time: number; quiet: boolean }[];
    const quiet = samples.filter((one) => one.quiet);
    const times = (quiet.length >= ENOUGH ? quiet : samples).map(({ time }) => time);
    return {
      name,
      median: quantile(times, 0.5),
      min: Math.min(...times),
      p10: quantile(times, 0.1),
      p90: quantile(times, 0.9),
      samples: times.length,
      quiet: quiet.length / samples.length,
      rounds: rounds[i] as number[],
    };
  });
}

/** One sample; quiet where the system did not take the processor away meanwhile. */
async function sample(run: () => unknown, batch: number): Promise<{ readonly time: number; readonly quiet: boolean }> {
  const switches = process.resourceUsage().involuntaryContextSwitches;
  const start = performance.now();
  for (let i = 0; i < batch; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const time = (performance.now() - start) / batch;
  return { time, quiet: process.resourceUsage().involuntaryContextSwitches === switches };
}

/** The value below which this share of the values lies, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] as number;
  return low + ((sorted[Math.ceil(at)] as number) - low) * (at - Math.floor(at));
}

/** How many times faster `ours` is than `theirs`: of medians, of minima, and the middle 80 % of the rounds. */
export interface Ratio {
  readonly ratio: number;
  readonly ofMinima: number;
  readonly low: number;
  readonly high: number;
}

export function ratioOf(theirs: Times, ours: Times): Ratio {
  const each = ours.rounds.map((time, i) => (theirs.rounds[i] as number) / time);
  return {
    ratio: theirs.median / ours.median,
    ofMinima: theirs.min / ours.min,
    low: quantile(each, 0.1),
    high: quantile(each, 0.9),
  };
}
