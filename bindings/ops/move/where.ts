import { elementCount } from "../../tensor.ts";
import { outputOf, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireOpen } from "./moving.ts";
import { callWhere, requirePlaced } from "./nonZeroPlaces.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly where: Record<never, never>;
  }
}

/**
 * The places of what is not 0, `[n, rank]` int64; n is open, at most all. C1: x, one output. C2: x of whole bytes, at most
 * eight dimensions and at least one; int64 places.
 */
export const where: Operator<"where"> = {
  infer(node) {
    requireOpen(node, 1, 1);
    const x = requirePlaced(node);
    const dtype = requireDType(node, "C2", outputOf(node), "int64");
    return [{ dtype, shape: [elementCount(x.shape), x.shape.length], open: "rows" }];
  },
  lower: (_, to) => callWhere(to, { room: 0, isColumns: 0 }),
};
