/** Options → one setting for each layer. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import type { Layer } from "../layers.ts";
import { withFloatLogarithms } from "./logarithms.ts";
import type { ActivationType, LayerSetting, QuantizeOptions } from "./options.ts";

const isPointwise = ([, kH, kW]: readonly number[]) => kH === 1 && kW === 1;

/** What a layer is, as `layers` may name it; its weights' name is one too. */
function namesOf(graph: Graph, layer: Layer, first: boolean): readonly string[] {
  const kind = layer.node.kind;
  const kinds =
    kind === "depthwiseConv2d"
      ? ["depthwise"]
      : kind === "fullyConnected"
        ? ["dense"]
        : isPointwise(tensorOf(graph, layer.w).shape)
          ? ["pointwise", "conv"]
          : ["conv"];
  return ["*", ...kinds, ...(first ? ["first"] : []), layer.name];
}

/** Weights that logarithms are computed by, where nothing says how large their operands are. */
function unknownExact(graph: Graph, activations: ActivationType): ReadonlySet<number> {
  if (activations !== "float32") return new Set();
  return withFloatLogarithms(graph, [], new Map()).exact;
}

/**
 * The setting of each layer. Dynamic range leaves what logarithms are computed of at float16. int4 for all leaves the first layer and depthwise ones at int8: they have few weights, and their
 * errors reach everything.
 *
 * Errors: INVALID_OPTION for a name that no layer has.
 */
export function settingsOf(
  graph: Graph,
  layers: readonly Layer[],
  { weights = "int8", activations = "int8", layers: own = {} }: QuantizeOptions,
): readonly LayerSetting[] {
  // What has the first layer's weights is the first layer at another step.
  const isFirst = ({ w }: Layer) => w === layers[0]?.w;
  const exact = unknownExact(graph, activations);
  const names = layers.map((layer) => namesOf(graph, layer, isFirst(layer)));
  for (const name of Object.keys(own))
    ensure(
      names.some((list) => list.includes(name)),
      "INVALID_OPTION",
      () => ({
        where: "layers",
        expected: `*, first, depthwise, pointwise, conv, dense, or one of ${layers.map((layer) => layer.name).join(", ")}`,
        received: name,
      }),
    );
  return layers.map((layer, i) => {
    const isExact = exact.has(layer.index) && (weights === "int8" || weights === "int4");
    const spared = weights === "int4" && (isFirst(layer) || layer.node.kind === "depthwiseConv2d");
    const base: LayerSetting = { weights: isExact ? "float16" : spared ? "int8" : weights, activations };
    const matching = Object.entries(own).flatMap(([name, change]) => (names[i]?.includes(name) ? [change] : []));
    const found = Object.assign({}, base, ...matching) as LayerSetting;
    // Transposed convolutions have no form of four bits.
    return found.weights === "int4" && layer.node.kind === "transposeConv" ? { ...found, weights: "int8" } : found;
  });
}
