import { roundedToEven } from "../../primitives/requantize/quantization.ts";
import { byteTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly cbrt: Record<never, never>;
  }
}

/** The cube root of int8. C1–C4: see `unary`. Source: StableHLO's rule for quantized operators: dequantized, computed, rounded half to even. */
export const cbrt: Operator<"cbrt"> = unary({
  int8(node) {
    const [x, y] = [affineOf(inputOf(node, 0)), affineOf(outputOf(node))];
    return byteTable(
      "int8",
      "int8",
      (q) => roundedToEven(Math.cbrt(x.scale * (q - x.zeroPoint)) / y.scale) + y.zeroPoint,
    );
  },
});
