import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireAxis, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly squeeze: { readonly axes: readonly number[] };
  }
}

/**
 * Drops dimensions of size 1: those of `axes`, or all of them where it is empty. C1: one input, one output. C2: the
 * type stays. C3: axes inside the rank. C4: each of size 1.
 */
export const squeeze: Operator<"squeeze"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", outputOf(node), x.dtype);
    const axes = new Set(node.attributes.axes.map((axis) => requireAxis(node, "C3", axis, x.shape.length)));
    for (const axis of axes)
      constrain(node, "C4", x.shape[axis] === 1, () => ({
        expected: `dimension ${axis} of size 1`,
        received: listText(x.shape),
      }));
    return [{ dtype: x.dtype, shape: x.shape.filter((size, i) => (axes.size === 0 ? size !== 1 : !axes.has(i))) }];
  },
  fold: (node) => [inputOf(node, 0).data as Uint8Array],
  alias: true,
};
