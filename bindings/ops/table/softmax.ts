import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { interpolatedTable } from "../../primitives/table/interpolated.ts";
import { softmaxTable } from "../../primitives/table/tables.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import {
  type Constrained,
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDimensions,
  requireDType,
  requireInputs,
  requireSymmetric,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { NodeView, Operator } from "../types.ts";
import { rowsOf } from "./rows.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** `tables`: what numbers those of int16 are computed in; float32 where absent. */
    readonly softmax: { readonly beta: number; readonly tables?: "float64" };
  }
}

/** A fixed quantization of an output; scales may differ by a thousandth. */
function requireFixed(node: Constrained, number: string, tensor: Tensor, scale: number, zeroPoint: number): void {
  const own = requireAffine(node, number, tensor);
  const fits = Math.abs(own.scale - scale) <= scale / 1000 && own.zeroPoint === zeroPoint;
  constrain(node, number, fits, () => ({
    expected: `an output with scale ${scale} and zero point ${zeroPoint}`,
    received: `scale ${own.scale}, zero point ${own.zeroPoint}`,
  }));
}

function requireBeta(node: NodeView<"softmax">): void {
  const { beta } = node.attributes;
  constrain(node, "C7", beta >= 0 && Number.isFinite(beta), () => ({
    expected: "beta from 0 on",
    received: String(beta),
  }));
}

/**
 * Softmax over the last dimension. C1: one input, one output. C2: int8 to int8 or int16, int16 to int16, or
 * float32. C3: quantized x with one scale and zero point, 0 of int16. C5: at least one dimension. C6: an output of scale
 * 1/256 and zero point −128, of int8 to int16 1/65536 and −32768, of int16 1/32768 and 0. C7: beta from 0 on. Source:
 * TFLite's reference_ops::Softmax and SoftmaxInt16.
 */
export const softmax: Operator<"softmax"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const from = requireDType(node, "C2", x, "int8", "int16", "float32");
    const dtype = from === "int8" ? requireDType(node, "C2", y, "int8", "int16") : requireDType(node, "C2", y, from);
    if (from !== "float32") {
      requireAffine(node, "C3", x);
      requireSymmetric(node, "C3", x);
    }
    requireDimensions(node, "C5", x);
    if (from === "int16") requireFixed(node, "C6", y, 2 ** -15, 0);
    else if (dtype === "int16") requireFixed(node, "C6", y, 2 ** -16, -32768);
    else if (dtype === "int8") requireFixed(node, "C6", y, 2 ** -8, -128);
    requireBeta(node);
    return [{ dtype, shape: x.shape }];
  },
  inPlace: (node) => (inputOf(node, 0).dtype === outputOf(node).dtype ? [0] : []),
  lower(node, to) {
    const x = inputOf(node, 0);
    if (elementCount(x.shape) === 0) return;
    const rows = rowsOf(to);
    if (x.dtype === "float32") {
      to.call({ kernel: "softmaxF32", params: { ...rows, beta: node.attributes.beta } });
      return;
    }
    if (x.dtype === "int16") {
      const { beta, tables } = node.attributes;
      const real = (affineOf(x).scale * Math.fround(beta)) / (10 / 65535);
      const rounded = tables === "float64" ? Number : Math.fround;
      const reciprocal = (a: number) => 1 / rounded(1 + a);
      to.call({
        kernel: "softmaxS16",
        params: {
          ...rows,
          expTable: to.place(bytesOf(interpolatedTable(Math.exp, [-10, 0], [-1, 1], rounded))),
          reciprocalTable: to.place(bytesOf(interpolatedTable(reciprocal, [0, 1], [-1, 1], rounded))),
          ...quantizeMultiplier(real),
        },
      });
      return;
    }
    const expTable = to.place(bytesOf(softmaxTable(affineOf(x), node.attributes.beta)));
    const kernel = outputOf(node).dtype === "int16" ? "softmaxS8S16" : "softmax";
    to.call({ kernel, params: { ...rows, expTable } });
  },
};

function bytesOf(table: Int16Array | Int32Array): Uint8Array {
  return new Uint8Array(table.buffer);
}
