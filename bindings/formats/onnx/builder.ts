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
  floatsOf,
  type Quantization,
  type Tensor,
  typedCopy,
} from "../../tensor.ts";
import { FUNCTIONS } from "./integer/table.ts";

/** What an output is told before its shape is inferred. */
export interface OutputType {
  readonly dtype: DType;
  readonly quantization?: Quantization;
}

/** What a node is, besides its kind. */
type NodeParts<K extends OpKind> = [
  inputs: readonly (TensorId | undefined)[],
  attributes: Attributes[K],
  outputs: readonly OutputType[],
  name?: string,
];

/** Adds a node in place of a node of the file, as `Builder.add` does. */
export type AddHere = <K extends OpKind>(kind: K, ...parts: NodeParts<K>) => readonly TensorId[];

/** What is thrown where a node's operator is not in the table. */
export const NEEDS_OPERATORS = new Error("the rarer operators");

export interface Builder {
  /** The table of all operators, or of those that are at hand. */
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
  add<K extends OpKind>(kind: K, where: string, ...parts: NodeParts<K>): readonly TensorId[];
  tensor(id: TensorId): Tensor;
  /** Whether nothing computes it but its data. */
  isConstant(id: TensorId): boolean;
  /**
   * The tensor, with bytes where constants alone decide them. Kernels have digits of their own for functions that are not computed here: where a
   * size or a place is asked for, the nearest float32 stands for their results.
   */
  settled(id: TensorId): Tensor;
  /** A constant whose bytes are made when somebody first reads them. */
  later(type: Pick<Tensor, "dtype" | "shape">, make: () => Uint8Array): TensorId;
  /** The integers that a constant of float32 was dequantized from, transposed and reshaped as it was. */
  readonly origins: Map<TensorId, TensorId>;
  /** The integers with this quantization: themselves where they have it, or are an input of one owner; else a copy. */
  quantized(id: TensorId, quantization: Quantization, where: string, owner: "own" | "shared"): TensorId;
}

/** Bytes of constants that importing may compute in all; beyond it nodes stay and compute at run time. */
const FOLDED_BYTES = 2 ** 28;

/** Operators that a model may become, those that are computed at once too: what is written out in steps grows with the sizes that a file states. */
const MOST_NODES = 1 << 18;

/** Bytes of constants that importing may make: as many as memory has. */
const MADE_BYTES = 2 ** 32;

/** Elements of a tensor that is computed for its numbers. */
const MOST_SETTLED = 4096;

/** Operators that clamp floats to finite ones in TFLite. */
const UNBOUNDED: ReadonlySet<OpKind> = new Set<OpKind>(["add", "sub", "mul", "div"]);

export function createBuilder(operators: Operators): Builder {
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  const origins = new Map<TensorId, TensorId>();
  const computed = new Set<TensorId>();
  /** What nodes compute of constants alone. */
  const settled = new Map<TensorId, Tensor>();
  /** Constants whose bytes nobody has asked for. */
  const unread = new Set<TensorId>();
  let budget = FOLDED_BYTES;
  let added = 0;
  let made = 0;

  const declare = (tensor: Tensor): TensorId => {
    tensors.push(tensor);
    return (tensors.length - 1) as TensorId;
  };
  const constant: Builder["constant"] = (dtype, shape, data, quantization) => {
    made += data.byteLength;
    ensure(made <= MADE_BYTES, "OUT_OF_MEMORY", () => ({
      where: "file",
      expected: `at most ${MADE_BYTES} bytes of constants`,
      received: `${made}`,
    }));
    return declare({
      name: "",
      dtype,
      shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      ...(quantization === undefined ? {} : { quantization }),
    });
  };

  const put = (id: TensorId, tensor: Tensor, make: () => Uint8Array): void => {
    let made: Uint8Array | undefined;
    const get = (): Uint8Array => {
      unread.delete(id);
      made ??= make();
      return made;
    };
    unread.add(id);
    tensors[id] = Object.defineProperty(tensor, "data", { get, enumerable: true });
  };
  const later: Builder["later"] = (type, make) => {
    const id = declare({ name: "", ...type });
    put(id, { name: "", ...type }, make);
    return id;
  };
  const add: Builder["add"] = (kind, where, inputs, given, outputs, name = "") => {
    // beyond the largest float32 is infinity
    const attributes = UNBOUNDED.has(kind) && outputs[0]?.dtype === "float32" ? { ...given, most: Infinity } : given;
    if (operators[kind] === undefined) throw NEEDS_OPERATORS;
    ensure(++added <= MOST_NODES, "UNSUPPORTED", () => ({
      where,
      expected: `at most ${MOST_NODES} operators, loops, steps and windows written out`,
      received: "more",
      hint: "Use a smaller input, or fewer steps.",
    }));
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
      settle(node);
    } else {
      for (const [i, id] of ids.entries()) {
        const tensor = tensors[id] as Tensor;
        budget -= byteLength(tensor);
        if (typeof folded === "function") put(id, tensor, folded);
        else tensors[id] = { ...tensor, data: folded[i] as Uint8Array };
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
    if (isConstant(id)) return declare({ ...tensor, quantization });
    if (owner === "own" && !computed.has(id) && tensor.quantization === undefined) {
      tensors[id] = { ...tensor, quantization };
      return id;
    }
    return add("cast", where, [id], {}, [{ dtype: tensor.dtype, quantization }])[0] as TensorId;
  };

  const isConstant = (id: TensorId): boolean => "data" in (tensors[id] as Tensor);

  /** The bytes of the outputs; of the one that is only moved from what is not made yet, how they are made. */
  const fold = (node: AnyNode): readonly Uint8Array[] | (() => Uint8Array) | undefined => {
    const { inputs, kind } = node;
    if (inputs.length === 0 || !inputs.every((id) => id === NONE || isConstant(id))) return undefined;
    const { operator, view } = bind(operators, node, tensors);
    if (view.outputs.reduce((sum, tensor) => sum + byteLength(tensor), 0) > budget) return undefined;
    const [x] = view.inputs as readonly [Tensor];
    if (unread.has(inputs[0] as TensorId) && (kind === "reshape" || kind === "transpose"))
      return () => (operator.alias ? x.data : operator.fold?.(view)?.[0]) as Uint8Array;
    if (operator.alias) return [x.data as Uint8Array];
    return operator.fold?.(view);
  };

  const settle = (node: AnyNode): void => {
    const { inputs, outputs } = node;
    const { operator, view } = bind(operators, node, tensors);
    const isSmall = elementCount((view.outputs[0] as Tensor).shape) <= MOST_SETTLED;
    if (!isSmall || !inputs.length || !inputs.every((id) => id === NONE || isConstant(id) || settled.has(id))) return;
    const known = inputs.map((id, i) => settled.get(id) ?? view.inputs[i]);
    const bytes = operator.alias
      ? [known[0]?.data as Uint8Array]
      : (operator.fold?.({ ...view, inputs: known }) ?? valuesOf(node, known));
    for (const [i, data] of (bytes ?? []).entries())
      settled.set(outputs[i] as TensorId, { ...(view.outputs[i] as Tensor), data });
  };

  return {
    operators,
    tensors,
    nodes,
    declare,
    constant,
    integers(values, shape = [values.length]) {
      const beyond = values.find((value) => Math.abs(value) > 2 ** 31);
      ensure(beyond === undefined, "UNSUPPORTED", () => ({
        where: "sizes and places",
        expected: "numbers of 32 bits",
        received: `${beyond}`,
      }));
      return constant("int32", shape, Int32Array.from(values));
    },
    float: (value) => constant("float32", [], Float32Array.of(value)),
    add,
    origins,
    quantized,
    isConstant,
    settled: (id) => settled.get(id) ?? (tensors[id] as Tensor),
    later,
    tensor: (id) => tensors[id] as Tensor,
  };
}

/** A function of one or two tensors of floats, of which one may be a number. */
function valuesOf(node: AnyNode, inputs: readonly (Tensor | undefined)[]): readonly Uint8Array[] | undefined {
  const compute = FUNCTIONS[node.kind];
  const lists = inputs.map((each) => (each?.dtype === "float32" ? floatsOf(each) : []));
  const [x = [], y = x] = lists;
  const length = Math.max(x.length, y.length);
  if (!compute || !lists.every((list) => list.length === length || list.length === 1)) return undefined;
  const at = (list: ArrayLike<number>, i: number) => list[i % list.length] as number;
  return [new Uint8Array(Float32Array.from({ length }, (_, i) => compute(at(x, i), at(y, i), node)).buffer)];
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
