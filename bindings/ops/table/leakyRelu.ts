import { leakyReluTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import { affineOf, inferUnary, lowerLookup } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly leakyRelu: { readonly alpha: number };
  }
}

/** x or alpha·x, for x below 0, on int8. C1–C4: see `inferUnary`. C5: alpha times the ratio fits. */
export const leakyRelu: Operator<"leakyRelu"> = {
  infer(node) {
    const types = inferUnary(node);
    const { alpha } = node.attributes;
    requireRatio(node, "C5", (affineOf(inputOf(node, 0)).scale * alpha) / affineOf(outputOf(node)).scale);
    return types;
  },
  inPlace: () => [0],
  lower(node, to) {
    const table = leakyReluTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), node.attributes.alpha);
    lowerLookup(to, table, "leakyRelu");
  },
};
