/** Whole channels: a network that is smaller and dense. */
import { ensure } from "../../../errors.ts";
import { type Graph, tensorOf } from "../../../graph.ts";
import type { Sample } from "../../data/types.ts";
import type { Layer } from "../../linear/layers.ts";
import { firstOf } from "../../train/answers.ts";
import { trainedPart } from "../../train/front.ts";
import { canBeTrained } from "../../train/prepare.ts";
import { objectiveOf, sideBySide } from "../../train/several.ts";
import { readExamples } from "../examples.ts";
import { finished } from "../finish.ts";
import { solveLayers } from "../follow.ts";
import type { PruneOptions, Settings } from "../options.ts";
import type { PrunedLayer, PruneResult } from "../result.ts";
import { between, trained } from "../tune.ts";
import { splitWide } from "../wide.ts";
import { chooseChannels, macsOf } from "./choose.ts";
import { channelsOf } from "./classes.ts";
import { channelErrors } from "./errors.ts";
import { channelCosts } from "./score.ts";
import { withoutChannels } from "./slice.ts";

/** Refuses what is more than whole channels can save. Errors: INVALID_OPTION. */
function requireShare(most: number, sparsity: number): void {
  ensure(most >= sparsity, "INVALID_OPTION", () => ({
    where: "sparsity",
    expected: `at most ${Math.floor(most * 1000) / 10} % of the multiply-adds, which is what whole channels can save here`,
    received: `${sparsity * 100} %`,
    hint: "Other patterns take weights of any layer.",
  }));
}

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
  const { sparsity, cuts, multiple, onProgress, check } = settings;
  const all = channelsOf(dense);
  const before = all.layers;
  const total = macsOf(before);
  const shareOf = (graph: Graph) => 1 - macsOf(channelsOf(graph).layers) / total;
  requireShare(shareOf(withoutChannels(dense, all, chooseChannels(all, new Map(), 0))), sparsity);
  const examples = await readExamples(dense, data, settings);
  const { tune } = options;
  const gradients = canBeTrained(trainedPart(dense));
  const objective = gradients ? objectiveOf(dense, tune?.objective, await firstOf(data)) : "values";
  const whole = gradients ? await sideBySide(dense, data) : undefined;
  let graph = dense;
  for (let cut = 1; cut <= cuts; cut++) {
    onProgress({ phase: "cut", done: cut - 1, total: cuts });
    check();
    const channels = channelsOf(graph);
    const costs = whole
      ? await channelCosts(whole(graph), channels, examples, check, objective)
      : await channelErrors(graph, channels, examples);
    const gone = chooseChannels(channels, costs, total * (1 - sparsity) ** (cut / cuts), {
      multiple,
      near: multiple > 1 && cut < cuts,
    });
    if (gone.size === 0) continue;
    const wide = splitWide(graph);
    const goes = (columns: readonly number[] | undefined) => columns?.some((each) => gone.has(each)) === true;
    const kept = (layer: Layer) => {
      const columns = wide.columns(layer, channels.columns);
      if (columns === undefined || !goes(columns)) return undefined;
      const row = Uint8Array.from(columns, (each) => (gone.has(each) ? 0 : 1));
      const all = new Uint8Array(layer.outputs * layer.inputs);
      for (let o = 0; o < layer.outputs; o++) all.set(row, o * layer.inputs);
      return all;
    };
    const first = Math.min(...channels.layers.filter((layer) => goes(channels.columns(layer))).map(({ at }) => at));
    const solved = await solveLayers(wide.graph, wide.first(first), kept, examples, settings);
    graph = withoutChannels(wide.join(solved), channels, gone);
    if (tune !== undefined && cut < cuts) graph = await trained(graph, dense, data, between(tune, cut), options);
  }
  const after = channelsOf(graph).layers;
  const share = shareOf(graph);
  requireShare(share, sparsity);
  graph =
    tune === undefined
      ? await finished(graph, dense, [], data, examples, settings, options)
      : await trained(graph, dense, data, tune, options);
  const layers = before.map((layer, i): PrunedLayer => {
    const weights = layer.outputs * layer.inputs;
    const { outputs = 0, inputs = 0 } = after[i] ?? {};
    return { name: tensorOf(dense, layer.weights).name, kind: layer.kind, weights, zeros: weights - outputs * inputs };
  });
  return { graph, layers, sparsity: share, samples: examples.length };
}
