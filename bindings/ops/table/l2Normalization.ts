import type { Activation } from "../../graph.ts";
import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireAffine, requireDType, requireInputs } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";
import { rowsOf } from "./rows.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly l2Normalization: { readonly activation: Activation };
  }
}

/** The quantization of an int8 output. */
const OUTPUT = { scale: 1 / 128, zeroPoint: 0 };

/**
 * Rows over the last dimension divided by their Euclidean length. C1: one input, one output. C2: both int8, or
 * both float32, of which C3 and C4 ask nothing. C3: x with
 * one scale and zero point. C4: an output of scale 1/128 and zero point 0. C5: at least one dimension, at most 2^15 in
 * the last. C6: no activation. Source: TFLite's reference_integer_ops::L2Normalization.
 */
export const l2Normalization: Operator<"l2Normalization"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const dtype = requireDType(node, "C2", x, "int8", "float32");
    requireDType(node, "C2", y, dtype);
    if (dtype === "int8") requireAffine(node, "C3", x);
    const output = dtype === "int8" ? requireAffine(node, "C4", y) : OUTPUT;
    constrain(node, "C4", output.scale === OUTPUT.scale && output.zeroPoint === OUTPUT.zeroPoint, () => ({
      expected: "an output with scale 1/128 and zero point 0",
      received: `scale ${output.scale}, zero point ${output.zeroPoint}`,
    }));
    const depth = x.shape.at(-1);
    constrain(node, "C5", depth !== undefined && depth <= 2 ** 15, () => ({
      expected: "at least one dimension, at most 32768 in the last",
      received: listText(x.shape),
    }));
    const { activation } = node.attributes;
    constrain(
      node,
      "C6",
      activation === "none",
      () => ({ expected: "no activation", received: activation }),
      "UNSUPPORTED",
    );
    return [{ dtype, shape: x.shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const x = inputOf(node, 0);
    if (elementCount(x.shape) === 0) return;
    const rows = rowsOf(to);
    if (x.dtype === "float32") {
      to.call({ kernel: "l2NormalizeF32", params: { ...rows, beta: 1 } });
      return;
    }
    to.call({
      kernel: "l2Normalize",
      params: {
        ...rows,
        xZeroPoint: affineOf(x).zeroPoint,
        unsigned: x.unsigned === true ? 1 : 0,
      },
    });
  },
};
