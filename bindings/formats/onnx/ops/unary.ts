/** Functions of each element, and arithmetic of two. */
import type { Attributes, OpKind } from "../../../graph.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { chain, elementwise } from "../elementwise.ts";

/** A function of one value that is an operator of the graph. */
function unary<K extends OpKind>(kind: K, attributes: (n: OnnxNode) => Attributes[K]): Conversion {
  return (n) => elementwise(n, kind, attributes(n), [n.input(0)], { dtype: n.input(0).dtype });
}

/** Arithmetic of two values that broadcast. */
function binary<K extends "add" | "sub" | "mul">(kind: K): Conversion {
  return (n) => {
    const attributes = { activation: "none" } as Attributes[K];
    elementwise(n, kind, attributes, [n.input(0), n.input(1)], { dtype: n.input(0).dtype });
  };
}

/** x·sigmoid(x). */
function swish(n: OnnxNode): void {
  chain(n, [n.input(0)], ([x], add) => {
    const gate = add("logistic", [x as never], {});
    return add("mul", [x as never, gate], { activation: "none" });
  });
}

/** Sums of any number of values. */
function sum(n: OnnxNode): void {
  const values = n.inputs.map((_, i) => n.input(i));
  chain(n, values, ([first, ...rest], add) => {
    let total = first as never;
    for (const id of rest) total = add("add", [total, id], { activation: "none" }) as never;
    return total;
  });
}

export const ELEMENTWISE: Conversions = {
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Sum: sum,
  Relu: unary("relu", () => ({})),
  LeakyRelu: unary("leakyRelu", (n) => ({ alpha: n.float("alpha", 0.01) })),
  Sigmoid: unary("logistic", () => ({})),
  Tanh: unary("tanh", () => ({})),
  Swish: swish,
};
