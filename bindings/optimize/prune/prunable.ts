/** Which layers of a network lose weights. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { type Layer, layersOf } from "../linear/layers.ts";
import { jointLayers } from "./joint.ts";

/** Channels of what a network sees, up to which its first convolution is a stem. */
const STEM_CHANNELS = 4;

/**
 * Convolutions and dense layers of float32 weights, those that share weights once. Depthwise layers stay as they are, and so do
 * convolutions of a few channels: they have few weights, and each of them matters.
 *
 * Errors: INVALID_GRAPH for a model without any, as a quantized one is.
 */
export function prunableLayers(graph: Graph): readonly Layer[] {
  const all = layersOf(graph);
  const layers = jointLayers(graph).filter(({ kind, inputs, patches }) => {
    const narrow = patches !== undefined && patches.depth <= STEM_CHANNELS;
    return kind !== "depthwiseConv2d" && inputs > 1 && !narrow;
  });
  ensure(layers.length > 0, "INVALID_GRAPH", () => ({
    where: "model",
    expected: "convolutions or dense layers of float32 weights",
    received:
      all.length === 0
        ? "none"
        : `${all.length} layers of ${[...new Set(all.map(({ weights }) => tensorOf(graph, weights).dtype))].join(", ")}`,
    hint: "A model that is quantized already cannot be pruned; begin with the one that it was made from, then quantize.",
  }));
  return layers;
}
