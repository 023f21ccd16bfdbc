import { inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { ends, like, requireCount, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Sums, and the scale of the transform. */
    readonly signalRoot: Record<never, never>;
  }
}

/** Rounded roots of uint64 as uint32, shifted right by a computed int32. C1, C2, C4: see `requireTypes`. */
export const signalRoot: Operator<"signalRoot"> = {
  infer(node) {
    requireTypes(node, ["uint64", "int32"], ["uint32"]);
    requireCount(node, inputOf(node, 1), 1);
    return [like(node, "uint32")];
  },
  lower(node, to) {
    const params = { ...ends(node, to), scale: to.input(1) };
    if (params.count > 0) to.call({ kernel: "signalRoot", params });
  },
};
