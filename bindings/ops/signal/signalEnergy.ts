import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { ends, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** First frequency that counts, and the first that does not any more. */
    readonly signalEnergy: { readonly first: number; readonly last: number };
  }
}

/**
 * Squares of complex int16 as uint32; 0 outside of the range, which the reference leaves as memory was. C1, C2: see
 * `requireTypes`. C3: a range inside the spectrum. C4: pairs.
 */
export const signalEnergy: Operator<"signalEnergy"> = {
  infer(node) {
    requireTypes(node, ["int16"], ["uint32"]);
    const { shape } = inputOf(node, 0);
    const count = elementCount(shape);
    constrain(node, "C4", shape.length === 1 && count % 2 === 0, () => ({
      expected: "one dimension of pairs",
      received: listText(shape),
    }));
    const { first, last } = node.attributes;
    requireRange(node, "a first frequency", first, 0, count / 2);
    requireRange(node, "a last frequency", last, first, count / 2);
    return [{ dtype: "uint32", shape: [count / 2] }];
  },
  lower(node, to) {
    const { x, y, count } = ends(node, to);
    if (count > 0) to.call({ kernel: "signalEnergy", params: { x, y, count: count / 2, ...node.attributes } });
  },
};
