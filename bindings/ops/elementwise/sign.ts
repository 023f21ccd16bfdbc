import type { Operator } from "../types.ts";
import { callPairsInt, constantOperand } from "./pairs.ts";
import { ends, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly sign: Record<never, never>;
  }
}

/** −1, 0 or 1; float32, int32 and int64. C1, C2: see `unary`. */
export const sign: Operator<"sign"> = unary({
  real: () => ({ form: "sign" }),
  raw: ["int32", "int64"],
  each: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  whole(dtype, to) {
    const [x, y] = ends(to);
    callPairsInt(to, "minimum", dtype, { a: x, b: constantOperand(to, dtype, 1), y });
    callPairsInt(to, "maximum", dtype, { a: y, b: constantOperand(to, dtype, -1), y });
  },
});
