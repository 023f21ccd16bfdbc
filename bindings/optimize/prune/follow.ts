/** Layers solved one after another, each on what those before it give once they are pruned. */
import { type Graph, tensorOf } from "../../graph.ts";
import { type Layer, usersOf } from "../linear/layers.ts";
import { refineClipped, STEPS } from "./clipped.ts";
import { driftedSystem, splitActivations, targets, together } from "./drift.ts";
import { jointLayers } from "./joint.ts";
import type { Settings } from "./options.ts";
import { pickedRows } from "./picked.ts";
import { withSolutions } from "./rewrite.ts";
import { advanced, firstStage } from "./stage.ts";
import { type Inputs, keptInputs, reconstruct, type System } from "./systems.ts";

/** Which weights `[outputs][inputs]` a layer keeps, given its system; undefined: all. */
type Kept = (layer: Layer, system: System) => Uint8Array | undefined;

/**
 * From node `first` on, every layer of float weights gets its least-squares weights on the inputs that it keeps, towards the dense network's outputs, those that
 * its activation clips anywhere beyond the limit.
 * Layers that keep all their weights make up for those before them too. Those that share weights are solved together, in the place of their first.
 */
export async function solveLayers(
  graph: Graph,
  first: number,
  kept: Kept,
  examples: Inputs,
  { onProgress, check }: Settings,
): Promise<Graph> {
  const layers = jointLayers(graph).filter((layer) => usersOf(layer).some(({ at }) => at >= first));
  const split = splitActivations(graph, layers);
  let pruned = graph;
  let [dense, stage] = [firstStage(split.graph, examples), firstStage(graph, examples)];
  let known: Awaited<ReturnType<typeof targets>> = new Map();
  for (const [i, layer] of layers.entries()) {
    onProgress({ phase: "solve", done: i, total: layers.length, note: tensorOf(graph, layer.weights).name });
    check();
    if (!known.has(layer.at)) {
      dense = await advanced(split.graph, dense, split.places.get(layer.at) as number, examples);
      known = await targets(split, together(layers.slice(i), examples.length), dense);
    }
    stage = await advanced(pruned, stage, layer.at, examples);
    const wanted = known.get(layer.at) as readonly Float32Array[];
    const picked = pickedRows(layer, wanted, STEPS);
    const system = await driftedSystem(layer, split, wanted, pruned, stage, picked?.add);
    const mask = kept(layer, system) ?? new Uint8Array(layer.outputs * layer.inputs).fill(1);
    const keptOf = keptInputs(system, mask, picked !== undefined);
    const solution = reconstruct(system, mask, keptOf);
    const better = picked === undefined ? solution : await refineClipped(system, keptOf, solution, picked);
    pruned = withSolutions(pruned, [[layer, better]]);
  }
  return pruned;
}
