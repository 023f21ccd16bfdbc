import { inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly densify: Record<never, never>;
  }
}

/** A sparse constant made dense, which reading the file has done. C1: one input, one output. C2: the type stays. */
export const densify: Operator<"densify"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", outputOf(node), x.dtype);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  fold: (node) => [inputOf(node, 0).data as Uint8Array],
  alias: true,
};
