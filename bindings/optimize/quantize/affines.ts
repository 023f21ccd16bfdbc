/**
 * Factors and summands of each channel that no layer before them can take, as batch normalization of concatenated or added tensors leaves them: one layer in
 * place of a product and a sum, whose factors have a scale each and whose product is not rounded in between.
 */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";
import { isProduct } from "../layers.ts";
import { byConstant, perChannel } from "../prepare/affine.ts";

/** The graph with a depthwise layer of one place in place of MUL and ADD, or SUB, by constants of each channel `[1,height,width,channels]`, behind a layer. */
export function affinesAsLayers(graph: Graph): Graph {
  const readers = countReaders(graph);
  const tensors: Tensor[] = [...graph.tensors];
  const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const nodes: (AnyNode | undefined)[] = [...graph.nodes];
  const writers = new Map<TensorId, number>();
  /** What comes of layers: features before them, which differ in size, may need floats. */
  const behind = new Set<TensorId>();
  for (const [i, node] of graph.nodes.entries()) {
    const from = node.inputs.some((id) => behind.has(id));
    for (const id of node.outputs) {
      writers.set(id, i);
      if (from || isProduct(node)) behind.add(id);
    }
    if (node.kind !== "add" && node.kind !== "sub") continue;
    const sum = partsOf(graph, node);
    const at = sum === undefined ? -1 : (writers.get(sum.x) ?? -1);
    const product = nodes[at];
    if (sum === undefined || product?.kind !== "mul" || product.attributes.activation !== "none") continue;
    const factor = partsOf(graph, product);
    if (factor === undefined || !behind.has(factor.x) || readers[sum.x] !== 1) continue;
    const { name } = tensorOf(graph, node.outputs[0] as TensorId);
    const channels = factor.values.length;
    const constant = (part: string, values: Float32Array, shape: readonly number[]) =>
      add({ name: `${name}/${part}`, dtype: "float32", shape, data: bytesOf(values) });
    const summands = node.kind === "sub" ? sum.values.map((value) => -value) : sum.values;
    nodes[at] = undefined;
    nodes[i] = {
      kind: "depthwiseConv2d",
      where: node.where,
      inputs: [
        factor.x,
        constant("factors", factor.values, [1, 1, 1, channels]),
        constant("summands", summands, [channels]),
      ],
      outputs: node.outputs,
      attributes: { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: node.attributes.activation },
    };
  }
  return { ...graph, tensors, nodes: nodes.filter((node) => node !== undefined) };
}

/** A tensor of several channels, and the constant of each that it is changed by. */
function partsOf(graph: Graph, node: AnyNode) {
  const { x, constant } = byConstant(graph.tensors, node) ?? {};
  if (x === undefined || constant === undefined) return undefined;
  const { shape } = tensorOf(graph, x);
  const channels = shape.at(-1) ?? 1;
  const same = tensorOf(graph, node.outputs[0] as TensorId).shape.join() === shape.join();
  if (shape.length !== 4 || channels < 2 || !same || elementCount(constant.shape) !== channels) return undefined;
  const values = perChannel(constant, channels);
  return values && { x, values };
}
