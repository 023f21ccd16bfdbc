/** Settings of layers → the type of every node, and weights rounded to the nearest. */
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import { biasOf, type Layer } from "../layers.ts";
import type { Decisions, NodeType } from "./build.ts";
import { withFloatSums } from "./coarse.ts";
import { withFloatCoordinates } from "./coordinates.ts";
import { withFloatEnds } from "./ends.ts";
import { toHalves } from "./halves.ts";
import { type InnerSetting, isTable } from "./inner.ts";
import { withFloatLogarithms } from "./logarithms.ts";
import { withFloatNormalization } from "./normalization.ts";
import type { ActivationType, Io, LayerSetting, Scales } from "./options.ts";
import { withFloatQuotients } from "./quotients.ts";
import { silentLayers } from "./silent.ts";
import { supports } from "./support.ts";
import { nearestWeights, type QuantizedWeights } from "./weights.ts";

interface Choices {
  readonly settings: readonly LayerSetting[];
  /** Of nodes that are no layers. */
  readonly activations: ActivationType;
  readonly scales: Scales;
  readonly io: Io;
  readonly ranges: ReadonlyMap<TensorId, Range>;
  readonly inner: InnerSetting;
}

/**
 * Every node on the type that its setting, or the network's, asks for; on floats where the engine has no such form. Weights are
 * rounded to the nearest: others may take their place.
 *
 * Errors: those of `silentLayers`.
 */
export function decide(graph: Graph, layers: readonly Layer[], choices: Choices): Decisions {
  const { settings, activations, scales, io, ranges, inner } = choices;
  const byNode = new Map(layers.map((layer, i) => [layer.index, [layer, settings[i] as LayerSetting]] as const));
  const wished = graph.nodes.map((node, i): NodeType => {
    const setting = byNode.get(i)?.[1];
    const type = inner.tables && isTable(graph, node) ? "int8" : (setting?.activations ?? activations);
    const stored = setting === undefined || setting.weights === "int8" || setting.weights === "int4";
    return type === "float32" || !stored || !supports(graph, node, type) ? "float32" : type;
  });
  const even = io === "float32" ? withFloatEnds(graph, withFloatNormalization(graph, wished, ranges), ranges) : wished;
  const { types: near, exact } = withFloatLogarithms(graph, even, ranges);
  const exactly = withFloatQuotients(graph, withFloatCoordinates(graph, near), ranges);
  const { types, affines } = withFloatSums(graph, exactly, ranges);
  const silent = silentLayers(graph, layers, types, ranges);
  const weights = new Map<number, QuantizedWeights>();
  const halves = new Map<TensorId, Uint8Array>();
  for (const [index, [layer, setting]] of byNode) {
    const tensor = tensorOf(graph, layer.w);
    const isExact = exact.has(index) && setting.activations !== "float32" && setting.weights !== "float32";
    const stored = isExact ? "float16" : setting.weights;
    if (stored === "float16") halves.set(layer.w, toHalves(floatsOf(tensor)));
    if (stored === "float16" || stored === "float32") continue;
    const type = types[index] as NodeType;
    const bits = setting.weights === "int4" ? 4 : 8;
    const xScale = type === "float32" ? Infinity : affines.of(layer.x, type).scale;
    weights.set(index, nearestWeights(layer, tensor, biasOf(graph, layer), bits, scales, xScale));
  }
  if ([inner, ...settings].every((setting) => setting.weights === "float16")) halveConstants(graph, halves);
  const byIndex = new Map(layers.map((layer) => [layer.index, layer]));
  return { types, affines, layers: byIndex, weights, halves, io, inner, silent };
}

/** All larger constants of floats, where all layers' weights are halves anyway. */
function halveConstants(graph: Graph, halves: Map<TensorId, Uint8Array>): void {
  for (const id of graph.nodes.flatMap(({ inputs }) => inputs)) {
    const tensor = graph.tensors[id];
    if (isFloatConstant(tensor) && elementCount(tensor.shape) > 1 && !halves.has(id))
      halves.set(id, toHalves(floatsOf(tensor)));
  }
}
