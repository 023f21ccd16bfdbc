import { REAL, realTable } from "../../primitives/table/functions.ts";
import { hardSwishTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly hardSwish: Record<never, never>;
  }
}

/**
 * x·min(max(x + 3, 0), 6)/6. C1–C4: see `unary`. Source: TFLite's reference_ops::HardSwish; from an input scale of 128 times
 * the output's on, which it has no shift for, a table of the real function.
 */
export const hardSwish: Operator<"hardSwish"> = unary({
  int8(node) {
    const [x, y] = [affineOf(inputOf(node, 0)), affineOf(outputOf(node))];
    const fits = x.scale / 128 / y.scale < 1 - 2 ** -25;
    return fits ? hardSwishTable(x, y) : realTable(x, y, REAL.hardSwish);
  },
  real: () => ({ form: "hardSwish" }),
});
