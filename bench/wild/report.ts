/** The wild's results as text: models from the slowest, what they come to, and where the time goes. */
import { table } from "../../bindings/cli/text.ts";
import { quantile } from "../measure.ts";
import type { WildResult } from "./model.ts";

/** A network's result with its kind, or why it has none. */
export type WildEntry = { readonly name: string; readonly kind: string } & (
  | { readonly result: WildResult; readonly refusal?: undefined }
  | { readonly refusal: string; readonly result?: undefined }
);

/** The fastest of the peers that ran it. */
const bestPeer = ({ peers }: WildResult) =>
  peers.reduce<(typeof peers)[number] | undefined>(
    (best, one) => (best === undefined || one.ratio < best.ratio ? one : best),
    undefined,
  );

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const time = (ms: number) => (ms >= 1 ? `${ms.toPrecision(3)} ms` : `${(ms * 1000).toPrecision(3)} µs`);

export function wildLines(entries: readonly WildEntry[]): readonly string[] {
  const measured = entries.flatMap((entry) => (entry.result === undefined ? [] : [{ ...entry, result: entry.result }]));
  const compared = measured
    .flatMap((entry) => {
      const best = bestPeer(entry.result);
      return best === undefined ? [] : [{ ...entry, best }];
    })
    .sort((a, b) => a.best.ratio - b.best.ratio);
  const rows = compared.map(({ name, kind, result, best }) => [
    ...[name, kind, time(result.ours), time(best.ms), best.name, best.ratio.toFixed(2)],
    ...[`${best.low.toFixed(2)}–${best.high.toFixed(2)}`, hottest(result)],
  ]);
  const head = ["network", "kind", "pint8", "best peer", "", "ratio", "of turns", "most of the time"];
  const refused = entries.filter(({ refusal }) => refusal !== undefined);
  const alone = measured.filter(({ result }) => result.peers.length === 0);
  return [
    ...table([head, ...rows], [2, 3, 5]),
    "",
    ...summaryLines(compared),
    `${measured.length} networks load, ${refused.length} do not, ${alone.length} run in no peer`,
    "",
    ...kernelLines(measured.map(({ result }) => result)),
  ];
}

const hottest = ({ kernels }: WildResult) =>
  kernels
    .slice(0, 2)
    .map(({ kernel, share }) => `${kernel} ${(share * 100).toFixed(0)} %`)
    .join(", ");

function summaryLines(
  compared: readonly { readonly kind: string; readonly best: { readonly ratio: number } }[],
): readonly string[] {
  const kinds = [...new Set(compared.map(({ kind }) => kind))].sort();
  const row = (name: string, ratios: readonly number[]) => [
    ...[name, String(ratios.length), geometricMean(ratios).toFixed(2), quantile(ratios, 0.5).toFixed(2)],
    ...[String(ratios.filter((ratio) => ratio < 1).length), Math.min(...ratios).toFixed(2)],
  ];
  if (compared.length === 0) return ["no network was compared: see docs/BENCHMARKS.md for how to install peers"];
  const of = (kind: string) => compared.filter((one) => one.kind === kind).map(({ best }) => best.ratio);
  const all = compared.map(({ best }) => best.ratio);
  const head = ["kind", "networks", "geometric mean", "median", "under 1", "least"];
  return table([head, ...kinds.map((kind) => row(kind, of(kind))), row("all", all)], [1, 2, 3, 4, 5]);
}

function kernelLines(results: readonly WildResult[]): readonly string[] {
  const peak = quantile(
    results.map(({ peakGmacs }) => peakGmacs),
    0.5,
  );
  const copy = quantile(
    results.map(({ copyGbytes }) => copyGbytes),
    0.5,
  );
  const sums = new Map<string, { share: number; networks: number; ms: number; macs: number; bytes: number }>();
  for (const { kernels } of results)
    for (const { kernel, share, ms, macs, bytes } of kernels) {
      const sum = sums.get(kernel) ?? { share: 0, networks: 0, ms: 0, macs: 0, bytes: 0 };
      sums.set(kernel, {
        share: sum.share + share,
        networks: sum.networks + 1,
        ms: sum.ms + ms,
        macs: sum.macs + macs,
        bytes: sum.bytes + bytes,
      });
    }
  const rows = [...sums]
    .sort(([, a], [, b]) => b.share - a.share)
    .map(([kernel, { share, networks, ms, macs, bytes }]) => [
      ...[kernel, String(networks), `${((share / results.length) * 100).toFixed(1)} %`],
      ...(macs === 0 ? ["", ""] : [(macs / ms / 1e6).toFixed(1), `${((macs / ms / 1e4 / peak) | 0).toFixed(0)} %`]),
      ...[(bytes / ms / 1e6).toFixed(1), `${((bytes / ms / 1e4 / copy) | 0).toFixed(0)} %`],
    ]);
  const head = ["kernel", "networks", "mean share", "GMAC/s", "of peak", "GB/s", "of copies"];
  return [
    ...table([head, ...rows], [1, 2, 3, 4, 5, 6]),
    `ceilings of this run: ${peak.toFixed(1)} GMAC/s on registers, copies ${copy.toFixed(1)} GB/s read and written`,
  ];
}
