/**
 * Layers of very many inputs, as dense ones behind a flattened picture have, as several of some of the inputs each, whose sums they are: equations
 * of all inputs at once take memory by their square and time by their cube. What one part lacks the others do not make up for.
 */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";
import { floatsOf, type Layer, usersOf } from "../linear/layers.ts";
import { jointLayers } from "./joint.ts";
import type { PrunedLayer } from "./result.ts";

/** Inputs whose equations are solved together, at most, and about those of a part where there are more. */
const MOST = 2048;
const PART = 1024;
/** Channels of a part are whole blocks of every pattern. */
const STEP = 8;

interface Split {
  readonly layer: Layer;
  readonly channels: number;
  /** Channels of the parts, and what each gives. */
  readonly widths: readonly number[];
  readonly outputs: readonly TensorId[];
}

/** Where a node is in the whole graph. */
type Place = Pick<Layer, "at">;

interface Wide {
  /** The graph in parts: ids of its tensors stay. */
  readonly graph: Graph;
  /** A graph in the same parts, with other weights, whole again. */
  join(parts: Graph): Graph;
  /** Of a layer in the parts what is told of each input of the whole one, at its place. */
  columns<T>(part: Layer, told: (whole: Place) => readonly T[] | undefined): readonly T[] | undefined;
  /** The first node in the parts of what is at a place, or behind it. */
  first(at: number): number;
  /** A line for each layer where there is one for each of these, which are layers in the parts. */
  merged(layers: readonly Place[], report: readonly PrunedLayer[]): readonly PrunedLayer[];
}

/** The graph with its wide layers in parts. */
export function splitWide(graph: Graph): Wide {
  const found = new Map<number, Split>();
  const places: number[] = [];
  const tensors: Tensor[] = [...graph.tensors];
  const wide = new Map(jointLayers(graph).flatMap((layer) => (isWide(layer) ? [[layer.at, layer] as const] : [])));
  const nodes = graph.nodes.flatMap((node, at): readonly AnyNode[] => {
    const layer = wide.get(at);
    const channels = layer === undefined ? 0 : channelsOf(graph, layer);
    const widths = layer === undefined ? [] : widthsOf(layer, channels);
    if (layer === undefined || widths.length < 2) {
      places.push(at);
      return [node];
    }
    const parts = partsOf(graph, node, layer, widths, tensors);
    places.push(...parts.nodes.map(() => at));
    found.set(at, { layer, channels, widths, outputs: parts.outputs });
    return parts.nodes;
  });
  const splits = [...found.values()];
  return {
    graph: { ...graph, tensors, nodes },
    join: (parts) => (splits.length === 0 ? parts : joined(graph, parts, splits)),
    columns: (part, told) => {
      const at = places[part.at] as number;
      const split = found.get(at);
      const all = told({ at });
      return split === undefined || all === undefined ? all : columnsOf(split, part, all);
    },
    first: (at) => places.findIndex((place) => place >= at),
    merged: (layers, report) => {
      const lines = new Map<number, readonly PrunedLayer[]>();
      for (const [i, line] of report.entries()) {
        const place = places[(layers[i] as Place).at] as number;
        lines.set(place, [...(lines.get(place) ?? []), line]);
      }
      return Array.from(lines.values(), sumOf);
    },
  };
}

/** Inputs of a part, those of all channels that it has at each place of a patch. */
function columnsOf<T>({ channels, widths, outputs }: Split, part: Layer, all: readonly T[]): readonly T[] {
  const k = outputs.indexOf(part.y);
  const from = widths.slice(0, k).reduce((sum, width) => sum + width, 0);
  const to = from + (widths[k] as number);
  return all.filter((_, i) => i % channels >= from && i % channels < to);
}

const isWide = (layer: Layer) => layer.inputs > MOST && layer.groups === 1 && usersOf(layer).length === 1;

const channelsOf = (graph: Graph, { weights }: Layer) => tensorOf(graph, weights).shape.at(-1) as number;

function widthsOf({ inputs }: Layer, channels: number): readonly number[] {
  const width = Math.ceil(channels / Math.ceil(inputs / PART) / STEP) * STEP;
  return Array.from({ length: Math.ceil(channels / width) }, (_, k) => Math.min(width, channels - k * width));
}

function partsOf(graph: Graph, node: AnyNode, layer: Layer, widths: readonly number[], tensors: Tensor[]) {
  const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const emit = (kind: string, inputs: readonly TensorId[], y: TensorId, attributes: object) => {
    nodes.push({ kind, where: node.where, inputs, outputs: [y], attributes } as unknown as AnyNode);
    return y;
  };
  const integers = (values: readonly number[]) =>
    add({ name: "", dtype: "int32", shape: [values.length], data: bytesOf(Int32Array.from(values)) });
  const channels = channelsOf(graph, layer);
  const [weights, y] = [tensorOf(graph, layer.weights), tensorOf(graph, layer.y)];
  const nodes: AnyNode[] = [];
  let x = layer.x;
  if (tensorOf(graph, x).shape.at(-1) !== channels) {
    const shape = [elementCount(tensorOf(graph, x).shape) / channels, channels];
    x = emit("reshape", [x], add({ name: "", dtype: "float32", shape }), { shape });
  }
  const before = tensorOf({ ...graph, tensors }, x).shape.slice(0, -1);
  const values = floatsOf(graph, layer.weights);
  const rows = values.length / channels;
  const plain = { ...node.attributes, activation: "none" };
  const outputs: TensorId[] = [];
  let [from, sum] = [0, NONE as TensorId];
  for (const [k, width] of widths.entries()) {
    const begin = integers([...before.map(() => 0), from]);
    const part = add({ name: "", dtype: "float32", shape: [...before, width] });
    emit("slice", [x, begin, integers([...before, width])], part, {});
    const own = Float32Array.from({ length: rows * width }, (_, i) => {
      const row = Math.floor(i / width);
      return values[row * channels + from + i - row * width] as number;
    });
    const w = add({ ...weights, shape: [...weights.shape.slice(0, -1), width], data: bytesOf(own) });
    const { data: _, ...type } = y;
    const inputs = k === 0 && layer.bias !== NONE ? [part, w, layer.bias] : [part, w];
    const output = emit(node.kind, inputs, add({ ...type, name: `${y.name}/${k}` }), plain);
    outputs.push(output);
    const { activation } = layer.node.attributes;
    const isLast = k === widths.length - 1;
    sum =
      k === 0
        ? output
        : emit("add", [sum, output], isLast ? layer.y : add({ ...type, name: "" }), {
            activation: isLast ? activation : "none",
          });
    from += width;
  }
  return { nodes, outputs };
}

function joined(whole: Graph, parts: Graph, splits: readonly Split[]): Graph {
  const tensors: Tensor[] = [...parts.tensors];
  const made = new Map(parts.nodes.map((node) => [node.outputs[0] as TensorId, node]));
  const nodes = new Map<TensorId, AnyNode>();
  for (const { layer, channels, widths, outputs } of splits) {
    const own = outputs.map((id) => made.get(id) as AnyNode);
    const stored = own.map(({ inputs }) => floatsOf(parts, inputs[1] as TensorId));
    const rows = floatsOf(whole, layer.weights).length / channels;
    const weights = new Float32Array(rows * channels);
    for (let row = 0; row < rows; row++) {
      let at = row * channels;
      for (const [k, width] of widths.entries()) {
        weights.set((stored[k] as Float32Array).subarray(row * width, (row + 1) * width), at);
        at += width;
      }
    }
    tensors[layer.weights] = { ...tensorOf(whole, layer.weights), data: bytesOf(weights) };
    const biases = own.flatMap(({ inputs: [, , id = NONE] }) => (id === NONE ? [] : [floatsOf(parts, id)]));
    const inputs = [layer.x, layer.weights];
    if (biases.length > 0) {
      const bias = Float32Array.from({ length: layer.outputs }, (_, o) =>
        biases.reduce((sum, each) => sum + (each[o] as number), 0),
      );
      const name = layer.bias === NONE ? `${tensorOf(whole, layer.y).name}/bias` : tensorOf(whole, layer.bias).name;
      inputs.push(
        (tensors.push({ name, dtype: "float32", shape: [layer.outputs], data: bytesOf(bias) }) - 1) as TensorId,
      );
    }
    nodes.set(layer.y, { ...(whole.nodes[layer.at] as AnyNode), inputs });
  }
  const order = whole.nodes.map((node) => {
    const y = node.outputs[0] as TensorId;
    return nodes.get(y) ?? made.get(y) ?? node;
  });
  return { ...whole, tensors, nodes: order };
}

/** Sums of weights and zeros, the mean of errors. */
function sumOf(lines: readonly PrunedLayer[]): PrunedLayer {
  return {
    ...(lines[0] as PrunedLayer),
    weights: lines.reduce((sum, { weights }) => sum + weights, 0),
    zeros: lines.reduce((sum, { zeros }) => sum + zeros, 0),
    error: lines.reduce((sum, { error = 0 }) => sum + error, 0) / lines.length,
  };
}
