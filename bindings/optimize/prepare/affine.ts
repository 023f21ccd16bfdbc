/** Factors and summands of each channel behind a product, as batch normalization leaves them, go into its weights. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import { elementCount, sizeOf, type Tensor } from "../../tensor.ts";
import { bytesOf, floatsOf, isFloatConstant } from "../constants.ts";
import { activationAt, CHANNEL_AXIS, isProduct, type Product, withParameters } from "../layers.ts";

/** Folds MUL, ADD and SUB by a constant of one value, or one for each channel, into the product before, where only they read it. */
export function foldAffine(graph: Graph): Graph {
  const readers = countReaders(graph);
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: (AnyNode | undefined)[] = [...graph.nodes];
  const writers = new Map<TensorId, number>();
  for (const [i, node] of graph.nodes.entries()) {
    for (const id of node.outputs) writers.set(id, i);
    if (node.kind !== "mul" && node.kind !== "add" && node.kind !== "sub") continue;
    const { x, constant } = byConstant(tensors, node) ?? {};
    if (x === undefined || constant === undefined) continue;
    const at = writers.get(x) ?? -1;
    const product = nodes[at];
    if (product === undefined || !isProduct(product) || product.attributes.activation !== "none") continue;
    if (readers[x] !== 1 || graph.outputs.some(({ tensor }) => tensor === x)) continue;
    const w = product.inputs[1] as TensorId;
    const bias = product.inputs[activationAt(product) === 0 ? 2 : 3] ?? NONE;
    if (!isFloatConstant(tensors[w]) || (bias !== NONE && !isFloatConstant(tensors[bias]))) continue;
    const y = tensorOf(graph, node.outputs[0] as TensorId);
    const channels = sizeOf(tensors[x] as Tensor, -1);
    const values = perChannel(constant, channels);
    if (values === undefined || y.shape.join() !== tensors[x]?.shape.join()) continue;

    const old = bias === NONE ? new Float32Array(channels) : floatsOf(tensors[bias] as Tensor);
    const [factor, summand] =
      node.kind === "mul"
        ? [values, undefined]
        : [undefined, node.kind === "sub" ? values.map((value) => -value) : values];
    const ids = [w, bias];
    if (factor !== undefined) {
      const scaled = scaleChannels(floatsOf(tensors[w] as Tensor), tensors[w] as Tensor, product, factor);
      ids[0] = add(tensors, { ...(tensors[w] as Tensor), data: bytesOf(scaled) });
    }
    const shifted = old.map((value, c) => value * (factor?.[c] ?? 1) + (summand?.[c] ?? 0));
    const name = bias === NONE ? `${tensors[w]?.name}/bias` : (tensors[bias] as Tensor).name;
    ids[1] = add(tensors, { name, dtype: "float32", shape: [channels], data: bytesOf(shifted) });
    nodes[at] = {
      ...product,
      inputs: withParameters(product, product.inputs, ids),
      outputs: node.outputs,
      attributes: { ...product.attributes, activation: node.attributes.activation },
    } as AnyNode;
    nodes[i] = undefined;
    writers.set(node.outputs[0] as TensorId, at);
  }
  return { ...graph, tensors, nodes: nodes.filter((node) => node !== undefined) };
}

const add = (tensors: Tensor[], tensor: Tensor): TensorId => (tensors.push(tensor) - 1) as TensorId;

/** What a MUL or ADD changes by a constant, or a SUB by taking one away. */
export function byConstant(tensors: readonly Tensor[], { kind, inputs }: AnyNode) {
  const [a, b] = inputs as readonly [TensorId, TensorId];
  const [x, other] = isFloatConstant(tensors[a]) ? [b, a] : [a, b];
  const constant = tensors[other];
  return isFloatConstant(constant) && (kind !== "sub" || other === b) ? { x, constant } : undefined;
}

/** One value for each channel of a constant that is the same elsewhere; undefined for other shapes. */
export function perChannel(constant: Tensor, channels: number): Float32Array | undefined {
  const values = floatsOf(constant);
  const count = elementCount(constant.shape);
  if (count === 1) return new Float32Array(channels).fill(values[0] as number);
  return count === channels && constant.shape.at(-1) === channels ? values : undefined;
}

function scaleChannels(values: Float32Array, w: Tensor, { kind }: Product, factor: Float32Array): Float32Array {
  const channels = factor.length;
  const depth = values.length / channels;
  return values.map((value, i) => {
    const channel = w.shape.length - 1 === CHANNEL_AXIS[kind] ? i % channels : Math.floor(i / depth);
    return value * (factor[channel] as number);
  });
}
