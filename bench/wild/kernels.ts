/** A session's time by kernel, and what a copy loop moves. */
import { performance } from "node:perf_hooks";
import type { Session } from "../../bindings/public/index.ts";
import { quantile } from "../measure.ts";

/** All calls of one kernel in one run of a network. */
export interface KernelTime {
  readonly kernel: string;
  readonly calls: number;
  /** Milliseconds of one run: the sum of the calls' medians. */
  readonly ms: number;
  /** Of the whole run's. */
  readonly share: number;
  readonly macs: number;
  /** Read and written at least: the largest tensor twice, and the weights. */
  readonly bytes: number;
}

/** Runs step by step for so long; `between` is called after each run. */
export function kernelTimes(session: Session, durationMs: number, between: () => void): readonly KernelTime[] {
  const runs: Float64Array[] = [];
  for (const end = performance.now() + durationMs; performance.now() < end || runs.length < 8; ) {
    runs.push(session.profile());
    if (runs.length % 4 === 0 || durationMs < 50) between();
  }
  between();
  const clock = clockCost();
  const kernels = new Map<string, { calls: number; ms: number; macs: number; bytes: number }>();
  for (const [i, step] of session.steps.entries()) {
    const median = quantile(
      runs.slice(runs.length >> 1).map((run) => run[i] as number),
      0.5,
    );
    const entry = kernels.get(step.kernel) ?? { calls: 0, ms: 0, macs: 0, bytes: 0 };
    entry.calls++;
    entry.ms += Math.max(0, median - clock);
    entry.macs += step.macs;
    entry.bytes += 2 * step.elements * elementBytes(step.kernel) + step.bytes;
    kernels.set(step.kernel, entry);
  }
  const all = [...kernels.values()].reduce((sum, { ms }) => sum + ms, 0);
  return [...kernels]
    .map(([kernel, entry]) => ({ kernel, ...entry, share: all === 0 ? 0 : entry.ms / all }))
    .sort((a, b) => b.ms - a.ms);
}

const elementBytes = (kernel: string): number =>
  /F32|32$|Qs32/.test(kernel) ? 4 : /16/.test(kernel) ? 2 : /64/.test(kernel) ? 8 : 1;

/** What asking for the time twice takes. */
function clockCost(): number {
  const costs = Array.from({ length: 99 }, () => {
    const start = performance.now();
    return performance.now() - start;
  });
  return quantile(costs, 0.5);
}

const COPIED = new Uint8Array(1 << 18);

/** Bytes read and written a nanosecond by a copy within the second cache. */
export function copyCeiling(): number {
  const half = COPIED.length / 2;
  const times = 64;
  const start = performance.now();
  for (let i = 0; i < times; i++) COPIED.copyWithin(half, 0, half);
  return (2 * half * times) / (performance.now() - start) / 1e6;
}
