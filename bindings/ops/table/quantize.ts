import { RANGE, roundHalfAway } from "../../primitives/requantize/quantization.ts";
import { rescaleTable } from "../../primitives/table/tables.ts";
import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf, requireAffine, requireDType, requireInputs, requireRatio } from "../constraints.ts";
import { affineOf, lowerLookup } from "../elementwise/elementwise.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly quantize: Record<never, never>;
  }
}

/** The table of a change from one 8-bit type and scale to another. */
function tableOf(node: NodeView<"quantize">): Uint8Array {
  const x = inputOf(node, 0);
  const y = outputOf(node);
  return rescaleTable(x.dtype as "int8", affineOf(x), y.dtype as "int8", affineOf(y));
}

/** x / scale in float32, rounded half away from zero, plus the zero point; NaN becomes the least value. */
function fromFloats(node: NodeView<"quantize">): Uint8Array {
  const y = outputOf(node);
  const { scale, zeroPoint } = affineOf(y);
  const { lo, hi } = RANGE[y.dtype as "int8"];
  const data = inputOf(node, 0).data as Uint8Array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from({ length: data.byteLength / 4 }, (_, i) => {
    const q = roundHalfAway(Math.fround(view.getFloat32(i * 4, true) / scale)) + zeroPoint;
    return Number.isNaN(q) ? lo : Math.min(Math.max(q, lo), hi);
  });
}

/**
 * float32 to int8 or uint8, or one of these to another with a new scale. C1: one input, one output. C2: x float32,
 * int8 or uint8. C3: the output int8 or uint8. C4: 8-bit tensors with one scale and zero point, in a ratio that fits.
 * Source: TFLite's reference_ops::AffineQuantize and Requantize.
 */
export const quantize: Operator<"quantize"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const from = requireDType(node, "C2", x, "float32", "int8", "uint8");
    const dtype = requireDType(node, "C3", y, "int8", "uint8");
    const { scale } = requireAffine(node, "C4", y);
    if (from !== "float32") requireRatio(node, "C4", requireAffine(node, "C4", x).scale / scale);
    return [{ dtype, shape: x.shape }];
  },
  fold(node) {
    const x = inputOf(node, 0);
    if (x.dtype === "float32") return [fromFloats(node)];
    const table = tableOf(node);
    return [(x.data as Uint8Array).map((q) => table[q] as number)];
  },
  inPlace: (node) => (inputOf(node, 0).dtype === "float32" ? [] : [0]),
  lower(node, to) {
    const x = inputOf(node, 0);
    if (x.dtype !== "float32") {
      lowerLookup(to, tableOf(node), "requantize");
      return;
    }
    const y = outputOf(node);
    to.call({
      kernel: "quantize",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, count: elementCount(x.shape) },
        ...affineOf(y),
        ...RANGE[y.dtype as "int8"],
      },
    });
  },
};
