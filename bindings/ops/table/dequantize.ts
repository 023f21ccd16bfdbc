import { RANGE } from "../../primitives/requantize/quantization.ts";
import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf, requireAffine, requireDType, requireInputs } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly dequantize: Record<never, never>;
  }
}

/**
 * int8 or uint8 to float32: scale · (q − zeroPoint). C1: one input, one output. C2: x int8 or uint8. C3: the output
 * float32. C4: x with one scale and zero point. Source: TFLite's reference_ops::Dequantize.
 */
export const dequantize: Operator<"dequantize"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "int8", "uint8");
    requireDType(node, "C3", outputOf(node), "float32");
    requireAffine(node, "C4", x);
    return [{ dtype: "float32", shape: x.shape }];
  },
  fold(node) {
    const x = inputOf(node, 0);
    const { scale, zeroPoint } = affineOf(x);
    const bytes = x.data as Uint8Array;
    const view = new DataView(new ArrayBuffer(bytes.length * 4));
    for (const [i, byte] of bytes.entries()) {
      const q = x.dtype === "int8" ? (byte << 24) >> 24 : byte;
      view.setFloat32(i * 4, Math.fround(scale) * (q - zeroPoint), true);
    }
    return [new Uint8Array(view.buffer)];
  },
  lower(node, to) {
    const x = inputOf(node, 0);
    to.call({
      kernel: "dequantize",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, count: elementCount(x.shape) },
        ...affineOf(x),
        ...RANGE[x.dtype as "int8"],
      },
    });
  },
};
