/** Layers that share weights, as the steps of a recurrent network do or a detector's heads: one problem of all their rows. */
import { type Graph, NONE, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import { type Layer, layersOf } from "../linear/layers.ts";

/**
 * The layers whose float32 weights can be solved for, the first of each that share them, which knows the others. Left out are layers whose weights
 * something else reads too, that share weights but no bias or activation, or that have constants alone to work on: they stay as they are.
 */
export function jointLayers(graph: Graph): readonly Layer[] {
  const readers = countReaders(graph);
  const byWeights = new Map<number, Layer[]>();
  for (const layer of layersOf(graph)) byWeights.set(layer.weights, [...(byWeights.get(layer.weights) ?? []), layer]);
  return [...byWeights.values()].flatMap((users) => {
    const [first, ...others] = users as [Layer, ...Layer[]];
    const { weights, bias } = first;
    const known = bias === NONE || tensorOf(graph, bias).data !== undefined;
    if (!known || readers[weights] !== users.length || tensorOf(graph, weights).dtype !== "float32") return [];
    if (users.every(({ x }) => tensorOf(graph, x).data !== undefined)) return [];
    if (others.some((other) => keyOf(other) !== keyOf(first))) return [];
    return others.length === 0 ? [first] : [{ ...first, users }];
  });
}

/** What layers of one problem have in common. */
const keyOf = ({ kind, bias, groups, node }: Layer) => [kind, bias, groups, node.attributes.activation].join();
