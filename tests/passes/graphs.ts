/** Small graphs by hand, and operators that accept whatever types they are given. */
import type { AnyNode, Attributes, Graph, OpKind, TensorId } from "../../bindings/graph.ts";
import type { Operators } from "../../bindings/ops/types.ts";
import type { Tensor } from "../../bindings/tensor.ts";

export const id = (value: number) => value as TensorId;

export function tensor(name: string, shape: readonly number[], rest: Partial<Tensor> = {}): Tensor {
  const quantization = { scale: [0.5], zeroPoint: [-3], axis: 0 };
  return { name, dtype: "int8", shape, quantization, ...rest };
}

export function node<K extends OpKind>(
  kind: K,
  inputs: readonly number[],
  outputs: readonly number[],
  attributes: Attributes[K],
): AnyNode {
  const where = `node (${kind} ${outputs})`;
  return { kind, where, inputs: inputs.map(id), outputs: outputs.map(id), attributes } as AnyNode;
}

export function graph(
  tensors: readonly Tensor[],
  nodes: readonly AnyNode[],
  inputs: readonly number[],
  outputs: readonly number[],
): Graph {
  const port = (tensor: number) => ({ name: tensors[tensor]?.name ?? `${tensor}`, tensor: id(tensor) });
  return { name: "test", tensors, nodes, inputs: inputs.map(port), outputs: outputs.map(port), subgraphs: [] };
}

type Overrides = { readonly [K in OpKind]?: Partial<Operators[K]> };

/** What no fake graph needs. */
const EXTRAS: readonly PropertyKey[] = ["opening", "products", "liteRounding"] satisfies readonly (keyof Operators)[];

/** Each operator's outputs have the types they claim, unless overridden. */
export function fakeOperators(overrides: Overrides = {}): Operators {
  const infer = ({ outputs }: { readonly outputs: readonly Tensor[] }) =>
    outputs.map(({ dtype, shape }) => ({ dtype, shape }));
  return new Proxy({} as Operators, {
    get: (_, kind) => (EXTRAS.includes(kind) ? undefined : { infer, ...overrides[kind as OpKind] }),
  });
}

/** Little-endian int32 bytes. */
export const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

export const CONV: Attributes["conv2d"] = {
  stride: [1, 1],
  dilation: [1, 1],
  padding: "valid",
  activation: "none",
};
