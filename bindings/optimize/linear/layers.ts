/** Convolutions, depthwise and dense layers as what they are to linear algebra: rows of inputs times weights. */
import { type AnyNode, type Graph, NONE, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { bind } from "../../ops/bind.ts";
import { patchSizes } from "../../ops/images.ts";
import { operators } from "../../ops/index.ts";
import type { NodeView } from "../../ops/types.ts";
import type { PatchSizes } from "../../primitives/params.ts";
import { dimensions, elementCount } from "../../tensor.ts";
import { floatsOf as constantOf } from "../constants.ts";
import { Gram } from "./gram.ts";

type LayerKind = "conv2d" | "depthwiseConv2d" | "fullyConnected";

/**
 * A layer with constant weights. Each of `groups` parts has inputs of its own (a depthwise layer's channels, a grouped
 * convolution's groups): output o belongs to group ⌊o / (outputs / groups)⌋ and has `inputs` weights.
 */
export interface Layer {
  /** Index of the node in the graph. */
  readonly at: number;
  readonly node: Node<LayerKind>;
  readonly kind: LayerKind;
  readonly x: TensorId;
  readonly y: TensorId;
  readonly weights: TensorId;
  /** NONE where the layer has no bias. */
  readonly bias: TensorId;
  readonly groups: number;
  /** Weights of one output, in the order `[kH, kW, C / groups]`. */
  readonly inputs: number;
  readonly outputs: number;
  /** Rows of one run of the graph: output pixels, or rows of a dense layer. */
  readonly positions: number;
  /** Where the weight of output o and input i stands: o·outputStride + i·inputStride. */
  readonly outputStride: number;
  readonly inputStride: number;
  readonly patches?: Patches;
  /** All layers that have these weights, itself among them; itself alone when absent. */
  readonly users?: readonly Layer[];
}

/** The layers that have a layer's weights. */
export const usersOf = (layer: Layer): readonly Layer[] => layer.users ?? [layer];

/** Where a row's inputs stand in an image. */
interface Patches extends PatchSizes {
  /** Channels of a group. */
  readonly depth: number;
}

/** The layers of a graph whose types are inferred, in its order. Layers with computed weights are left out. */
export function layersOf(graph: Graph): readonly Layer[] {
  return graph.nodes.flatMap((node, at): readonly Layer[] => {
    const { kind } = node;
    if (kind !== "conv2d" && kind !== "depthwiseConv2d" && kind !== "fullyConnected") return [];
    const weights = node.inputs[1] as TensorId;
    return tensorOf(graph, weights).data === undefined ? [] : [layerOf(graph, node, at)];
  });
}

function layerOf(graph: Graph, node: Node<LayerKind> & AnyNode, at: number): Layer {
  const [x = NONE, weights = NONE, bias = NONE] = node.inputs;
  const shape = tensorOf(graph, weights).shape;
  const common = { at, node, kind: node.kind, x, weights, bias, y: node.outputs[0] as TensorId };
  if (node.kind === "fullyConnected") {
    const [outputs, inputs] = dimensions(shape, 2);
    const positions = elementCount(tensorOf(graph, x).shape) / inputs;
    return { ...common, groups: 1, inputs, outputs, positions, outputStride: inputs, inputStride: 1 };
  }
  const depthwise = node.kind === "depthwiseConv2d";
  const [batch, , , channels] = dimensions(tensorOf(graph, x).shape, 4);
  const [o, kH, kW, last] = dimensions(shape, 4);
  const depth = depthwise ? 1 : last;
  const inputs = kH * kW * depth;
  const view = bind(operators, node, graph.tensors).view as NodeView<"conv2d" | "depthwiseConv2d">;
  const sizes = patchSizes(view);
  return {
    ...common,
    groups: depthwise ? channels : channels / depth,
    inputs,
    outputs: depthwise ? last : o,
    positions: batch * sizes.outH * sizes.outW,
    outputStride: depthwise ? 1 : inputs,
    inputStride: depthwise ? last : 1,
    patches: { ...sizes, depth },
  };
}

/** A layer's weights `[outputs][inputs + 1]` in float64, the bias last; float32 constants only. */
export function weightsOf(graph: Graph, layer: Layer): Float64Array {
  const { outputs, inputs, outputStride, inputStride } = layer;
  const stored = floatsOf(graph, layer.weights);
  const bias = layer.bias === NONE ? undefined : floatsOf(graph, layer.bias);
  const weights = new Float64Array(outputs * (inputs + 1));
  for (let o = 0; o < outputs; o++) {
    const row = o * (inputs + 1);
    for (let i = 0; i < inputs; i++) weights[row + i] = stored[o * outputStride + i * inputStride] as number;
    weights[row + inputs] = bias?.[o] ?? 0;
  }
  return weights;
}

/** A float32 constant's values, copied. */
export function floatsOf(graph: Graph, id: TensorId): Float32Array {
  return constantOf(tensorOf(graph, id));
}

/**
 * Which of so many rows of one example are taken, so that `limit` are spread evenly; examples start at different
 * places, so that together they see all of an image.
 */
export function spread(rows: number, limit: number, example: number): readonly number[] {
  if (rows <= limit) return Array.from({ length: rows }, (_, row) => row);
  const start = (example * 0.6180339887498949) % 1;
  return Array.from({ length: limit }, (_, i) => Math.floor(((i + start) * rows) / limit));
}

/** Of each group of a layer one Gram, or one for each piece of so many of its inputs as these. */
export function gramsOf(
  layer: Layer,
  options: ConstructorParameters<typeof Gram>[1] = {},
  pieces: readonly number[] = [layer.inputs],
): readonly Gram[] {
  return Array.from({ length: layer.groups }, () => pieces.map((inputs) => new Gram(inputs, options))).flat();
}

/**
 * Adds rows of the layer's inputs x (its input tensor's values in one run) to each group's Grams, and where those have
 * targets what belongs to these rows, y `[rows][outputs]`.
 */
export function addRows(
  layer: Layer,
  grams: readonly Gram[],
  x: Float32Array,
  rows: readonly number[],
  y?: Float32Array,
): void {
  const { groups, inputs, outputs } = layer;
  const width = outputs / groups;
  const pieces = grams.length / groups;
  const wanted = y && new Float32Array(width);
  pickRows(layer, x, rows, (group, i, row) => {
    if (wanted && y) wanted.set(y.subarray(i * outputs + group * width, i * outputs + (group + 1) * width));
    let at = 0;
    for (let k = group * pieces; k < (group + 1) * pieces; k++) {
      const gram = grams[k] as Gram;
      gram.add(row, 1, at, inputs, wanted);
      at += gram.inputs;
    }
  });
}

/** Shows the inputs of each group in these rows, one row after the other; what is shown is overwritten afterwards. */
export function pickRows(
  { groups, inputs, patches }: Layer,
  x: Float32Array,
  rows: readonly number[],
  see: (group: number, i: number, row: Float32Array) => void,
): void {
  if (patches === undefined || isEachPixel(patches)) {
    for (const [i, row] of rows.entries()) see(0, i, x.subarray(row * inputs, (row + 1) * inputs));
    return;
  }
  const patch = new Float32Array(inputs * groups);
  const own = groups === 1 ? patch : new Float32Array(inputs);
  for (const [i, row] of rows.entries()) {
    gather(patches, x, row, patch);
    for (let group = 0; group < groups; group++) {
      if (groups > 1) pickGroup(patch, patches, group, own);
      see(group, i, own);
    }
  }
}

/** Whether a row's inputs are one pixel, each in its turn. */
const isEachPixel = ({ kH, kW, strideH, strideW, depth, inC, padTop, padLeft, inH, outH, inW, outW }: Patches) =>
  kH * kW * strideH * strideW === 1 && depth === inC && padTop + padLeft === 0 && inH === outH && inW === outW;

/** The inputs of one output pixel `[kH][kW][inC]`, zeros where the window hangs over the border. */
function gather(p: Patches, x: Float32Array, row: number, patch: Float32Array): void {
  const { inH, inW, inC, kH, kW, outH, outW, dilationH, dilationW } = p;
  const image = Math.floor(row / (outH * outW));
  const y0 = (Math.floor(row / outW) % outH) * p.strideH - p.padTop;
  const x0 = (row % outW) * p.strideW - p.padLeft;
  let to = 0;
  for (let i = 0; i < kH; i++)
    for (let j = 0; j < kW; j++, to += inC) {
      const yy = y0 + i * dilationH;
      const xx = x0 + j * dilationW;
      const inside = yy >= 0 && yy < inH && xx >= 0 && xx < inW;
      const from = ((image * inH + yy) * inW + xx) * inC;
      if (!inside) patch.fill(0, to, to + inC);
      else for (let c = 0; c < inC; c++) patch[to + c] = x[from + c] as number;
    }
}

/** One group's part of a patch, `[kH][kW][depth]`. */
function pickGroup(patch: Float32Array, { depth, inC }: Patches, group: number, own: Float32Array): void {
  let from = group * depth;
  for (let to = 0; to < own.length; to += depth, from += inC)
    for (let c = 0; c < depth; c++) own[to + c] = patch[from + c] as number;
}
