/** Masks under a bound of time: how much each layer loses by what its kernels were measured to save. */
import { type Graph, tensorOf } from "../../../graph.ts";
import { usersOf } from "../../linear/layers.ts";
import { type Elimination, type Mask, masksAt } from "../masks.ts";
import type { Settings } from "../options.ts";
import type { Inputs, System } from "../systems.ts";
import { type Choice, cheapest } from "./budget.ts";
import { alone, int8Times, masked } from "./times.ts";

/** Shares of a layer's weights at which it is measured. */
const SHARES = [0, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/** Share of the bound that is aimed at: measurements differ by some per cent. */
const AIM = 0.97;
/** How often the whole network is measured with what the layers' times say, and asked for more where they promised too much. */
const ROUNDS = 4;

/**
 * Masks with which the int8 network takes `most` per cent of the dense one's time, at the least sum of the layers' relative errors; those that save
 * most where none does. Each layer is measured by itself at some sparsities, the whole network with the masks that this comes to.
 */
export async function masksWithin(
  graph: Graph,
  systems: readonly System[],
  eliminations: readonly Elimination[],
  examples: Inputs,
  most: number,
  { onProgress, check }: Pick<Settings, "onProgress" | "check">,
): Promise<readonly Mask[]> {
  const layers: { readonly masks: readonly Mask[]; readonly choices: readonly Choice[] }[] = [];
  for (const [i, elimination] of eliminations.entries()) {
    const { layer } = systems[i] as System;
    const note = tensorOf(graph, layer.weights).name;
    onProgress({ phase: "time", done: i, total: eliminations.length, note });
    check();
    const masks = SHARES.map((share) => masksAt([elimination], share)[0] as Mask);
    const times = await int8Times(masks.map(({ kept }) => alone(masked(graph, [[layer, kept]]), layer)));
    const dense = times[0] as number;
    layers.push({
      masks,
      choices: masks.map(({ error }, k) => ({
        cost: error,
        saves: usersOf(layer).length * (dense - (times[k] as number)),
      })),
    });
  }
  const choices = layers.map((layer) => layer.choices);
  let found: readonly Mask[] = [];
  const aim = most * AIM;
  const dense = (await int8Times([graph], examples))[0] as number;
  let share = 1 - aim / 100;
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = masksOf(layers, cheapest(choices, share * dense));
    const reached = await timeShare(graph, apply(graph, systems, chosen), examples);
    found = chosen;
    if (reached <= aim) break;
    share += (reached - aim) / 100;
  }
  return found;
}

const masksOf = (layers: readonly { readonly masks: readonly Mask[] }[], chosen: readonly number[]): readonly Mask[] =>
  layers.map(({ masks }, i) => masks[chosen[i] as number] as Mask);

const apply = (graph: Graph, systems: readonly System[], masks: readonly Mask[]): Graph =>
  masked(
    graph,
    systems.map(({ layer }, i) => [layer, (masks[i] as Mask).kept]),
  );

/** Time of the int8 form of a pruned graph in per cent of that of the dense one, both measured in turns. */
export async function timeShare(dense: Graph, pruned: Graph, examples: Inputs): Promise<number> {
  const [before, after] = (await int8Times([dense, pruned], examples)) as [number, number];
  return (100 * after) / before;
}
