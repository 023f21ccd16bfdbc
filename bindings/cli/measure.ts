/** Latencies of one run, in milliseconds. */
interface Measurement {
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly p90: number;
}

interface MeasureOptions {
  /** Milliseconds of runs that are not counted: compilers and clocks settle by time, not by number. */
  readonly warmUp: number;
  /** Milliseconds of runs that are counted. */
  readonly duration: number;
  /** At least as many counted runs, however long they take. */
  readonly leastRuns: number;
}

/** Times `run` until the duration has passed. Lets signals through between runs, outside the times. */
export async function measure(run: () => void, options: MeasureOptions): Promise<Measurement> {
  await repeat(run, options.warmUp, 1);
  const times = (await repeat(run, options.duration, options.leastRuns)).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(Math.ceil(share * times.length) - 1, times.length - 1)] as number;
  const middle = times.length / 2;
  const median = ((times[Math.ceil(middle) - 1] as number) + (times[Math.floor(middle)] as number)) / 2;
  return { runs: times.length, median, min: times[0] as number, p90: at(0.9) };
}

async function repeat(run: () => void, duration: number, leastRuns: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + duration;
  let pause = performance.now() + 50;
  for (let now = performance.now(); now < end || times.length < leastRuns; ) {
    run();
    const after = performance.now();
    times.push(after - now);
    now = after;
    if (now > pause) {
      await new Promise((resolve) => setTimeout(resolve));
      now = performance.now();
      pause = now + 50;
    }
  }
  return times;
}
