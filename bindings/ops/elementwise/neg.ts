import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { callPairsInt, constantOperand } from "./pairs.ts";
import { ends, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly neg: Record<never, never>;
  }
}

const each: Operator<"neg"> = unary({
  real: () => ({ form: "neg" }),
  raw: ["int8", "int16", "int32", "int64"],
  each: (x) => -x,
  whole(dtype, to) {
    const [x, y] = ends(to);
    callPairsInt(to, "sub", dtype, { a: constantOperand(to, dtype, 0), b: x, y });
  },
});

/** −x; float32 and integers as they are, whatever their scales say, which wrap. C1, C2: see `unary`. Source: TFLite's Neg. */
export const neg: Operator<"neg"> = {
  ...each,
  infer(node) {
    const types = each.infer(node);
    constrain(node, "C2", inputOf(node, 0).unsigned !== true, () => ({ expected: "int8", received: "uint8" }));
    return types;
  },
};
