/** What a layer's outputs would lose with each channel that it reads: for networks that cannot be trained, and so have no gradients. */
import type { Graph } from "../../../graph.ts";
import { invertDamped } from "../../linear/cholesky.ts";
import { type Inputs, outputEnergies, type System, systemsOf } from "../systems.ts";
import type { Channels } from "./classes.ts";

/** Inputs of one channel that are solved together; of more each counts by itself. */
const TOGETHER = 64;

/**
 * Of each class of channels the relative squared error that all layers which read it have without it, once the inputs that stay have moved to
 * their least-squares values: w_Bᵀ·((H⁻¹)_BB)⁻¹·w_B of each output by its variance, the mean over a layer's outputs, the sum over layers.
 */
export async function channelErrors(
  graph: Graph,
  channels: Channels,
  examples: Inputs,
): Promise<ReadonlyMap<number, number>> {
  const layers = channels.layers.filter((layer) => channels.columns(layer) !== undefined);
  const costs = new Map<number, number>();
  for (const system of await systemsOf(graph, layers, examples)) {
    const energies = outputEnergies(system);
    for (const [each, places] of placesOf(channels.columns(system.layer) ?? [])) {
      if (!channels.free.has(each)) continue;
      costs.set(each, (costs.get(each) ?? 0) + errorWithout(system, places, energies));
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  return costs;
}

function placesOf(columns: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>();
  for (const [i, each] of columns.entries()) {
    const known = places.get(each);
    if (known === undefined) places.set(each, [i]);
    else known.push(i);
  }
  return places;
}

function errorWithout(system: System, places: readonly number[], energies: Float64Array): number {
  const { weights, layer } = system;
  const { inputs, outputs } = layer;
  const inverse = system.inverse(0);
  const n = places.length <= TOGETHER ? places.length : 1;
  let sum = 0;
  for (let first = 0; first < places.length; first += n) {
    const some = places.slice(first, first + n);
    const block = new Float64Array(n * n);
    for (const [r, i] of some.entries())
      for (const [c, j] of some.entries()) block[r * n + c] = inverse[i * inputs + j] as number;
    const metric = invertDamped(block, n, 1e-9);
    for (let o = 0; o < outputs; o++) {
      const energy = (energies[o] as number) * outputs;
      if (energy <= 0) continue;
      let error = 0;
      for (const [r, i] of some.entries())
        for (const [c, j] of some.entries())
          error +=
            (weights[o * inputs + i] as number) * (metric[r * n + c] as number) * (weights[o * inputs + j] as number);
      sum += error / energy;
    }
  }
  return sum;
}
