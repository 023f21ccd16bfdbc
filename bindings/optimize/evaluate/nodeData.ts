/** Layer errors as Model Explorer takes them: a value for each node, and colours. */
import { requireList } from "../../given.ts";
import type { LayerError } from "./figures.ts";

/** What the values are. */
export type NodeMeasure = "snr" | "cosine" | "meanError";

/** Beyond what matters: JSON has no Infinity. */
const MOST_SNR = 120;

/**
 * Node data of a graph: results by the name of the tensor that a node computes, red where the model is far from the other.
 */
export function nodeData(layers: readonly LayerError[], graph = "main", measure: NodeMeasure = "snr"): object {
  requireList("nodeData", layers, "the layers of an evaluation", "name");
  const results = Object.fromEntries(
    layers.map((layer) => [layer.name, { value: Number(Math.min(layer[measure], MOST_SNR).toPrecision(6)) }]),
  );
  const colours = [
    { stop: 0, bgColor: measure === "meanError" ? "#57bb8a" : "#e67c73" },
    { stop: 1, bgColor: measure === "meanError" ? "#e67c73" : "#57bb8a" },
  ];
  return { [graph]: { results, gradient: colours } };
}
