import { ELEMENT } from "../../primitives/elementwise/element.ts";
import { RANGE } from "../../primitives/requantize/quantization.ts";
import { dequantizeConstant } from "../../primitives/table/constants.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireAffine, requireDType, requireInputs } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { ends } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly dequantize: Record<never, never>;
  }
}

/**
 * To float32: scale · (q − zeroPoint), or float16 as it is. C1: one input, one output. C2: x int8, uint8, int16 or float16;
 * int4, and scales of each channel, only of constants. C3: the output float32. C4: x with one scale and zero point. Source:
 * TFLite's reference_ops::Dequantize.
 */
export const dequantize: Operator<"dequantize"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const constant = x.data !== undefined && !x.variable;
    const dtype = requireDType(node, "C2", x, "int8", "uint8", "int16", "float16", "int4");
    requireDType(node, "C3", outputOf(node), "float32");
    constrain(
      node,
      "C2",
      dtype !== "int4" || constant,
      () => ({ expected: `"${x.name}" a constant, or of whole bytes`, received: "int4" }),
      "UNSUPPORTED",
    );
    if (dtype !== "float16" && !constant) requireAffine(node, "C4", x);
    else if (dtype !== "float16")
      constrain(node, "C4", x.quantization !== undefined, () => ({ expected: "scales", received: "none" }));
    return [{ dtype: "float32", shape: x.shape }];
  },
  fold: (node) => [dequantizeConstant(inputOf(node, 0))],
  lower(_node, to) {
    const [x, y] = ends(to);
    const count = elementCount(x.shape);
    const addresses = { x: x.address, y: y.address, count };
    if (x.dtype === "float16")
      to.call({ kernel: "cast", params: { ...addresses, from: ELEMENT.float16, to: ELEMENT.float32 } });
    else if (x.dtype === "int16")
      to.call({ kernel: "dequantizeS16", params: { ...addresses, ...affineOf(x), ...RANGE.int16, even: 0 } });
    else
      to.call({ kernel: "dequantize", params: { ...addresses, ...affineOf(x), ...RANGE[x.dtype as "int8"], even: 0 } });
  },
};
