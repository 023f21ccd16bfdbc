/** The results as text tables. */
import { table } from "../bindings/cli/text.ts";
import type { ColdStart } from "./coldstart.ts";
import type { KernelResult } from "./kernels.ts";
import type { ModelResult } from "./models.ts";
import type { OnnxStart } from "./onnxstart.ts";

/** Everything that one engine gave. */
export interface EngineResults {
  /** `Node 24.1.0, V8 13.6` */
  readonly engine: string;
  readonly kernels: readonly KernelResult[];
  readonly models: readonly ModelResult[];
  readonly coldStarts: readonly ColdStart[];
  readonly onnxStarts: readonly OnnxStart[];
  /** What failed or was left out, and why. */
  readonly notes: readonly string[];
}

export interface Results {
  readonly date: string;
  readonly machine: string;
  /** Load average when the run began and ended. */
  readonly load: readonly [number, number];
  readonly engines: readonly EngineResults[];
}

const ms = (time: number) => (time >= 10 ? time.toFixed(2) : time.toPrecision(3));
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const times = (ratio: number) => ratio.toFixed(2);

export function reportLines({ machine, load, engines, date }: Results): readonly string[] {
  const lines = [`${date}, ${machine}, load ${load.map((value) => value.toFixed(1)).join(" to ")}`];
  for (const { engine, kernels, models, coldStarts, onnxStarts, notes } of engines) {
    lines.push("", `== ${engine}`);
    if (kernels.length > 0) lines.push("", ...kernelLines(kernels));
    if (models.length > 0) lines.push("", ...modelLines(models));
    if (coldStarts.length > 0) lines.push("", ...coldLines(coldStarts));
    if (onnxStarts.length > 0) lines.push("", ...onnxLines(onnxStarts));
    if (notes.length > 0) lines.push("", ...notes.map((note) => `note: ${note}`));
  }
  return lines;
}

function kernelLines(kernels: readonly KernelResult[]): readonly string[] {
  const head = ["kernel case", "module", "µs", "min", "p90", "GMAC/s", "of peak", "best", "over dense", "best"];
  const rows = kernels.map((one) => [
    ...[one.name, one.module, ...[one.median, one.min, one.p90].map((time) => (time * 1000).toFixed(1))],
    ...[one.gmacsPerSecond.toFixed(1), percent(one.peakShare), percent(one.bestPeakShare)],
    ...[one.overDense, one.bestOverDense].map((ratio) => (ratio === undefined ? "" : `${times(ratio)}x`)),
  ]);
  return table([head, ...rows], [2, 3, 4, 5, 6, 7, 8, 9]);
}

function modelLines(models: readonly ModelResult[]): readonly string[] {
  const rows = models.flatMap(({ name, macs, times: all }) =>
    all.map((one) => [
      ...[name, one.name, ms(one.median), ms(one.min), ms(one.p90)],
      ...[(macs / one.median / 1e6).toFixed(1), percent(one.quiet)],
    ]),
  );
  const ratios = models.flatMap(({ name, ratios: all }) =>
    all.map((one) => [
      name,
      one.ours,
      one.theirs,
      times(one.ratio),
      times(one.ofMinima),
      `${times(one.low)}–${times(one.high)}`,
    ]),
  );
  const lines = [...table([["model", "engine", "ms", "min", "p90", "GMAC/s", "quiet"], ...rows], [2, 3, 4, 5, 6])];
  if (ratios.length === 0) return lines;
  lines.push(
    "",
    ...table([["model", "ours", "against", "times faster", "of minima", "p10–p90"], ...ratios], [3, 4, 5]),
  );
  for (const [pair, values] of geometricMeans(models)) lines.push(`geometric mean, ${pair}: ${times(values)}`);
  return lines;
}

/** Of the ratios of each pair that three models or more have. */
function geometricMeans(models: readonly ModelResult[]): readonly (readonly [string, number])[] {
  const pairs = new Map<string, number[]>();
  for (const { ratios } of models)
    for (const { ours, theirs, ratio } of ratios) {
      const pair = `${ours} against ${theirs}`;
      pairs.set(pair, [...(pairs.get(pair) ?? []), ratio]);
    }
  return [...pairs]
    .filter(([, all]) => all.length > 2)
    .map(([pair, all]) => [pair, Math.exp(all.reduce((sum, r) => sum + Math.log(r), 0) / all.length)] as const);
}

function coldLines(coldStarts: readonly ColdStart[]): readonly string[] {
  const rows = coldStarts.map(({ name, median, min, p90, samples }) => [
    name,
    ...[median, min, p90].map(ms),
    `${samples}`,
  ]);
  return table([["start to first tf2_mobilenet_v2 result", "ms", "min", "p90", "processes"], ...rows], [1, 2, 3, 4]);
}

/** Milliseconds, and how many times as fast as onnxruntime-web. */
function onnxLines(networks: readonly OnnxStart[]): readonly string[] {
  const rows = networks.map(({ name, starts }) => {
    const medians = starts.map(({ median }) => median);
    const [, , web = Number.NaN] = medians;
    return [
      name,
      ...medians.map((own, i) => `${own.toFixed(0)}${i < 2 && web > 0 ? `, ${(web / own).toFixed(1)}×` : ""}`),
    ];
  });
  const names = networks[0]?.starts.map(({ name }) => name) ?? [];
  return table(
    [["start to first result, ms", ...names], ...rows],
    names.map((_, i) => i + 1),
  );
}
