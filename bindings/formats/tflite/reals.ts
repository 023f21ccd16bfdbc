/** float32 arithmetic of a few numbers, written as nodes: for operators of the file that are formulas. */
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";

/** A tensor under arithmetic, or a number. */
export type Operand = TensorId | { readonly value: number };

const activation = "none" as const;

/** Functions that append nodes. Shapes broadcast; what they give is typed when the graph is inferred. */
export function realsOf(where: string, tensors: Tensor[]) {
  const nodes: AnyNode[] = [];
  const declare = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const constant = (dtype: "int32" | "float32", shape: readonly number[], values: readonly number[]) => {
    const data = dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
    return declare({ name: "", dtype, shape, data: new Uint8Array(data.buffer) });
  };
  const idOf = (x: Operand) => (typeof x === "number" ? x : constant("float32", [], [x.value]));
  const append = (
    kind: OpKind,
    inputs: readonly TensorId[],
    attributes: object = {},
    dtype: Tensor["dtype"] = "float32",
    output = declare({ name: "", dtype, shape: [] }),
  ): TensorId => {
    nodes.push({ kind, where, inputs, outputs: [output], attributes } as unknown as AnyNode);
    return output;
  };
  const two = (kind: OpKind) => (a: Operand, b: Operand) => append(kind, [idOf(a), idOf(b)], { activation });
  const ints = (...values: readonly number[]) => constant("int32", [values.length], values);
  const add = two("add");
  const mul = two("mul");
  return {
    nodes,
    append,
    constant,
    add,
    mul,
    sub: two("sub"),
    div: two("div"),
    atan2: (y: Operand, x: Operand) => append("atan2", [idOf(y), idOf(x)]),
    one: (kind: "cos" | "sin" | "floor" | "neg", x: TensorId) => append(kind, [x]),
    /** a·x + b·y. */
    dot: (a: Operand, x: Operand, b: Operand, y: Operand) => add(mul(a, x), mul(b, y)),
    /** The same elements in another shape. */
    shaped: (x: TensorId, ...shape: readonly number[]) => append("reshape", [x, ints(...shape)], { shape }),
    /** Rows of `[N, …]`. */
    rows: (x: TensorId, indices: readonly number[]) =>
      append("gather", [x, ints(...indices)], { axis: 0, batchDims: 0 }),
    /** Column c of `[N, C]` as `[N, 1]`. */
    column: (x: TensorId, c: number) => append("slice", [x, ints(0, c), ints(-1, 1)]),
    /** The least or greatest of `[N, 1]` as `[1, 1]`. */
    extreme: (kind: "reduceMin" | "reduceMax", x: TensorId) => append(kind, [x, ints(0)], { keepDims: true }),
    joined: (parts: readonly Operand[], axis: number) => append("concat", parts.map(idOf), { axis, activation }),
  };
}

export type Reals = ReturnType<typeof realsOf>;
