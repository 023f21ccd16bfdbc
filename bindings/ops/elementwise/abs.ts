import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { absTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { callPairsInt, constantOperand } from "./pairs.ts";
import { callRescale } from "./rescaling.ts";
import { ends, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly abs: Record<never, never>;
  }
}

/** |x|, rescaled where there are scales; of integers it wraps. C1–C4: see `unary`. Source: TFLite's Abs. */
export const abs: Operator<"abs"> = unary({
  int8: (node) => absTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node))),
  int16(node, to) {
    const up = quantizeMultiplier(Math.fround(affineOf(inputOf(node, 0)).scale / affineOf(outputOf(node)).scale));
    callRescale(node, to, { up, magnitude: true });
  },
  real: () => ({ form: "abs" }),
  raw: ["int16", "int32", "int64"],
  each: (x) => (x < 0n ? -x : x),
  whole(dtype, to) {
    const [x, y] = ends(to);
    callPairsInt(to, "sub", dtype, { a: constantOperand(to, dtype, 0), b: x, y });
    callPairsInt(to, "maximum", dtype, { a: x, b: y, y });
  },
});
