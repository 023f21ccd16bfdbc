/** Settings of layers → the type of every node, and weights rounded to the nearest. */
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import { biasOf, type Layer } from "../layers.ts";
import { stepNodes } from "../steps.ts";
import type { Decisions, NodeType } from "./build.ts";
import { withFloatSums } from "./coarse.ts";
import { withFloatCoordinates } from "./coordinates.ts";
import { withFloatEnds } from "./ends.ts";
import { fitsHalf, toHalves } from "./halves.ts";
import { type InnerSetting, isTable, TABLE } from "./inner.ts";
import { withFloatLogarithms } from "./logarithms.ts";
import { withFloatNormalization } from "./normalization.ts";
import type { ActivationType, Io, LayerSetting, Scales } from "./options.ts";
import { withFloatQuotients } from "./quotients.ts";
import { silentLayers } from "./silent.ts";
import { withFloatSkips } from "./skips.ts";
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
  const steps = stepNodes(graph);
  const wished = graph.nodes.map((node, i): NodeType => {
    const setting = byNode.get(i)?.[1];
    const type = inner.tables && isTable(graph, node) ? "int8" : (setting?.activations ?? activations);
    const stored = setting === undefined || setting.weights === "int8" || setting.weights === "int4";
    return type === "float32" || steps.has(i) || !stored || !supports(graph, node, type) ? "float32" : type;
  });
  const ends = () => withFloatEnds(graph, withFloatNormalization(graph, wished, ranges), ranges);
  const even = io === "float32" ? withFloatSkips(graph, ends()) : wished;
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
    if (stored === "float16") halve(halves, layer.w, tensor);
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

/** Other matrices and long lists of floats, where all layers' weights are halves anyway; biases and means are few, and a half of a large one is far off. */
function halveConstants(graph: Graph, halves: Map<TensorId, Uint8Array>): void {
  for (const id of graph.nodes.flatMap(({ inputs }) => inputs)) {
    const tensor = graph.tensors[id];
    if (!isFloatConstant(tensor) || halves.has(id)) continue;
    if (tensor.shape.filter((size) => size > 1).length > 1 || elementCount(tensor.shape) >= TABLE)
      halve(halves, id, tensor);
  }
}

/** Stores a constant so, unless some number is too large. */
function halve(halves: Map<TensorId, Uint8Array>, id: TensorId, tensor: Tensor): void {
  const values = floatsOf(tensor);
  if (values.every(fitsHalf)) halves.set(id, toHalves(values));
}
