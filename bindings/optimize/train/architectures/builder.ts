/** Networks with random weights, layer by layer. */
import type { Activation, AnyNode, Attributes, Graph, OpKind, TensorId } from "../../../graph.ts";
import { dimensions, elementCount, sizeOf, type Tensor } from "../../../tensor.ts";
import type { Objective } from "../kinds.ts";
import { randomOf } from "../random.ts";

/** An activation on the way. */
export interface Flow {
  readonly id: TensorId;
  readonly shape: readonly number[];
}

export interface Network {
  readonly input: Flow;
  conv(x: Flow, channels: number, size: number, stride: number, activation: Activation): Flow;
  depthwise(x: Flow, stride: number): Flow;
  add(a: Flow, b: Flow): Flow;
  /** Mean of the image, a dense layer, and softmax, logistic or, of embeddings, L2 normalization: the graph. */
  finish(x: Flow, classes: number, gives?: Objective | "decisions"): Graph;
}

/**
 * Begins a network for inputs of this shape, `[1,height,width,channels]`. Weights are normal, of variance ⅓ over the inputs that they sum, as
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
  const input = activation("input", shape);
  const strided = (x: Flow, stride: number, channels: number) => {
    const [n, h, w] = dimensions(x.shape, 4);
    return [n, Math.ceil(h / stride), Math.ceil(w / stride), channels];
  };
  const windows = (stride: number, of: Activation) =>
    ({ stride: [stride, stride], dilation: [1, 1], padding: "same", activation: of }) as const;
  return {
    input,
    conv(x, channels, size, stride, of) {
      const from = sizeOf(x, 3);
      const own = `conv${nodes.length}`;
      const w = weights(`${own}/weights`, [channels, size, size, from], size * size * from);
      return node(
        "conv2d",
        [x.id, w, bias(`${own}/bias`, channels)],
        windows(stride, of),
        strided(x, stride, channels),
      );
    },
    depthwise(x, stride) {
      const channels = sizeOf(x, 3);
      const own = `depthwise${nodes.length}`;
      const w = weights(`${own}/weights`, [1, 3, 3, channels], 9);
      const inputs = [x.id, w, bias(`${own}/bias`, channels)];
      return node("depthwiseConv2d", inputs, windows(stride, "relu6"), strided(x, stride, channels));
    },
    add: (a, b) => node("add", [a.id, b.id], { activation: "none" }, a.shape),
    finish(x, classes, gives = "classes") {
      const [n, , , channels] = dimensions(x.shape, 4);
      const axes = append({
        name: "axes",
        dtype: "int32",
        shape: [2],
        data: new Uint8Array(Int32Array.of(1, 2).buffer),
      });
      const mean = node("mean", [x.id, axes], { keepDims: false }, [n, channels]);
      const w = weights("dense/weights", [classes, channels], channels);
      const dense = { activation: "none", keepDims: false } as const;
      const scores = node("fullyConnected", [mean.id, w, bias("dense/bias", classes)], dense, [n, classes]);
      const ends: Readonly<Record<Objective | "decisions", () => Flow>> = {
        classes: () => node("softmax", [scores.id], { beta: 1 }, [n, classes]),
        decisions: () => node("logistic", [scores.id], {}, [n, classes]),
        values: () => scores,
        embeddings: () => node("l2Normalization", [scores.id], { activation: "none" }, [n, classes]),
      };
      const [inputs, tensor] = [[{ name: "image", tensor: input.id }], ends[gives]().id];
      const outputs = [{ name: gives === "classes" ? "probabilities" : gives, tensor }];
      return { name, tensors, nodes, inputs, outputs, subgraphs: [] };
    },
  };
}
