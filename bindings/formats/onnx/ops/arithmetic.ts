/** Arithmetic of two and more operands. */
import type { Attributes } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { Conversion, Conversions } from "../convert.ts";
import { chain } from "../elementwise.ts";
import { NONE } from "../types.ts";

/** Types that arithmetic has not, and one that holds their values. */
const WIDER: { readonly [D in DType]?: DType } = {
  int8: "int32",
  uint8: "int32",
  uint16: "int32",
  uint32: "int64",
  int16: "int32",
};

/** An operator of two on any integers: those that the kernels have not are widened, and wrap when narrowed. */
export function arithmetic<K extends "add" | "sub" | "mul" | "div" | "maximum" | "minimum">(
  kind: K,
  attributes: Attributes[K],
): Conversion {
  return (n) => {
    const { dtype } = n.input(0);
    const values = n.inputs.map((_, i) => n.input(i));
    if (dtype === "uint64") return n.rarely("unsigned arithmetic", n);
    const wide = values.length === 1 ? undefined : WIDER[dtype];
    chain(n, values, (ids, add) => {
      const type = wide ?? dtype;
      const widened = ids.map((id) => (wide === undefined ? id : add("cast", [id], {}, wide)));
      const total = widened.reduce((sum, id) => add(kind, [sum, id], attributes, type));
      return wide === undefined ? total : add("cast", [total], {}, dtype);
    });
  };
}

export const ARITHMETIC: Conversions = {
  Add: arithmetic("add", NONE),
  Sub: arithmetic("sub", NONE),
  Mul: arithmetic("mul", NONE),
  Div: arithmetic("div", NONE),
  Sum: arithmetic("add", NONE),
};
