/** A graph under construction: every node's types are inferred when it is added, and what is constant is computed at once. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, OpKind, TensorId } from "../../graph.ts";
import { NONE } from "../../graph.ts";
import { bind } from "../../ops/bind.ts";
import type { Operators } from "../../ops/types.ts";
import {
  byteLength,
  checkShape,
  type DType,
  elementCount,
  type Quantization,
  type Tensor,
  typedCopy,
} from "../../tensor.ts";

/** What an output is told before its shape is inferred. */
export interface OutputType {
  readonly dtype: DType;
  readonly quantization?: Quantization;
}

export interface Builder {
  /** The table of all operators. */
  readonly operators: Operators;
  readonly tensors: Tensor[];
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
  /** The integers that a constant of float32 was dequantized from, transposed and reshaped as it was. */
  readonly origins: Map<TensorId, TensorId>;
  /** The integers with this quantization: themselves where they have it, or are an input of one owner; else a copy. */
  quantized(id: TensorId, quantization: Quantization, where: string, owner: "own" | "shared"): TensorId;
}

/** Bytes of constants that importing may compute in all; beyond it nodes stay and compute at run time. */
const FOLDED_BYTES = 2 ** 28;

export function createBuilder(operators: Operators): Builder {
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  const origins = new Map<TensorId, TensorId>();
  const computed = new Set<TensorId>();
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
    if (folded === undefined) {
      nodes.push(node);
      for (const id of ids) computed.add(id);
    } else {
      for (const [i, data] of folded.entries()) {
        budget -= data.length;
        const id = ids[i] as TensorId;
        tensors[id] = { ...(tensors[id] as Tensor), data };
      }
      moveOrigin(node);
    }
    return ids;
  };

  /** What was dequantized before it was moved, moved. */
  const moveOrigin = (node: AnyNode): void => {
    const origin = origins.get(node.inputs[0] as TensorId);
    if (origin === undefined || (node.kind !== "transpose" && node.kind !== "reshape")) return;
    const integers = tensors[origin] as Tensor;
    const id = node.outputs[0] as TensorId;
    const { shape } = tensors[id] as Tensor;
    const quantization = movedQuantization(node, integers, shape, tensors[node.inputs[1] as TensorId]);
    if (quantization === undefined) return;
    const moved = declare({ name: integers.name, dtype: integers.dtype, shape, quantization });
    const { operator, view } = bind(
      operators,
      { ...node, inputs: [origin, ...node.inputs.slice(1)], outputs: [moved] } as AnyNode,
      tensors,
    );
    const data = operator.alias ? integers.data : operator.fold?.(view)?.[0];
    if (data === undefined) return;
    tensors[moved] = { ...(tensors[moved] as Tensor), data };
    origins.set(id, moved);
  };

  const quantized: Builder["quantized"] = (id, quantization, where, owner) => {
    const tensor = tensors[id] as Tensor;
    if (isSame(tensor.quantization, quantization)) return id;
    if (tensor.data !== undefined) return declare({ ...tensor, quantization });
    if (owner === "own" && !computed.has(id) && tensor.quantization === undefined) {
      tensors[id] = { ...tensor, quantization };
      return id;
    }
    return add("cast", where, [id], {}, [{ dtype: tensor.dtype, quantization }])[0] as TensorId;
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
    operators,
    tensors,
    nodes,
    declare,
    constant,
    integers: (values, shape = [values.length]) => constant("int32", shape, Int32Array.from(values)),
    float: (value) => constant("float32", [], Float32Array.of(value)),
    add,
    origins,
    quantized,
    tensor: (id) => tensors[id] as Tensor,
  };
}

/** True of two quantizations with the same numbers. */
function isSame(a: Quantization | undefined, b: Quantization): boolean {
  const equal = (x: readonly number[], y: readonly number[]) =>
    x === y || (x.length === y.length && x.every((value, i) => value === y[i]));
  return a === b || (a?.axis === b.axis && equal(a.scale, b.scale) && equal(a.zeroPoint, b.zeroPoint));
}

/** The quantization of constants that a transpose or reshape moves; `undefined` where an axis of scales is lost. */
function movedQuantization(
  node: AnyNode,
  { quantization, shape }: Tensor,
  to: readonly number[],
  by: Tensor | undefined,
): Quantization | undefined {
  if (quantization === undefined || quantization.scale.length === 1) return quantization;
  const { axis } = quantization;
  if (node.kind === "transpose") {
    const order = Array.from(typedCopy("int32", by?.data ?? new Uint8Array(0)), Number);
    return { ...quantization, axis: order.indexOf(axis) };
  }
  const before = elementCount(shape.slice(0, axis));
  const same = to.findIndex((size, i) => size === shape[axis] && elementCount(to.slice(0, i)) === before);
  return same < 0 ? undefined : { ...quantization, axis: same };
}
