/** A graph under construction: every node's types are inferred when it is added, and what is constant is computed at once. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, OpKind, TensorId } from "../../graph.ts";
import { NONE } from "../../graph.ts";
import { bind } from "../../ops/bind.ts";
import type { Operators } from "../../ops/types.ts";
import { byteLength, checkShape, type DType, type Quantization, type Tensor } from "../../tensor.ts";

/** What an output is told before its shape is inferred. */
export interface OutputType {
  readonly dtype: DType;
  readonly quantization?: Quantization;
}

export interface Builder {
  readonly tensors: readonly Tensor[];
  readonly nodes: readonly AnyNode[];
  /** A tensor that nothing computes: an input of the graph, or a constant where it has data. */
  declare(tensor: Tensor): TensorId;
  constant(dtype: DType, shape: readonly number[], data: ArrayBufferView, quantization?: Quantization): TensorId;
  /** int32 constants: axes, shapes, permutations. */
  integers(values: readonly number[], shape?: readonly number[]): TensorId;
  float(value: number): TensorId;
  /** Adds a node; its outputs have these names and types. */
  add<K extends OpKind>(
    kind: K,
    where: string,
    inputs: readonly (TensorId | undefined)[],
    attributes: Attributes[K],
    outputs: readonly OutputType[],
    name?: string,
  ): readonly TensorId[];
  tensor(id: TensorId): Tensor;
}

/** Bytes of constants that importing may compute in all; beyond it nodes stay and compute at run time. */
const FOLDED_BYTES = 2 ** 28;

export function createBuilder(operators: Operators): Builder {
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  let budget = FOLDED_BYTES;

  const declare = (tensor: Tensor): TensorId => {
    tensors.push(tensor);
    return (tensors.length - 1) as TensorId;
  };
  const constant: Builder["constant"] = (dtype, shape, data, quantization) =>
    declare({
      name: "",
      dtype,
      shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      ...(quantization === undefined ? {} : { quantization }),
    });

  const add: Builder["add"] = (kind, where, inputs, attributes, outputs, name = "") => {
    const ids = outputs.map((type, i) => declare({ name: i === 0 ? name : "", shape: [], ...type }));
    const node = {
      kind,
      where,
      inputs: inputs.map((id) => id ?? NONE),
      outputs: ids,
      attributes,
    } as unknown as AnyNode;
    const { operator, view } = bind(operators, node, tensors);
    const types = operator.infer(view);
    ensure(types.length === ids.length, "INVALID_GRAPH", () => ({
      where,
      expected: `${types.length} outputs`,
      received: `${ids.length}`,
    }));
    for (const [i, type] of types.entries()) {
      checkShape(type.shape, type.dtype, `${where}, output ${i}`);
      const id = ids[i] as TensorId;
      tensors[id] = { ...(tensors[id] as Tensor), ...type };
    }
    const folded = fold(node);
    if (folded === undefined) nodes.push(node);
    else
      for (const [i, data] of folded.entries()) {
        budget -= data.length;
        const id = ids[i] as TensorId;
        tensors[id] = { ...(tensors[id] as Tensor), data };
      }
    return ids;
  };

  const fold = (node: AnyNode): readonly Uint8Array[] | undefined => {
    const { operator, view } = bind(operators, node, tensors);
    const isConstant = view.inputs.every((tensor) => tensor === undefined || tensor.data !== undefined);
    if (!isConstant || view.inputs.length === 0) return undefined;
    if (view.outputs.reduce((sum, tensor) => sum + byteLength(tensor), 0) > budget) return undefined;
    if (operator.alias) return [view.inputs[0]?.data as Uint8Array];
    return operator.fold?.(view);
  };

  return {
    tensors,
    nodes,
    declare,
    constant,
    integers: (values, shape = [values.length]) => constant("int32", shape, Int32Array.from(values)),
    float: (value) => constant("float32", [], Float32Array.of(value)),
    add,
    tensor: (id) => tensors[id] as Tensor,
  };
}
