import { logSoftmaxTables } from "../../primitives/table/tables.ts";
import { elementCount } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDimensions,
  requireDType,
  requireInputs,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";
import { rowsOf } from "./rows.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logSoftmax: Record<never, never>;
  }
}

/**
 * Logarithm of the softmax over the last dimension. C1: one input, one output. C2: both int8, or both
 * float32, of which C3 and C4 ask nothing. C3: x with one scale and zero point, the scale above 2^−26. C4: an output of scale 1/16 and zero point 127. C5: at least one dimension. Source:
 * TFLite's reference_ops::LogSoftmax.
 */
export const logSoftmax: Operator<"logSoftmax"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const dtype = requireDType(node, "C2", x, "int8", "float32");
    requireDType(node, "C2", y, dtype);
    requireDimensions(node, "C5", x);
    if (dtype === "float32") return [{ dtype, shape: x.shape }];
    const { scale } = requireAffine(node, "C3", x);
    constrain(node, "C3", scale * 2 ** 26 > 1, () => ({ expected: "a scale above 2^−26", received: String(scale) }));
    const output = requireAffine(node, "C4", y);
    constrain(node, "C4", output.scale === 1 / 16 && output.zeroPoint === 127, () => ({
      expected: "an output with scale 1/16 and zero point 127",
      received: `scale ${output.scale}, zero point ${output.zeroPoint}`,
    }));
    return [{ dtype: "int8", shape: x.shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const x = inputOf(node, 0);
    if (elementCount(x.shape) === 0) return;
    const rows = rowsOf(to);
    if (x.dtype === "float32") {
      to.call({ kernel: "logSoftmaxF32", params: { ...rows, beta: 1 } });
      return;
    }
    const { exps, differences, ...factor } = logSoftmaxTables(affineOf(x));
    to.call({
      kernel: "logSoftmax",
      params: {
        ...rows,
        expTable: to.place(new Uint8Array(exps.buffer)),
        diffTable: to.place(new Uint8Array(differences.buffer)),
        ...factor,
      },
    });
  },
};
