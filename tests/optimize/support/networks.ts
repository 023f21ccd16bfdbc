/** Small float networks, layer by layer, with weights of a seed. */
import type { AnyNode, Attributes, Graph, OpKind, TensorId } from "../../../bindings/graph.ts";
import { COMPARISONS } from "../../../bindings/optimize/quantize/operators.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import type { Tensor } from "../../../bindings/tensor.ts";

interface Several {
  readonly 2: readonly [TensorId, TensorId];
  readonly 3: readonly [TensorId, TensorId, TensorId];
  readonly 4: readonly [TensorId, TensorId, TensorId, TensorId];
}

export interface Builder {
  readonly input: TensorId;
  /** A constant of normal numbers times `size`. */
  weights(shape: readonly number[], size?: number): TensorId;
  integers(...values: readonly number[]): TensorId;
  /** A constant number, or a row of them. */
  floats(...values: readonly number[]): TensorId;
  /** A node of several outputs. */
  nodes<K extends OpKind, N extends keyof Several>(
    kind: K,
    outputs: N,
    inputs: readonly TensorId[],
    attributes: Attributes[K],
  ): Several[N];
  /** A node; returns its output, whose shape is inferred later. */
  node<K extends OpKind>(kind: K, inputs: readonly TensorId[], attributes: Attributes[K]): TensorId;
  /** The graph that gives this tensor. */
  graph(output: TensorId): Graph;
}

export function buildNetwork(shape: readonly number[], seed = 1): Builder {
  const random = randomOf(seed);
  const tensors: Tensor[] = [{ name: "x", dtype: "float32", shape }];
  const nodes: AnyNode[] = [];
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const nodesOf = (kind: OpKind, count: number, inputs: readonly TensorId[], attributes: object) => {
    const dtype = COMPARISONS.includes(kind) ? "bool" : "float32";
    const outputs = Array.from({ length: count }, () => append({ name: `t${tensors.length}`, dtype, shape: [] }));
    const where = `node ${nodes.length} (${kind})`;
    nodes.push({ kind, where, inputs, outputs, attributes } as unknown as AnyNode);
    return outputs;
  };
  return {
    input: 0 as TensorId,
    weights(of, size = 0.5) {
      const floats = Float32Array.from({ length: of.reduce((a, b) => a * b, 1) }, () => random.normal() * size);
      return append({ name: `w${tensors.length}`, dtype: "float32", shape: of, data: new Uint8Array(floats.buffer) });
    },
    floats: (...values) =>
      append({
        name: `f${tensors.length}`,
        dtype: "float32",
        shape: values.length === 1 ? [] : [1, values.length],
        data: new Uint8Array(Float32Array.from(values).buffer),
      }),
    integers: (...values) =>
      append({
        name: `i${tensors.length}`,
        dtype: "int32",
        shape: [values.length],
        data: new Uint8Array(Int32Array.from(values).buffer),
      }),
    nodes: (kind, count, inputs, attributes) => nodesOf(kind, count, inputs, attributes) as never,
    node: (kind, inputs, attributes) => nodesOf(kind, 1, inputs, attributes)[0] as TensorId,
    graph: (output) => ({
      name: "test",
      tensors,
      nodes,
      subgraphs: [],
      inputs: [{ name: "x", tensor: 0 as TensorId }],
      outputs: [{ name: "y", tensor: output }],
    }),
  };
}
