/** Networks with random weights, layer by layer. */
import type { Activation, AnyNode, Attributes, Graph, OpKind, TensorId } from "../../../graph.ts";
import { dimensions, elementCount, sizeOf, type Tensor } from "../../../tensor.ts";
import type { Objective } from "../kinds.ts";
import { randomOf } from "../random.ts";

/** An activation on the way. */
interface Flow {
  readonly id: TensorId;
  readonly shape: readonly number[];
}

/** What ends a network. */
export type Gives = Objective | "scores" | "decisions";

interface Network {
  /** The input; of a sequence `[1,length,1,channels]`. */
  readonly input: Flow;
  /** All numbers of an activation in one row. */
  flat(x: Flow): Flow;
  dense(x: Flow, outputs: number, activation: Activation): Flow;
  /** Windows of `size` × `size`; of a sequence as many taps, and as long steps as leave some of it, in a row. */
  conv(x: Flow, channels: number, size: number, stride: number, activation: Activation): Flow;
  depthwise(x: Flow, stride: number): Flow;
  add(a: Flow, b: Flow): Flow;
  /** Mean of the places, a dense layer, and softmax, logistic or, of embeddings, L2 normalization: the graph. */
  finish(x: Flow, classes: number, gives?: Gives): Graph;
}

/** Places of a sequence that a step leaves. */
const LEFT = 8;

/**
 * Begins a network for inputs of this shape: a picture `[1,height,width,channels]`, a sequence `[1,length,channels]`, or any numbers. Weights are normal, of variance ⅓ over the inputs that they sum, as
 * PyTorch's are: normalization makes their size nothing but the speed at which they turn, and at He's 2 that is 2.4 times slower.
 */
export function beginNetwork(name: string, shape: readonly number[], seed: number): Network {
  const random = randomOf(1000 + seed);
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const activation = (own: string, of: readonly number[]): Flow => ({
    id: append({ name: own, dtype: "float32", shape: of }),
    shape: of,
  });
  const weights = (own: string, of: readonly number[], summed: number): TensorId => {
    const floats = Float32Array.from({ length: elementCount(of) }, () => random.normal() / Math.sqrt(3 * summed));
    return append({ name: own, dtype: "float32", shape: of, data: new Uint8Array(floats.buffer) });
  };
  const bias = (own: string, channels: number) =>
    append({ name: own, dtype: "float32", shape: [channels], data: new Uint8Array(channels * 4) });
  const node = <K extends OpKind>(
    kind: K,
    inputs: readonly TensorId[],
    attributes: Attributes[K],
    of: readonly number[],
  ) => {
    const y = activation(`${kind}${nodes.length}`, of);
    nodes.push({
      kind,
      where: `node ${nodes.length} (${kind})`,
      inputs,
      outputs: [y.id],
      attributes,
    } as unknown as AnyNode);
    return y;
  };
  const reshaped = (x: Flow, of: readonly number[]) => node("reshape", [x.id], { shape: of }, of);
  const input = activation("input", shape);
  const isSequence = shape.length === 3;
  const windows = (x: Flow, size: number, stride: number, channels: number, of: Activation) => {
    const [n, h, w] = dimensions(x.shape, 4);
    const step = isSequence ? Math.max(Math.min(stride ** 2, Math.floor(h / LEFT)), 1) : stride;
    return {
      window: isSequence ? [size ** 2, 1] : [size, size],
      attributes: { stride: [step, isSequence ? 1 : step], dilation: [1, 1], padding: "same", activation: of },
      shape: [n, Math.ceil(h / step), isSequence ? 1 : Math.ceil(w / step), channels],
    } as const;
  };
  const dense = (x: Flow, outputs: number, of: Activation) => {
    const inputs = sizeOf(x, 1);
    const own = `dense${nodes.length}`;
    const w = weights(`${own}/weights`, [outputs, inputs], inputs);
    const attributes = { activation: of, keepDims: false } as const;
    return node("fullyConnected", [x.id, w, bias(`${own}/bias`, outputs)], attributes, [sizeOf(x, 0), outputs]);
  };
  const meanOf = (x: Flow) => {
    const data = new Uint8Array(Int32Array.of(1, 2).buffer);
    const axes = append({ name: "axes", dtype: "int32", shape: [2], data });
    return node("mean", [x.id, axes], { keepDims: false }, [sizeOf(x, 0), sizeOf(x, 3)]);
  };
  return {
    input: isSequence ? reshaped(input, [1, sizeOf(input, 1), 1, sizeOf(input, 2)]) : input,
    flat: (x) => (x.shape.length === 2 ? x : reshaped(x, [1, elementCount(x.shape)])),
    dense,
    conv(x, channels, size, stride, of) {
      const from = sizeOf(x, 3);
      const own = `conv${nodes.length}`;
      const { window, attributes, shape: to } = windows(x, size, stride, channels, of);
      const w = weights(`${own}/weights`, [channels, ...window, from], size * size * from);
      return node("conv2d", [x.id, w, bias(`${own}/bias`, channels)], attributes, to);
    },
    depthwise(x, stride) {
      const channels = sizeOf(x, 3);
      const own = `depthwise${nodes.length}`;
      const { window, attributes, shape: to } = windows(x, 3, stride, channels, "relu6");
      const w = weights(`${own}/weights`, [1, ...window, channels], 9);
      return node("depthwiseConv2d", [x.id, w, bias(`${own}/bias`, channels)], attributes, to);
    },
    add: (a, b) => node("add", [a.id, b.id], { activation: "none" }, a.shape),
    finish(x, classes, gives = "classes") {
      const scores = dense(x.shape.length === 2 ? x : meanOf(x), classes, "none");
      const of = scores.shape;
      const ends: Readonly<Record<Gives, () => Flow>> = {
        classes: () => node("softmax", [scores.id], { beta: 1 }, of),
        decisions: () => node("logistic", [scores.id], {}, of),
        scores: () => scores,
        values: () => scores,
        embeddings: () => node("l2Normalization", [scores.id], { activation: "none" }, of),
      };
      const [inputs, tensor] = [[{ name: shape.length === 4 ? "image" : "input", tensor: input.id }], ends[gives]().id];
      const outputs = [{ name: gives === "classes" ? "probabilities" : gives, tensor }];
      return { name, tensors, nodes, inputs, outputs, subgraphs: [] };
    },
  };
}
