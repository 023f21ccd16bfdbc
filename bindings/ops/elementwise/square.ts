import type { Operator } from "../types.ts";
import { callPairsInt } from "./pairs.ts";
import { ends, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly square: Record<never, never>;
  }
}

/** x²; float32, int32 and int64. C1, C2: see `unary`. */
export const square: Operator<"square"> = unary({
  real: () => ({ form: "square" }),
  raw: ["int32", "int64"],
  each: (x) => x * x,
  whole(dtype, to) {
    const [x, y] = ends(to);
    callPairsInt(to, "mul", dtype, { a: x, b: x, y });
  },
});
