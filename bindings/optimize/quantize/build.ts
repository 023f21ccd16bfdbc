/** Float graph and decisions → integer graph, with QUANTIZE and DEQUANTIZE where types meet. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { bytesOf, isFloatConstant } from "../constants.ts";
import { activationAt, isProduct, type Layer, withParameters } from "../layers.ts";
import { compact } from "../prepare/index.ts";
import type { Affines } from "./groups.ts";
import { type InnerSetting, storeInner } from "./inner.ts";
import { fixedAffine, ruleOf } from "./operators.ts";
import type { Io } from "./options.ts";
import type { Activations } from "./scales.ts";
import { createVersions } from "./versions.ts";
import { biasTensor, type QuantizedWeights, weightTensor } from "./weights.ts";

/** Type of the activations that a node works on. */
export type NodeType = Activations | "float32";

/** All that is decided about a network. */
export interface Decisions {
  /** By index of the node. */
  readonly types: readonly NodeType[];
  readonly affines: Affines;
  /** Layers by index of their node. */
  readonly layers: ReadonlyMap<number, Layer>;
  /** Stored weights of layers, by index of their node: also of layers that work on floats (hybrid). */
  readonly weights: ReadonlyMap<number, QuantizedWeights>;
  /** Weights that are stored as half-precision numbers, by id. */
  readonly halves: ReadonlyMap<TensorId, Uint8Array>;
  readonly io: Io;
  readonly inner: InnerSetting;
  /** Names of layers that gave 0 for every example. */
  readonly silent: readonly string[];
}

/** The graph in which every node works on the type that was decided for it. */
export function buildQuantized(float: Graph, decisions: Decisions): Graph {
  const { graph } = storeInner(float, decisions.inner);
  const builder = createBuilder(graph, decisions);
  const inputs = graph.inputs.map((port) => ({ ...port, tensor: builder.input(port.tensor) }));
  for (const [i, node] of graph.nodes.entries()) builder.node(node, i);
  const outputs = graph.outputs.map((port) => ({ ...port, tensor: builder.output(port.tensor) }));
  const { batch: _, ...rest } = graph;
  return compact({ ...rest, tensors: builder.tensors, nodes: builder.nodes, inputs, outputs });
}

function createBuilder(graph: Graph, { types, affines, layers, weights, halves, io }: Decisions) {
  const { tensors, nodes, add, emit, declare, put, convert, value, constant, half, share } = createVersions(
    graph,
    affines,
  );
  const isFloat = (id: TensorId) => id !== NONE && tensorOf(graph, id).dtype === "float32";
  /** The dtype of an end of the graph: no float, no choice. */
  const endType = (id: TensorId): Io => (isFloat(id) ? io : "float32");

  /** Weights and bias of a layer on integers. */
  const parameters = (layer: Layer, stored: QuantizedWeights, type: Activations): readonly TensorId[] => {
    const { scale } = affines.of(layer.x, type);
    const name = layer.bias === NONE ? `${layer.name}/bias` : tensorOf(graph, layer.bias).name;
    const w = share(weightTensor(layer, tensorOf(graph, layer.w), stored));
    const none =
      layer.bias === NONE &&
      (layer.node.kind === "fullyConnected" || layer.node.kind === "transposeConv") &&
      stored.bias.every((value) => value === 0);
    return [w, none ? NONE : share(biasTensor(name, stored, scale, type === "int8" ? "int32" : "int64"))];
  };
  /** Integer weights of a layer on floats. */
  const hybrid = (layer: Layer, stored: QuantizedWeights): readonly TensorId[] => [
    share(weightTensor(layer, tensorOf(graph, layer.w), stored)),
    ...(layer.bias === NONE ? [] : [share({ ...tensorOf(graph, layer.bias), data: bytesOf(stored.bias) })]),
  ];

  /** A node on floats, whose weights may be integers. */
  const floatNode = (node: AnyNode, layer: Layer | undefined, stored: QuantizedWeights | undefined): void => {
    const inputs = node.inputs.map((id) => {
      const data = halves.get(id);
      return id === NONE ? NONE : data === undefined ? value(id, "float32") : half(id, data);
    });
    const own =
      layer !== undefined && stored !== undefined ? withParameters(node, inputs, hybrid(layer, stored)) : inputs;
    const outputs = node.outputs.map((id) => put(id, "float32", add(tensorOf(graph, id))));
    const asymmetric = stored !== undefined && node.kind === "fullyConnected" ? { asymmetric: true } : {};
    const attributes = { ...node.attributes, ...asymmetric };
    emit({ ...node, attributes, inputs: own, outputs } as AnyNode);
  };

  const integerNode = (
    node: AnyNode,
    type: Activations,
    layer: Layer | undefined,
    stored: QuantizedWeights | undefined,
  ): void => {
    const tied = ruleOf(node) === "tied" ? (node.outputs.find(isFloat) ?? node.inputs.find(isFloat)) : undefined;
    const inputs = node.inputs.map((id, at) => {
      if (id === NONE || !isFloat(id)) return id === NONE ? NONE : value(id, "float32");
      if (isProduct(node) && at !== activationAt(node)) return id;
      return isFloatConstant(tensorOf(graph, id)) ? constant(id, type, tied) : value(id, type);
    });
    const own =
      layer !== undefined && stored !== undefined
        ? withParameters(node, inputs, parameters(layer, stored, type))
        : inputs;
    const fixed = fixedAffine(node, type);
    const behind: (() => void)[] = [];
    const outputs = node.outputs.map((id) => {
      if (!isFloat(id)) return put(id, "float32", add(tensorOf(graph, id)));
      const y = declare(id, type);
      const { scale, zeroPoint } = affines.of(id, type);
      put(id, type, y);
      if (fixed === undefined || (fixed.scale === scale && fixed.zeroPoint === zeroPoint)) return y;
      // Joined with others of another scale: the function's own first.
      const first = declare(id, type, fixed);
      behind.push(() => convert(first, y, `${node.where}, rescaled`));
      return first;
    });
    emit({ ...node, inputs: own, outputs } as AnyNode);
    for (const each of behind) each();
  };

  return {
    tensors,
    nodes,
    input: (id: TensorId): TensorId =>
      isFloat(id) ? put(id, endType(id), declare(id, endType(id))) : put(id, "float32", add(tensorOf(graph, id))),
    output: (id: TensorId): TensorId => (isFloat(id) ? value(id, endType(id)) : value(id, "float32")),
    node(node: AnyNode, i: number): void {
      const type = types[i] as NodeType;
      if (type === "float32") floatNode(node, layers.get(i), weights.get(i));
      else integerNode(node, type, layers.get(i), weights.get(i));
    },
  };
}
