import type { Operator } from "../types.ts";
import { callPairsInt, constantOperand } from "./pairs.ts";
import { ends, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly neg: Record<never, never>;
  }
}

/** −x; float32, int32 and int64. C1, C2: see `unary`. */
export const neg: Operator<"neg"> = unary({
  real: () => ({ form: "neg" }),
  raw: ["int32", "int64"],
  each: (x) => -x,
  whole(dtype, to) {
    const [x, y] = ends(to);
    callPairsInt(to, "sub", dtype, { a: constantOperand(to, dtype, 0), b: x, y });
  },
});
