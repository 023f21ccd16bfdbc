/** Whole channels: a network that is smaller and dense. */
import { type Graph, tensorOf } from "../../../graph.ts";
import type { Sample } from "../../data/types.ts";
import type { Layer } from "../../linear/layers.ts";
import { readExamples } from "../examples.ts";
import { solveLayers } from "../follow.ts";
import type { PruneOptions, Settings } from "../options.ts";
import type { PrunedLayer, PruneResult } from "../result.ts";
import { trained } from "../tune.ts";
import { chooseChannels, macsOf } from "./choose.ts";
import { channelsOf } from "./classes.ts";
import { channelCosts } from "./score.ts";
import { withoutChannels } from "./slice.ts";

/** Cuts in which the channels go: each is scored on what the one before left. */
const CUTS = 5;

/**
 * Takes channels until `sparsity` of the multiply-adds are gone: cut by cut those that cost least for what they save, the
 * layers that read them solved again on what is left and, with `tune`, trained between the cuts.
 */
export async function pruneChannels(
  dense: Graph,
  data: AsyncIterable<Sample>,
  settings: Settings,
  options: PruneOptions,
): Promise<PruneResult> {
  const { sparsity, onProgress, check } = settings;
  const examples = await readExamples(dense, data, settings);
  const before = channelsOf(dense).layers;
  const total = macsOf(before);
  const { tune } = options;
  let graph = dense;
  for (let cut = 1; cut <= CUTS; cut++) {
    onProgress({ phase: "cut", done: cut - 1, total: CUTS });
    check();
    const channels = channelsOf(graph);
    const costs = await channelCosts(graph, channels, examples, check);
    const gone = chooseChannels(channels, costs, total * (1 - sparsity) ** (cut / CUTS));
    if (gone.size === 0) continue;
    const kept = (layer: Layer) => {
      const columns = channels.columns(layer);
      if (columns === undefined || !columns.some((each) => gone.has(each))) return undefined;
      const row = Uint8Array.from(columns, (each) => (gone.has(each) ? 0 : 1));
      const all = new Uint8Array(layer.outputs * layer.inputs);
      for (let o = 0; o < layer.outputs; o++) all.set(row, o * layer.inputs);
      return all;
    };
    const first = Math.min(...channels.layers.filter((layer) => kept(layer) !== undefined).map(({ at }) => at));
    const solved = await solveLayers(graph, first, kept, examples, settings);
    graph = withoutChannels(solved, channels, gone);
    if (tune !== undefined && cut < CUTS) graph = await trained(graph, dense, data, between(tune), options);
  }
  if (tune !== undefined) graph = await trained(graph, dense, data, tune, options);
  const after = channelsOf(graph).layers;
  const layers = before.map((layer, i): PrunedLayer => {
    const weights = layer.outputs * layer.inputs;
    const { outputs = 0, inputs = 0 } = after[i] ?? {};
    return { name: tensorOf(dense, layer.weights).name, kind: layer.kind, weights, zeros: weights - outputs * inputs };
  });
  return { graph, layers, sparsity: 1 - macsOf(after) / total, samples: examples.length };
}

/** The training between two cuts: an eighth of that at the end. */
function between({ epochs, steps, ...rest }: NonNullable<PruneOptions["tune"]>) {
  return steps === undefined
    ? { ...rest, epochs: Math.max(Math.round((epochs ?? 8) / 8), 1) }
    : { ...rest, steps: Math.max(Math.round(steps / 8), 1) };
}
