import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { inputOf, outputOf, requireDType, requireImage, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireWindows, windowParams } from "./windows.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly l2Pool2d: Attributes["averagePool2d"];
  }
}

/**
 * Root of the mean of squares of each window, padding not counted. C1: one input, one output. C2: both float32. C4–C7:
 * see `poolOperator`. Source: TFLite's reference_ops::L2Pool.
 */
export const l2Pool2d: Operator<"l2Pool2d"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "float32");
    requireDType(node, "C2", outputOf(node), "float32");
    requireImage(node, "C4", x);
    const { h, w } = requireWindows(node);
    return [{ dtype: "float32", shape: [x.shape[0] as number, h.out, w.out, x.shape[3] as number] }];
  },
  lower(node, to) {
    const [least, most] = BOUNDS[node.attributes.activation];
    const unused = { scratch: 0, scratchStride: 0, lo: 0, hi: 0 };
    to.call({ kernel: "l2PoolF32", params: { ...windowParams(node, to), ...unused, least, most } });
  },
};
