import { hardSwishTable } from "../../primitives/table/tables.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly hardSwish: Record<never, never>;
  }
}

/**
 * x·min(max(x + 3, 0), 6)/6. C1–C4: see `unary`. C5: an input scale less than 128 times the output's. Source: TFLite's
 * reference_ops::HardSwish.
 */
export const hardSwish: Operator<"hardSwish"> = unary({
  check(node) {
    const ratio = affineOf(inputOf(node, 0)).scale / 128 / affineOf(outputOf(node)).scale;
    constrain(node, "C5", ratio < 1 - 2 ** -25, () => ({
      expected: "an input scale below 128 times the output scale",
      received: `${ratio * 128} times`,
    }));
  },
  int8: (node) => hardSwishTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node))),
  real: () => ({ form: "hardSwish" }),
});
