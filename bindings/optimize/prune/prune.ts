/** Float network → the same network with zeros, made up for by least squares. */
import { type Graph, tensorOf } from "../../graph.ts";
import type { Sample } from "../data/types.ts";
import type { Layer } from "../linear/layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import { readExamples } from "./examples.ts";
import { type Elimination, eliminateLayer, type Mask, masksAt } from "./masks.ts";
import { type PruneOptions, type Settings, settingsOf } from "./options.ts";
import { prunableLayers } from "./prunable.ts";
import { withSolutions } from "./rewrite.ts";
import { reconstruct, type System, systemsOf, withoutData } from "./systems.ts";

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
  const typed = prepareFloat(graph);
  const layers = prunableLayers(typed);
  const examples = data === undefined ? [] : await readExamples(typed, data, settings);
  const systems = data === undefined ? withoutData(typed, layers) : await measured(typed, layers, examples, settings);
  const masks = await masksOf(typed, systems, settings);
  const solutions = systems.map((system, i) => {
    settings.onProgress({
      phase: "solve",
      done: i,
      total: systems.length,
      note: tensorOf(typed, system.layer.weights).name,
    });
    settings.check();
    return [system.layer, reconstruct(system, (masks[i] as Mask).kept)] as const;
  });
  const report = systems.map(({ layer, weights }, i): PrunedLayer => {
    const { zeros, error } = masks[i] as Mask;
    return { name: tensorOf(typed, layer.weights).name, kind: layer.kind, weights: weights.length, zeros, error };
  });
  const total = report.reduce((sum, { weights }) => sum + weights, 0);
  return {
    graph: withSolutions(typed, solutions),
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
