import { elementCount } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { ends, like, requireCount, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, window. */
    readonly signalWindow: { readonly shift: number };
  }
}

/** x · window >> shift over the last dimension, int16, saturating. C1, C2, C4: see `requireTypes`. C3: a shift from 0 to 31. */
export const signalWindow: Operator<"signalWindow"> = {
  infer(node) {
    requireTypes(node, ["int16", "int16"], ["int16"]);
    requireRange(node, "a shift", node.attributes.shift, 0, 31);
    requireCount(node, inputOf(node, 1), inputOf(node, 0).shape.at(-1) ?? 1);
    return [like(node, "int16")];
  },
  inPlace: () => [0],
  lower(node, to) {
    const { x, y, count } = ends(node, to);
    if (count === 0) return;
    const depth = elementCount(inputOf(node, 1).shape);
    const window = to.input(1);
    to.call({
      kernel: "signalWindow",
      params: { x, y, window, rows: count / depth, depth, shift: node.attributes.shift },
    });
  },
};
