/** Kernel cases: Benchmark.js samples in short slices, the peak loop and the dense twin of pruned cases between them. */
import Benchmark from "benchmark";
import { loadPeak } from "../bindings/cli/peak.ts";
import { createKernels, type ModuleName } from "../bindings/public/kernels.ts";
import { CASES, type Case, denseTwin } from "./cases.ts";
import { quantile } from "./measure.ts";
import { prepare } from "./prepare.ts";

export interface KernelResult {
  readonly name: string;
  readonly from: string;
  readonly module: ModuleName;
  readonly kernel: string;
  readonly macs: number;
  /** Milliseconds. */
  readonly median: number;
  readonly min: number;
  readonly p90: number;
  readonly samples: number;
  readonly gmacsPerSecond: number;
  /** GMAC/s of the peak loop between this case's slices. */
  readonly peak: number;
  /** Share of that peak, by medians and by the best samples. Of pruned cases MACs with zeros count too. */
  readonly peakShare: number;
  readonly bestPeakShare: number;
  /** Times faster than the same case without zeros, by medians and by the best samples. */
  readonly overDense?: number;
  readonly bestOverDense?: number;
}

const SLICES = 8;
const WARM_UP_MS = 600;
const SLICE = { maxTime: 0.03, minTime: 0.004, minSamples: 3, initCount: 1 };

/** Seconds of each sample of one slice. */
function slice(name: string, run: () => void): readonly number[] {
  const benchmark = new Benchmark(name, run, SLICE);
  benchmark.run({ async: false });
  if (benchmark.stats.sample.length === 0) throw new Error(`${name}: no samples`);
  return benchmark.stats.sample;
}

/** Measures one case. */
export async function benchKernel(module: ModuleName, subject: Case): Promise<KernelResult> {
  const kernels = await createKernels({ module });
  const peak = await loadPeak(module);
  const { call } = prepare(kernels, subject);
  const pruned = subject.kind === "gemm" && subject.pruning !== undefined;
  const dense = pruned ? prepare(kernels, denseTwin(subject)).call : undefined;
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; dense?.run()) call.run();
  const [own, twin, peaks]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < SLICES; i++) {
    own.push(...slice(subject.name, () => call.run()));
    if (dense) twin.push(...slice("dense", () => dense.run()));
    for (let j = 0; j < 8; j++) peaks.push(peak.slice());
  }
  const ms = own.map((seconds) => seconds * 1000);
  const median = quantile(ms, 0.5);
  const min = Math.min(...ms);
  const gmacs = (time: number) => call.macs / time / 1e6;
  const ceiling = quantile(peaks, 0.5);
  return {
    name: subject.name,
    from: subject.from,
    module,
    kernel: call.kernels.map(({ note }) => note).join("; "),
    macs: call.macs,
    median,
    min,
    p90: quantile(ms, 0.9),
    samples: ms.length,
    gmacsPerSecond: gmacs(median),
    peak: ceiling,
    peakShare: gmacs(median) / ceiling,
    bestPeakShare: gmacs(min) / Math.max(...peaks),
    ...(dense && {
      overDense: quantile(twin, 0.5) / quantile(own, 0.5),
      bestOverDense: Math.min(...twin) / Math.min(...own),
    }),
  };
}

/** The cases whose name or origin contains `only`. */
export function casesLike(only: string): readonly Case[] {
  return CASES.filter(({ name, from }) => `${name} ${from}`.includes(only));
}
