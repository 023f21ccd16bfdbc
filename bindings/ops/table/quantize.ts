import type { Rounding } from "../../graph.ts";
import {
  type Quantized,
  quantizeMultiplier,
  RANGE,
  type Range,
  roundedToEven,
  roundHalfAway,
} from "../../primitives/requantize/quantization.ts";
import { nearestTable, rescaleTable } from "../../primitives/table/tables.ts";
import { elementCount } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDType,
  requireInputs,
  requireRatio,
} from "../constraints.ts";
import { affineOf, looked, lowerLookup } from "../elementwise/elementwise.ts";
import { callRescale } from "../elementwise/rescaling.ts";
import { ends } from "../elementwise/unary.ts";
import { within } from "../product/weights.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly quantize: { readonly rounding?: Rounding };
  }
}

/** The table of a change from one 8-bit type and scale to another. */
function tableOf(node: NodeView<"quantize">): Uint8Array {
  const x = inputOf(node, 0);
  const y = outputOf(node);
  if (node.attributes.rounding)
    return nearestTable(x.dtype as "int8", affineOf(x), y.dtype as "int8", affineOf(y), rangeOf(node));
  return rescaleTable(x.dtype as "int8", affineOf(x), y.dtype as "int8", affineOf(y));
}

/** What the output may hold. */
function rangeOf(node: NodeView<"quantize">): Range {
  const y = outputOf(node);
  return within(node, affineOf(y), RANGE[y.dtype as Quantized]);
}

/** x / scale in float32, rounded half away from zero or to even, plus the zero point; NaN becomes the least value. */
function fromFloats(node: NodeView<"quantize">): Uint8Array {
  const y = outputOf(node);
  const { scale, zeroPoint } = affineOf(y);
  const { lo, hi } = rangeOf(node);
  const round = node.attributes.rounding ? roundedToEven : roundHalfAway;
  const data = inputOf(node, 0).data as Uint8Array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from({ length: data.byteLength / 4 }, (_, i) => {
    const q = round(Math.fround(view.getFloat32(i * 4, true) / scale)) + zeroPoint;
    return Number.isNaN(q) ? lo : Math.min(Math.max(q, lo), hi);
  });
}

/** True where one byte becomes another. */
function isBytes(node: NodeView<"quantize">): boolean {
  return [inputOf(node, 0), outputOf(node)].every(({ dtype }) => dtype === "int8" || dtype === "uint8");
}

/**
 * float32 to a quantized type, or one quantized type to another. C1: one input, one output. C2: x float32, int8, uint8,
 * int16 or int32. C3: the output int8, uint8, int16 or int32. C4: one scale and zero point each, in a ratio that fits where no
 * table has all values. C5: onnxruntime's rounding of float32 or bytes alone.
 * Source: TFLite's reference_ops::AffineQuantize and Requantize.
 */
export const quantize: Operator<"quantize"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const from = requireDType(node, "C2", x, "float32", "int8", "uint8", "int16", "int32");
    const dtype = requireDType(node, "C3", y, "int8", "uint8", "int16", "int32");
    const { scale } = requireAffine(node, "C4", y);
    const isTable = node.attributes.rounding !== undefined && isBytes(node);
    if (from !== "float32" && !isTable) requireRatio(node, "C4", requireAffine(node, "C4", x).scale / scale);
    const rounds = from === "float32" || node.attributes.rounding === undefined || isBytes(node);
    constrain(node, "C5", rounds, () => ({ expected: "float32 or bytes", received: from }));
    return [{ dtype, shape: x.shape }];
  },
  fold(node) {
    const { dtype, data } = inputOf(node, 0);
    const bytes = outputOf(node).dtype === "int8" || outputOf(node).dtype === "uint8";
    if (dtype === "float32" && bytes) return [fromFloats(node)];
    if (!isBytes(node)) return undefined;
    return [looked(tableOf(node), data as Uint8Array)];
  },
  bytes: (node, [x]) => looked(tableOf(node), x as Uint8Array),
  inPlace: (node) => (isBytes(node) ? [0] : []),
  lower(node, to) {
    const [x, y] = ends(to);
    if (isBytes(node)) lowerLookup(to, tableOf(node), "requantize");
    else if (x.dtype !== "float32")
      callRescale(node, to, { up: quantizeMultiplier(affineOf(x).scale / affineOf(y).scale) });
    else
      to.call({
        kernel: y.dtype === "int8" || y.dtype === "uint8" ? "quantize" : "quantizeWide",
        params: {
          x: x.address,
          y: y.address,
          count: elementCount(x.shape),
          ...affineOf(y),
          ...rangeOf(node),
          even: node.attributes.rounding ? 1 : 0,
        },
        note: node.attributes.rounding ? "onnx" : "",
      });
  },
};
