/** Arithmetic on tensors in place of a node, by short names, and what attributes have to fit. */
import type { Attributes, TensorId } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { Builder } from "../builder.ts";
import { numbersOf, type OnnxNode } from "../convert.ts";
import type { Adder } from "../elementwise.ts";
import { tensorOf } from "../tensors.ts";
import { NONE } from "../types.ts";

type Pair = (x: TensorId, y: TensorId) => TensorId;

/** Functions that add nodes to a graph: to the node's own, or to one within it. Results are float32 where nothing else is said. */
export function kitOf(n: OnnxNode, b: Builder = n.b) {
  const add: Adder = (kind, inputs, attributes, dtype = "float32") =>
    b.add(kind, n.where, inputs, attributes, [{ dtype }])[0] as TensorId;
  const pair =
    (kind: "add" | "sub" | "mul" | "div"): Pair =>
    (x, y) =>
      add(kind, [x, y], NONE as Attributes[typeof kind]);
  const compared =
    (kind: "equal" | "notEqual" | "less" | "lessEqual" | "greater" | "greaterEqual"): Pair =>
    (x, y) =>
      add(kind, [x, y], {}, "bool");
  const over =
    (kind: "sum" | "reduceMax" | "reduceMin") =>
    (x: TensorId, axis: number, keepDims = false) =>
      add(kind, [x, b.integers([axis])], { keepDims });
  return {
    add,
    plus: pair("add"),
    minus: pair("sub"),
    times: pair("mul"),
    by: pair("div"),
    compared,
    more: compared("greater"),
    over,
    most: over("reduceMax"),
    sum: over("sum"),
    /** A function of each element. */
    of: (kind: "abs" | "exp" | "log" | "logistic" | "neg" | "sign" | "sqrt" | "tanh", x: TensorId) =>
      add(kind, [x], {}),
    choose: (is: TensorId, x: TensorId, y: TensorId, dtype?: DType) => add("selectV2", [is, x, y], {}, dtype),
    cast: (x: TensorId, dtype?: DType) => add("cast", [x], {}, dtype),
    number: b.float,
    list: (values: readonly number[], shape: readonly number[] = [values.length]) =>
      b.constant("float32", shape, Float32Array.from(values)),
    /** Columns side by side. */
    joined: (parts: readonly TensorId[], dtype?: DType) => add("concat", parts, { axis: 1, ...NONE }, dtype),
    /** Rows of a table. */
    at: (table: TensorId, places: TensorId, dtype?: DType) =>
      add("gather", [table, places], { axis: 0, batchDims: 0 }, dtype),
    part: (x: TensorId, begin: readonly number[], size: readonly number[]) =>
      add("slice", [x, b.integers(begin), b.integers(size)], {}),
    reshaped: (x: TensorId, shape: readonly number[]) => add("reshape", [x, b.integers(shape)], {}),
  };
}

/** UNSUPPORTED for a list of another length than the others of the node have. */
export function fits(n: OnnxNode, name: string, received: number, expected: number): void {
  if (received !== expected) n.refuse(`${expected} ${name}`, `${received}`);
}

/** Numbers of an attribute that is a tensor; none where it is absent. */
export function tensorNumbers(n: OnnxNode, name: string): readonly number[] {
  const proto = n.attribute(name)?.tensor;
  return proto === undefined ? [] : numbersOf(tensorOf(proto, n.where, n.scope.shared.external));
}
