/** Float graph and decisions → integer graph, with QUANTIZE and DEQUANTIZE where types meet. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import type { Affine } from "../../primitives/requantize/quantization.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf, floatsOf, isFloatConstant } from "../constants.ts";
import { activationAt, isProduct, type Layer, withParameters } from "../layers.ts";
import { compact } from "../prepare/index.ts";
import { type Affines, rangeOf } from "./groups.ts";
import { type InnerSetting, storeInner } from "./inner.ts";
import { fixedAffine, ruleOf } from "./operators.ts";
import type { Io } from "./options.ts";
import { type Activations, affineOfRange, asQuantization, quantizeReals } from "./scales.ts";
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

/** The scale of a tensor in a type, uint8 being int8 moved up by 128. */
const shifted = ({ scale, zeroPoint }: Affine, dtype: Io): Affine =>
  dtype === "uint8" ? { scale, zeroPoint: zeroPoint + 128 } : { scale, zeroPoint };

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
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  /** The tensor of the new graph that holds a value in a type. */
  const versions = new Map<string, TensorId>();
  /** The type in which each value of floats is made. */
  const made = new Map<TensorId, Io>();

  const add = (tensor: Tensor): TensorId => (tensors.push(tensor) - 1) as TensorId;
  const emit = (node: { readonly kind: string } & Omit<AnyNode, "kind">) => nodes.push(node as AnyNode);

  /** An empty tensor for a value in that type. */
  const declare = (id: TensorId, type: Io, affine?: Affine): TensorId => {
    const { quantization: _, ...tensor } = tensorOf(graph, id);
    if (type === "float32") return add(tensor);
    const own = affine ?? affines.of(id, type === "int16" ? "int16" : "int8");
    return add({ ...tensor, dtype: type, quantization: asQuantization(shifted(own, type)) });
  };
  const put = (id: TensorId, type: Io, tensor: TensorId) => {
    versions.set(`${id} ${type}`, tensor);
    if (!made.has(id)) made.set(id, type);
    return tensor;
  };
  const convert = (from: TensorId, to: TensorId, where: string) => {
    const dtype = (tensors[to] as Tensor).dtype;
    emit({
      kind: dtype === "float32" ? "dequantize" : "quantize",
      where,
      inputs: [from],
      outputs: [to],
      attributes: {},
    });
    return to;
  };
  /** A value of the old graph in a type, converted where it was made in another. */
  const value = (id: TensorId, type: Io): TensorId => {
    const known = versions.get(`${id} ${type}`);
    if (known !== undefined) return known;
    const tensor = tensorOf(graph, id);
    const source = made.get(id);
    if (source === undefined) return put(id, type, add(tensor)); // a constant, or no float
    const from = versions.get(`${id} ${source}`) as TensorId;
    const to = declare(id, type);
    tensors[to] = { ...(tensors[to] as Tensor), name: `${tensor.name}/${type}` };
    return put(id, type, convert(from, to, `${tensor.name} as ${type}`));
  };
  /** A constant of floats for one node: at its group's scale where that is asked, otherwise at its own. */
  const constant = (id: TensorId, type: Activations, group: TensorId | undefined): TensorId => {
    const tensor = tensorOf(graph, id);
    const values = floatsOf(tensor);
    // TFLite's comparisons end the process where a scale is 1 or more, as that of nothing but zeros would be
    const own = values.some(Boolean) ? affineOfRange(rangeOf(values), type) : { scale: 0.5, zeroPoint: 0 };
    const affine = group === undefined ? own : affines.of(group, type);
    const key = `${id} ${type} ${affine.scale} ${affine.zeroPoint}`;
    const known = versions.get(key);
    if (known !== undefined) return known;
    const data = bytesOf(quantizeReals(values, affine, type));
    const made = add({ ...tensor, dtype: type, data, quantization: asQuantization(affine) });
    versions.set(key, made);
    return made;
  };
  const isFloat = (id: TensorId) => id !== NONE && tensorOf(graph, id).dtype === "float32";

  /** A constant that is the same as one before, as the weights of a cell's steps are, is that one. */
  const alike = new Map<string, TensorId>();
  const share = (tensor: Tensor): TensorId => {
    const { name, dtype, shape, data = [], quantization } = tensor;
    const key = [name, dtype, shape, data.length, quantization?.scale.join()].join(" ");
    const known = alike.get(key);
    const before = known === undefined ? [] : (tensors[known]?.data ?? []);
    if (known !== undefined && data.every((byte, i) => byte === before[i])) return known;
    const id = add(tensor);
    alike.set(key, id);
    return id;
  };

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
  const half = (id: TensorId, data: Uint8Array): TensorId => {
    const tensor = tensorOf(graph, id);
    const known = versions.get(`${id} float16`);
    if (known !== undefined) return known;
    const stored = add({ ...tensor, name: `${tensor.name}/float16`, dtype: "float16", data });
    const { data: _, ...computed } = tensor;
    const to = convert(stored, add(computed), `${tensor.name} as float32`);
    versions.set(`${id} float16`, to);
    return to;
  };

  /** The dtype of an end of the graph: no float, no choice. */
  const endType = (id: TensorId): Io => (isFloat(id) ? io : "float32");

  return {
    tensors,
    nodes,
    input: (id: TensorId): TensorId =>
      isFloat(id) ? put(id, endType(id), declare(id, endType(id))) : put(id, "float32", add(tensorOf(graph, id))),
    output: (id: TensorId): TensorId => (isFloat(id) ? value(id, endType(id)) : value(id, "float32")),
    node(node: AnyNode, i: number): void {
      const type = types[i] as NodeType;
      const layer = layers.get(i);
      const stored = weights.get(i);
      if (type === "float32") {
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
        return;
      }
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
    },
  };
}
