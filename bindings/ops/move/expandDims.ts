import { inputOf, outputOf, requireAxisInput, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axis (constant). */
    readonly expandDims: Record<never, never>;
  }
}

/**
 * Puts a dimension of size 1 before `axis`. C1: x and axis, one output. C2: the type stays. C3: the axis is one
 * constant. C4: it is inside the new rank.
 */
export const expandDims: Operator<"expandDims"> = {
  infer(node) {
    requireInputs(node, 2);
    const x = inputOf(node, 0);
    requireDType(node, "C2", outputOf(node), x.dtype);
    const axis = requireAxisInput(node, "C3", 1, x.shape.length + 1, "C4");
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)] }];
  },
  fold: (node) => [inputOf(node, 0).data as Uint8Array],
  alias: true,
};
