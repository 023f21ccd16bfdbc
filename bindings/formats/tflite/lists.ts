/** Tensor lists of Flex operators, which loops of recurrent layers fill: a list is one tensor, its elements the rows. */
import { Pint8Error } from "../../errors.ts";
import type { AnyNode, Node, TensorId } from "../../graph.ts";
import type { DType, Tensor } from "../../tensor.ts";

type NodeParts = Pick<Node, "where" | "inputs" | "outputs">;

/** What such an operator is, by its name in the file. */
const OPERATORS = {
  FlexTensorListReserve: reserve,
  FlexTensorListFromTensor: identity,
  FlexTensorListSetItem: setItem,
  FlexTensorListGetItem: getItem,
  FlexTensorListStack: identity,
} as const;
type ListOperator = keyof typeof OPERATORS;
const isListOperator = (name: string): name is ListOperator => Object.hasOwn(OPERATORS, name);

/** Importers by name; the nodes that they make are replaced by `withoutLists`. */
export const LIST_OPERATORS: ReadonlyMap<string, (parts: NodeParts) => AnyNode> = new Map(
  Object.keys(OPERATORS).map((name) => [
    name,
    (parts) => ({ kind: "custom", ...parts, attributes: { name, options: new Uint8Array(0), infer: unresolved } }),
  ]),
);

function unresolved(): never {
  throw new Pint8Error("UNSUPPORTED", {
    where: "tensor list",
    expected: "lists within one model",
    received: "a list that was not replaced",
  });
}

/** A subgraph in the making. */
interface Making {
  readonly nodes: readonly AnyNode[];
  readonly tensors: Tensor[];
  /** Appends a tensor. */
  readonly add: (tensor: Tensor) => TensorId;
}

/** The nodes with lists as tensors; what is needed for that is appended to `tensors`. */
export function withoutLists(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  const isList = (node: AnyNode) => node.kind === "custom" && isListOperator(node.attributes.name);
  if (!nodes.some(isList)) return nodes;
  const making: Making = { nodes, tensors, add: (tensor) => (tensors.push(tensor) - 1) as TensorId };
  return nodes.flatMap((node) => {
    if (node.kind !== "custom" || !isListOperator(node.attributes.name)) return [node];
    return OPERATORS[node.attributes.name](node, making);
  });
}

function constant(name: string, values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { name, dtype: "int32", shape, data: new Uint8Array(Int32Array.from(values).buffer) };
}

/** The int32 values of a constant; undefined where it is computed. */
function valuesOf(tensor: Tensor | undefined): readonly number[] | undefined {
  if (tensor?.data === undefined || tensor.dtype !== "int32") return undefined;
  return [...new Int32Array(tensor.data.slice().buffer)];
}

/** element shape, number of elements → a list of zeros. Sizes that the shape leaves open are those of what is made of the list. */
function reserve({ where, inputs, outputs }: AnyNode, making: Making): readonly AnyNode[] {
  const [list = -1 as TensorId] = outputs;
  const stack = stackOf(list, making);
  const [shape, count] = inputs.map((id) => valuesOf(making.tensors[id]));
  const sizes = [count?.[0] ?? stack?.shape[0] ?? -1, ...(shape ?? stack?.shape.slice(1) ?? [-1])];
  const known = sizes.map((size, d) => (size < 0 ? (stack?.shape[d] ?? -1) : size));
  if (stack === undefined || known.some((size) => size < 0))
    throw new Pint8Error("UNSUPPORTED", {
      where,
      expected: "a list whose length and elements are known when planned",
      received: `[${known}]`,
    });
  const dims = making.add(constant("list, sizes", known));
  const zero = making.add({ name: "list, zero", dtype: stack.dtype, shape: [], data: zeroOf(stack.dtype) });
  typed(list, stack.dtype, known, making);
  return [{ kind: "fill", where, inputs: [dims, zero], outputs, attributes: {} }];
}

const zeroOf = (dtype: DType) => new Uint8Array(dtype === "int64" ? 8 : dtype === "bool" ? 1 : 4);

/** The tensor that a list becomes, through loops. */
function stackOf(list: TensorId, { nodes, tensors }: Making): Tensor | undefined {
  let id = list;
  for (const node of nodes) {
    const at = node.inputs.indexOf(id);
    if (at < 0) continue;
    if (node.kind === "while") id = node.outputs[at] as TensorId;
    else if (node.kind === "custom" && node.attributes.name === "FlexTensorListStack")
      return tensors[node.outputs[0] as TensorId];
  }
  return undefined;
}

/** A list's type, in place of the file's `variant`. */
function typed(list: TensorId, dtype: DType, shape: readonly number[], { tensors }: Making): void {
  tensors[list] = { ...(tensors[list] as Tensor), dtype, shape };
}

/** list, index, element → the list with that row. */
function setItem({ where, inputs, outputs }: AnyNode, making: Making): readonly AnyNode[] {
  const [list = -1 as TensorId, index = -1 as TensorId, element = -1 as TensorId] = inputs;
  const { dtype = "float32", shape = [] } = making.tensors[element] ?? {};
  typed(outputs[0] as TensorId, dtype, [1, ...shape], making);
  const axis = making.add(constant("list, axis", [0], []));
  const one = making.add(constant("list, one", [1]));
  const zeros = making.add(constant("list, zeros", new Array<number>(shape.length).fill(0)));
  const row = making.add({ name: "row", dtype, shape: [1, ...shape] });
  const at = making.add({ name: "index", dtype: "int32", shape: [1] });
  const start = making.add({ name: "start", dtype: "int32", shape: [shape.length + 1] });
  return [
    { kind: "expandDims", where, inputs: [element, axis], outputs: [row], attributes: {} },
    { kind: "reshape", where, inputs: [index, one], outputs: [at], attributes: {} },
    { kind: "concat", where, inputs: [at, zeros], outputs: [start], attributes: { axis: 0, activation: "none" } },
    { kind: "dynamicUpdateSlice", where, inputs: [list, row, start], outputs, attributes: {} },
  ];
}

/** list, index, … → the row. */
function getItem({ where, inputs, outputs }: AnyNode): readonly AnyNode[] {
  return [{ kind: "gather", where, inputs: inputs.slice(0, 2), outputs, attributes: { axis: 0, batchDims: 0 } }];
}

/** list or tensor, … → the same. */
function identity({ where, inputs, outputs }: AnyNode, making: Making): readonly AnyNode[] {
  const [x, y] = [making.tensors[inputs[0] as TensorId], making.tensors[outputs[0] as TensorId]];
  if (x !== undefined && y?.dtype === "variant") typed(outputs[0] as TensorId, x.dtype, x.shape, making);
  return [{ kind: "concat", where, inputs: inputs.slice(0, 1), outputs, attributes: { axis: 0, activation: "none" } }];
}
