/** Float network → the same network with zeros, made up for by least squares. */
import { ensure } from "../../errors.ts";
import { requireGraph } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { examplesOf } from "../data/examples.ts";
import type { Sample } from "../data/types.ts";
import type { Layer } from "../linear/layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import { settleConstants } from "../prepare/settle.ts";
import { requireTrainable } from "../train/prepare.ts";
import { unroll } from "../unroll/index.ts";
import { pruneChannels } from "./channels/prune.ts";
import { readExamples } from "./examples.ts";
import { finished } from "./finish.ts";
import { solveLayers } from "./follow.ts";
import { masksWithin, timeShare } from "./latency/masks.ts";
import { type Elimination, eliminateLayer, exactLayers, type Mask, masksAt } from "./masks.ts";
import { type PruneOptions, type Settings, settingsOf, type Zeros } from "./options.ts";
import { prunableLayers } from "./prunable.ts";
import type { PrunedLayer, PruneResult } from "./result.ts";
import { withSolutions } from "./rewrite.ts";
import { type Inputs, reconstruct, type System, systemsOf, withoutData } from "./systems.ts";
import { between, tuned } from "./tune.ts";
import { splitWide } from "./wide.ts";

export type { PrunedLayer, PruneResult } from "./result.ts";

/**
 * Prunes a float network. With data, which needs no labels: units go where the rest of their output can make up for them best
 * (Optimal Brain Surgeon), and what stays takes its least-squares values towards the dense network's own outputs. Without
 * data the smallest weights go. Whole channels go only with data.
 *
 * Errors: INVALID_GRAPH for a model without float32 layers, as a quantized one is; INVALID_INPUT for data that is empty, of
 * another size or not finite; INVALID_OPTION; those of `runPasses`; the signal's reason.
 */
export async function prune(
  graph: Graph,
  given?: AsyncIterable<Sample>,
  options: PruneOptions = {},
): Promise<PruneResult> {
  requireGraph("prune", graph);
  const data = given === undefined ? undefined : examplesOf("prune", given);
  const settings = settingsOf(options);
  const { tune } = options;
  ensure(tune === undefined || data !== undefined, "INVALID_OPTION", () => ({
    where: "tune",
    expected: "data to train on",
    received: "none",
  }));
  const steps = await unroll(await settleConstants(graph));
  const result = await pruneSteps(steps.graph, data, settings, options);
  return { ...result, graph: await steps.rolled(result.graph) };
}

/** A network in which nothing runs step by step that could be layers. */
async function pruneSteps(
  graph: Graph,
  data: AsyncIterable<Sample> | undefined,
  settings: Settings,
  options: PruneOptions,
): Promise<PruneResult> {
  const { pattern } = settings;
  const typed = prepareFloat(graph);
  prunableLayers(typed);
  if (options.tune !== undefined) requireTrainable(typed);
  if (pattern !== "channels") return pruneZeros(typed, data, pattern, settings, options);
  ensure(data !== undefined, "INVALID_OPTION", () => ({
    where: "pattern",
    expected: "data, by which channels are scored",
    received: "none",
  }));
  return pruneChannels(typed, data, settings, options);
}

/** Cut by cut, each on what the one before left once it was trained; the last alone where there is one. */
async function pruneZeros(
  typed: Graph,
  data: AsyncIterable<Sample> | undefined,
  pattern: Zeros,
  settings: Settings,
  options: PruneOptions,
): Promise<PruneResult> {
  const { tune } = options;
  const { cuts } = settings;
  const examples = data === undefined ? [] : await readExamples(typed, data, settings);
  let graph = typed;
  let report: readonly PrunedLayer[] = [];
  for (let cut = 1; cut <= cuts; cut++) {
    const wide = splitWide(graph);
    const layers = prunableLayers(wide.graph);
    // Steep at first, while there is much that is not needed. Source: Zhu and Gupta 2017.
    const part = 1 - (1 - cut / cuts) ** 3;
    const systems =
      data === undefined ? withoutData(wide.graph, layers) : await measured(wide.graph, layers, examples, settings);
    const eliminations = await eliminationsOf(wide.graph, systems, pattern, settings);
    const { latency, allocation } = settings;
    const masks =
      latency === undefined
        ? masksOf(eliminations, pattern, settings.sparsity * part, allocation)
        : await masksWithin(wide.graph, systems, eliminations, examples, 100 - (100 - latency) * part, settings);
    const lines = systems.map(({ layer, weights }, i): PrunedLayer => {
      const { zeros, error } = masks[i] as Mask;
      const { name } = tensorOf(wide.graph, layer.weights);
      return { name, kind: layer.kind, weights: weights.length, zeros, error };
    });
    const places = systems.map(({ layer }) => layer);
    report = wide.merged(places, lines);
    const solved =
      data === undefined
        ? withSolutions(
            wide.graph,
            systems.map((system, i) => [system.layer, reconstruct(system, (masks[i] as Mask).kept)]),
          )
        : await followed(wide.graph, systems, masks, examples, pattern, settings);
    graph = wide.join(solved);
    if (tune === undefined || data === undefined) continue;
    graph = await tuned(graph, typed, prunableLayers(graph), data, cut < cuts ? between(tune, cut) : tune, options);
  }
  if (tune === undefined && data !== undefined)
    graph = await finished(graph, typed, prunableLayers(graph), data, examples, settings, options);
  const total = report.reduce((sum, { weights }) => sum + weights, 0);
  const zeros = report.reduce((sum, layer) => sum + layer.zeros, 0);
  const result = { graph, layers: report, sparsity: zeros / total, samples: examples.length };
  const { latency: most } = settings;
  if (most === undefined) return result;
  const reached = await timeShare(typed, graph, examples);
  return { ...result, latency: { most, reached, met: reached <= most } };
}

async function measured(
  graph: Graph,
  layers: readonly Layer[],
  examples: Awaited<ReturnType<typeof readExamples>>,
  { onProgress, check }: Settings,
): Promise<readonly System[]> {
  return systemsOf(graph, layers, examples, (done) => {
    onProgress({ phase: "measure", done, total: examples.length });
    check();
  });
}

async function eliminationsOf(
  graph: Graph,
  systems: readonly System[],
  pattern: Zeros,
  { onProgress, check }: Settings,
): Promise<readonly Elimination[]> {
  const eliminations: Elimination[] = [];
  const exact = exactLayers(systems, pattern);
  for (const [i, system] of systems.entries()) {
    onProgress({
      phase: "eliminate",
      done: i,
      total: systems.length,
      note: tensorOf(graph, system.layer.weights).name,
    });
    await new Promise((resolve) => setTimeout(resolve));
    check();
    eliminations.push(eliminateLayer(system, pattern, exact.has(system.layer.at)));
  }
  return eliminations;
}

function masksOf(
  eliminations: readonly Elimination[],
  pattern: Zeros,
  sparsity: number,
  allocation: Settings["allocation"],
): readonly Mask[] {
  if (pattern === "2:4" && sparsity === 0.5) return masksAt(eliminations, 1);
  return allocation === "global"
    ? masksAt(eliminations, sparsity)
    : eliminations.flatMap((each) => masksAt([each], sparsity));
}

/**
 * Layer after layer, on what the layers before it give once they are pruned: the layer's mask anew, as many zeros as the
 * budget gave it, and weights towards the dense network's outputs.
 */
async function followed(
  graph: Graph,
  systems: readonly System[],
  masks: readonly Mask[],
  examples: Inputs,
  pattern: Zeros,
  settings: Settings,
): Promise<Graph> {
  const own = new Map(systems.map(({ layer }, i) => [layer.at, masks[i] as Mask]));
  const first = Math.min(...own.keys());
  const exact = exactLayers(systems, pattern);
  const kept = (layer: Layer, system: System) => {
    const mask = own.get(layer.at);
    if (mask === undefined || mask.zeros === 0) return undefined;
    const share = mask.zeros / mask.kept.length;
    return masksAt([eliminateLayer(system, pattern, exact.has(layer.at))], share)[0]?.kept;
  };
  return solveLayers(graph, first, kept, examples, settings);
}
