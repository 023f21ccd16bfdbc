/** Layers with weights: what quantizing and pruning see of them. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../graph.ts";
import { elementCount, sizeOf, type Tensor } from "../tensor.ts";
import { floatsOf, isFloatConstant } from "./constants.ts";

/** Products of an activation with constant weights (input 1) and an optional bias. */
export type Product = Extract<
  AnyNode,
  { readonly kind: "conv2d" | "depthwiseConv2d" | "fullyConnected" | "transposeConv" }
>;

/** The dimension of the weights that counts output channels. */
export const CHANNEL_AXIS: { readonly [K in Product["kind"]]: number } = {
  conv2d: 0,
  depthwiseConv2d: 3,
  fullyConnected: 0,
  transposeConv: 0,
};

export const isProduct = (node: AnyNode): node is Product => node.kind in CHANNEL_AXIS;

/** Which input is the activation: behind its size and the weights of a transposed convolution; the bias comes behind both. */
export const activationAt = ({ kind }: AnyNode): 0 | 2 => (kind === "transposeConv" ? 2 : 0);

/** Inputs of a product with other weights, and another bias where there is one. */
export function withParameters(
  node: AnyNode,
  inputs: readonly TensorId[],
  parameters: readonly TensorId[],
): readonly TensorId[] {
  const [w, ...bias] = parameters as readonly [TensorId, ...TensorId[]];
  const [first, , x] = inputs as readonly [TensorId, TensorId, TensorId];
  return activationAt(node) === 0 ? [first, w, ...bias] : [first, w, x, ...bias];
}

/** A product of float32 whose weights and bias are constants. */
export interface Layer {
  readonly node: Product;
  /** Index in the graph's nodes. */
  readonly index: number;
  /** The weights' name, which the layer is known by. */
  readonly name: string;
  readonly x: TensorId;
  readonly y: TensorId;
  readonly w: TensorId;
  /** NONE where there is none. */
  readonly bias: TensorId;
  readonly channels: number;
  /** Weights of one output channel. */
  readonly depth: number;
}

/** The layers of a float graph, in the order in which they run. */
export function layersOf(graph: Graph): readonly Layer[] {
  return graph.nodes.flatMap((node, index) => {
    if (!isProduct(node)) return [];
    const at = activationAt(node);
    const [x = NONE, w = NONE, bias = NONE] = [at, 1, at === 0 ? 2 : 3].map((i) => node.inputs[i]);
    const weights = tensorOf(graph, w);
    if (!isFloatConstant(weights) || tensorOf(graph, x).dtype !== "float32") return [];
    if (bias !== NONE && !isFloatConstant(tensorOf(graph, bias))) return [];
    const channels = sizeOf(weights, CHANNEL_AXIS[node.kind]);
    const depth = elementCount(weights.shape) / channels;
    const y = node.outputs[0] as TensorId;
    return [{ node, index, name: weights.name || node.where, x, y, w, bias, channels, depth }];
  });
}

/** Weights of a layer as rows `[channels][depth]`, whatever their layout. */
export function rowsOf({ node, channels, depth }: Layer, weights: Tensor): Float32Array {
  return node.kind === "depthwiseConv2d" ? swap(floatsOf(weights), depth, channels) : floatsOf(weights);
}

/** Rows `[channels][depth]` in the layout that the layer's weights have. */
export function fromRows<A extends Float32Array | Int8Array>({ node, channels, depth }: Layer, rows: A): A {
  return node.kind === "depthwiseConv2d" ? swap(rows, channels, depth) : rows;
}

/** `[a][b]` as `[b][a]`. */
function swap<A extends Float32Array | Int8Array>(values: A, a: number, b: number): A {
  const swapped = values.slice() as A;
  for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) swapped[j * a + i] = values[i * b + j] as number;
  return swapped;
}

/** The bias of a layer; zeros where it has none. */
export function biasOf(graph: Graph, { bias, channels }: Layer): Float32Array {
  return bias === NONE ? new Float32Array(channels) : floatsOf(tensorOf(graph, bias));
}
