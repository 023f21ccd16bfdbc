/** Float network → the same network with zeros, made up for by least squares. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import type { Sample } from "../data/types.ts";
import { type Layer, layersOf } from "../linear/layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import { driftedSystem, splitActivations } from "./drift.ts";
import { readExamples } from "./examples.ts";
import { type Elimination, eliminateLayer, type Mask, masksAt } from "./masks.ts";
import { type PruneOptions, type Settings, settingsOf } from "./options.ts";
import { prunableLayers } from "./prunable.ts";
import { withSolutions } from "./rewrite.ts";
import { type Inputs, reconstruct, type System, systemsOf, withoutData } from "./systems.ts";
import { tuned } from "./tune.ts";

/** What became of one layer. */
export interface PrunedLayer {
  /** Its weights' name. */
  readonly name: string;
  readonly kind: string;
  readonly weights: number;
  readonly zeros: number;
  /** Squared error of its outputs relative to their variance, on the examples; of weights where there are none. */
  readonly error: number;
}

export interface PruneResult {
  /** As an importer would give it: write it, quantize it, run it. */
  readonly graph: Graph;
  readonly layers: readonly PrunedLayer[];
  /** Share of zeros among the weights of these layers. */
  readonly sparsity: number;
  /** Examples that were read. */
  readonly samples: number;
}

/**
 * Prunes a float network. With data, which needs no labels: units go where the rest of their output can make up for them best
 * (Optimal Brain Surgeon), and what stays takes its least-squares values towards the dense network's own outputs. Without
 * data the smallest weights go.
 *
 * Errors: INVALID_GRAPH for a model without float32 layers, as a quantized one is; INVALID_INPUT for data that is empty, of
 * another size or not finite; INVALID_OPTION; those of `runPasses`; the signal's reason.
 */
export async function prune(
  graph: Graph,
  data?: AsyncIterable<Sample>,
  options: PruneOptions = {},
): Promise<PruneResult> {
  const settings = settingsOf(options);
  const { tune } = options;
  ensure(tune === undefined || data !== undefined, "INVALID_OPTION", () => ({
    where: "tune",
    expected: "data to train on",
    received: "none",
  }));
  const typed = prepareFloat(graph);
  const layers = prunableLayers(typed);
  const examples = data === undefined ? [] : await readExamples(typed, data, settings);
  const systems = data === undefined ? withoutData(typed, layers) : await measured(typed, layers, examples, settings);
  const masks = await masksOf(typed, systems, settings);
  const pruned =
    data === undefined
      ? withSolutions(
          typed,
          systems.map((system, i) => [system.layer, reconstruct(system, (masks[i] as Mask).kept)]),
        )
      : await followed(typed, systems, masks, examples, settings);
  const result =
    tune === undefined || data === undefined ? pruned : await tuned(pruned, typed, layers, data, tune, options);
  const report = systems.map(({ layer, weights }, i): PrunedLayer => {
    const { zeros, error } = masks[i] as Mask;
    return { name: tensorOf(typed, layer.weights).name, kind: layer.kind, weights: weights.length, zeros, error };
  });
  const total = report.reduce((sum, { weights }) => sum + weights, 0);
  return {
    graph: result,
    layers: report,
    sparsity: report.reduce((sum, { zeros }) => sum + zeros, 0) / total,
    samples: examples.length,
  };
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

async function masksOf(graph: Graph, systems: readonly System[], settings: Settings): Promise<readonly Mask[]> {
  const { pattern, sparsity, allocation, onProgress, check } = settings;
  const eliminations: Elimination[] = [];
  for (const [i, system] of systems.entries()) {
    onProgress({
      phase: "eliminate",
      done: i,
      total: systems.length,
      note: tensorOf(graph, system.layer.weights).name,
    });
    await new Promise((resolve) => setTimeout(resolve));
    check();
    eliminations.push(eliminateLayer(system, pattern));
  }
  if (pattern === "2:4") return masksAt(eliminations, 1);
  return allocation === "global"
    ? masksAt(eliminations, sparsity)
    : eliminations.flatMap((each) => masksAt([each], sparsity));
}

/**
 * Layer after layer, on what the layers before it give once they are pruned: the layer's mask anew, as many zeros as the
 * budget gave it, and weights towards the dense network's outputs. Layers that keep all their weights make up for those before
 * them too.
 */
async function followed(
  graph: Graph,
  systems: readonly System[],
  masks: readonly Mask[],
  examples: Inputs,
  { pattern, onProgress, check }: Settings,
): Promise<Graph> {
  const own = new Map(systems.map(({ layer }, i) => [layer.at, masks[i] as Mask]));
  const first = Math.min(...systems.map(({ layer }) => layer.at));
  const layers = layersOf(graph).filter(
    ({ at, weights }) => at >= first && tensorOf(graph, weights).dtype === "float32",
  );
  const split = splitActivations(graph, layers);
  let pruned = graph;
  for (const [i, layer] of layers.entries()) {
    onProgress({ phase: "solve", done: i, total: layers.length, note: tensorOf(graph, layer.weights).name });
    check();
    const system = await driftedSystem(layer, split, pruned, examples);
    const { zeros = 0, kept } = own.get(layer.at) ?? {};
    const share = pattern === "2:4" ? 1 : zeros / (kept?.length ?? 1);
    const [mask] = zeros === 0 ? [] : masksAt([eliminateLayer(system, pattern)], share);
    const all = new Uint8Array(layer.outputs * layer.inputs).fill(1);
    pruned = withSolutions(pruned, [[layer, reconstruct(system, mask?.kept ?? all)]]);
  }
  return pruned;
}
