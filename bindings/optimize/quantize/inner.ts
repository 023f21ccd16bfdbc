/**
 * Weights of what no ranges are measured for: of recurrent operators, of layers in the graphs that nodes run, as loops and branches are, and tables.
 * They are stored in fewer bits, as dynamic range has it: activations stay floats, and so does what goes from step to step.
 */
import { type AnyNode, type Graph, type OpKind, type TensorId, tensorOf } from "../../graph.ts";
import { mapBodies } from "../../passes/bodies.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import { biasOf, type Layer, layersOf } from "../layers.ts";
import { compact } from "../prepare/index.ts";
import { cellTensor, cellWeights, tableTensor } from "./cells.ts";
import { toHalves } from "./halves.ts";
import type { LayerReport, QuantizeOptions, Scales, WeightType } from "./options.ts";
import { nearestWeights, weightTensor } from "./weights.ts";

/** How they are stored. */
export interface InnerSetting {
  readonly weights: Exclude<WeightType, "int4">;
  readonly scales: Scales;
  /** Whether tables that rows are taken from are integers although activations are floats. */
  readonly tables: boolean;
}

/** The setting that options ask for: that of all layers, int8 in place of int4, which is not rounded well without examples. */
export function innerSetting(options: QuantizeOptions): InnerSetting {
  const { weights = "int8", layers, scales = "channel", activations } = options;
  const asked = layers?.["*"]?.weights ?? weights;
  const stored = asked === "int4" ? "int8" : asked;
  return { weights: stored, scales, tables: stored === "int8" && activations === "float32" };
}

/** Elements of a table that is worth the scale of all its rows, and of constants that are worth a node that makes floats of halves. */
export const TABLE = 1024;

/** Whether a node takes rows of a large constant, as embeddings of words are looked up: by `kind`, which has it as input `at`. */
function takesRows(graph: Graph, node: AnyNode, kind: OpKind, at: number): boolean {
  if (node.kind !== kind) return false;
  const table = tensorOf(graph, node.inputs[at] as TensorId);
  return isFloatConstant(table) && table.shape.length > 1 && elementCount(table.shape) >= TABLE;
}

/** GATHER of such a constant, which is an operator on integers then. */
export const isTable = (graph: Graph, node: AnyNode): boolean => takesRows(graph, node, "gather", 0);

/** A graph with such weights, and what was stored. */
interface Inner {
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
}

/** Stores them. Ids and places of the graph's own nodes stay; halves of its own constants and its tables are not made here. */
export function storeInner(graph: Graph, setting: InnerSetting): Inner {
  if (setting.weights === "float32") return { graph, layers: [] };
  const layers: LayerReport[] = [];
  const storeBody = (body: Graph): Graph => {
    const own = layersOf(body).map((layer): Stored => [layer.index, [1], integers(body, layer, setting.scales)]);
    return mapBodies(compact(stored(body, [...own, ...cellsOf(body)])), storeBody);
  };
  const stored = (each: Graph, list: readonly Stored[]) => {
    for (const [index, [first]] of list) layers.push(report(each, index, first as number, setting));
    return setting.weights === "float16" ? (each === graph ? each : withHalves(each, list)) : withIntegers(each, list);
  };
  for (const [i, node] of setting.tables ? graph.nodes.entries() : [])
    if (isTable(graph, node)) layers.push(report(graph, i, 0, setting));
  return { graph: mapBodies(stored(graph, cellsOf(graph)), storeBody), layers };
}

/** A node by its place, which of its inputs are weights, and how one becomes int8. */
type Stored = readonly [number, readonly number[], (weights: Tensor) => Tensor];

const cellsOf = (graph: Graph): readonly Stored[] =>
  graph.nodes.flatMap((node, index): readonly Stored[] => {
    // EMBEDDING_LOOKUP gives floats of a table of int8
    if (takesRows(graph, node, "embeddingLookup", 1)) return [[index, [1], tableTensor]];
    const at = cellWeights(graph, node);
    return at.length === 0 ? [] : [[index, at, cellTensor] as const];
  });

/** A layer's weights as int8, rounded to the nearest. */
const integers = (graph: Graph, layer: Layer, scales: Scales) => (tensor: Tensor) =>
  weightTensor(layer, tensor, nearestWeights(layer, tensor, biasOf(graph, layer), 8, scales, Infinity));

function report(graph: Graph, index: number, first: number, { weights }: InnerSetting): LayerReport {
  const node = graph.nodes[index] as AnyNode;
  const [name, output] = [node.inputs[first], node.outputs[0]].map((id) => tensorOf(graph, id as TensorId).name);
  return { name: name || node.where, kind: node.kind, output: output ?? "", weights, activations: "float32" };
}

/** The graph with other tensors, behind its own, in the place of those weights; each is made once. */
function replaced(
  graph: Graph,
  list: readonly Stored[],
  make: (tensor: Tensor, to: Stored, tensors: Tensor[]) => TensorId,
) {
  const tensors: Tensor[] = [...graph.tensors];
  const known = new Map<string, TensorId>();
  const nodes = [...graph.nodes];
  for (const to of list) {
    const [index, at] = to;
    const node = graph.nodes[index] as AnyNode;
    const other = (id: TensorId) => {
      const key = `${id} ${node.kind}`;
      const found = known.get(key) ?? make(tensorOf(graph, id), to, tensors);
      known.set(key, found);
      return found;
    };
    nodes[index] = { ...node, inputs: node.inputs.map((id, i) => (at.includes(i) ? other(id) : id)) } as AnyNode;
  }
  return { ...graph, tensors, nodes };
}

function withIntegers(graph: Graph, list: readonly Stored[]): Graph {
  const found = replaced(graph, list, (tensor, [, , make], tensors) => (tensors.push(make(tensor)) - 1) as TensorId);
  const nodes = [...found.nodes];
  for (const [index] of list) {
    const node = nodes[index] as AnyNode;
    const attributes = { ...node.attributes, asymmetric: true };
    if ("asymmetric" in node.attributes || node.kind === "fullyConnected")
      nodes[index] = { ...node, attributes } as AnyNode;
  }
  return { ...found, nodes };
}

/** Halves, and what makes floats of them, in front of all nodes. */
function withHalves(graph: Graph, list: readonly Stored[]): Graph {
  const before: AnyNode[] = [];
  const found = replaced(graph, list, ({ data, ...tensor }, _, tensors) => {
    const halves = toHalves(floatsOf({ ...tensor, data } as Tensor));
    const x = tensors.push({ ...tensor, name: `${tensor.name}/float16`, dtype: "float16", data: halves }) - 1;
    const y = (tensors.push(tensor) - 1) as TensorId;
    before.push({
      kind: "dequantize",
      where: `${tensor.name} as float32`,
      inputs: [x as TensorId],
      outputs: [y],
      attributes: {},
    });
    return y;
  });
  return { ...found, nodes: [...before, ...found.nodes] };
}
