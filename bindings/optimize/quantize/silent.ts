/** Layers that gave nothing but zeros for all examples. */
import { ensure } from "../../errors.ts";
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf } from "../constants.ts";
import { biasOf, type Layer } from "../layers.ts";
import type { NodeType } from "./build.ts";

/**
 * The quantized layers whose outputs, which other data might wake, had no range to measure: they get a scale of 1. Where weights and biases are all
 * 0, 0 is all that a layer can give.
 *
 * Errors: INVALID_INPUT where no output of the network depends on its inputs any more, so that there was nothing to calibrate.
 */
export function silentLayers(
  graph: Graph,
  layers: readonly Layer[],
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): readonly string[] {
  const silent = layers.filter((layer) => {
    const { min, max } = ranges.get(layer.y) ?? { min: 0, max: 1 };
    const given = () => [...floatsOf(tensorOf(graph, layer.w)), ...biasOf(graph, layer)];
    return types[layer.index] !== "float32" && min === 0 && max === 0 && given().some((value) => value !== 0);
  });
  const [first] = silent;
  if (first !== undefined) {
    const still = new Set(silent.map(({ index }) => index));
    const live = new Set(graph.inputs.map(({ tensor }) => tensor));
    for (const [i, { inputs, outputs }] of graph.nodes.entries())
      if (!still.has(i) && inputs.some((id) => live.has(id))) for (const id of outputs) live.add(id);
    ensure(
      graph.outputs.some(({ tensor }) => live.has(tensor)),
      "INVALID_INPUT",
      () => ({
        where: `layer "${first.name}"`,
        expected: "outputs other than 0 for some example",
        received: "0 for all of them, and so nothing of the inputs in any output of the network",
        hint: "The layer never fires: check the data's preparation, or leave the layer float32.",
      }),
    );
  }
  return silent.map(({ name }) => name);
}
