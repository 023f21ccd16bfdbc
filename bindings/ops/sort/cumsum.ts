import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { alongAxis, axisOf } from "./axis.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axis (a constant). */
    readonly cumsum: { readonly exclusive: boolean; readonly reverse: boolean };
  }
}

const KERNEL = { int32: "runningS32", int64: "runningS64", float32: "runningF32" } as const;

/**
 * Running sums along an axis. C1: x and an axis, one output. C2: both int32, int64 or float32. C3: the axis one constant.
 * C4: inside the rank. Source: TFLite's reference_ops::CumSum.
 */
export const cumsum: Operator<"cumsum"> = {
  infer(node) {
    requireInputs(node, 2);
    const x = inputOf(node, 0);
    const dtype = requireDType(node, "C2", x, "int32", "int64", "float32");
    requireDType(node, "C2", outputOf(node), dtype);
    axisOf(node);
    return [{ dtype, shape: x.shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const { dtype, shape } = inputOf(node, 0);
    if (elementCount(shape) === 0) return;
    const { exclusive, reverse } = node.attributes;
    to.call({
      kernel: KERNEL[dtype as keyof typeof KERNEL],
      params: { ...alongAxis(node, to), exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 },
    });
  },
};
