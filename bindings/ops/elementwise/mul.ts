import type { Activation, Rounding } from "../../graph.ts";
import { rescale } from "../../primitives/requantize/fixedpoint.ts";
import {
  type Affine,
  activationRange,
  type Multiplier,
  quantizeMultiplier,
} from "../../primitives/requantize/quantization.ts";
import { proveSigned } from "../../primitives/requantize/requantizeProof.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf, binaryParams, NO_FORM } from "./elementwise.ts";
import { lowerNearestProduct, nearestProduct } from "./nearest.ts";
import { callQuantizedPairs } from "./quantizedPairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly mul: {
      readonly activation: Activation;
      readonly rounding?: Rounding;
      /** What products are multiplied with, where it is not the scales' own in double. */
      readonly factor?: number;
    };
  }
}

function factor(node: NodeView<"mul">): number {
  const [a, b, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)];
  return node.attributes.factor ?? (affineOf(a).scale * affineOf(b).scale) / affineOf(y).scale;
}

/** The vector modules' float form, where it equals the reference on every product of two differences. */
function floatForm(node: NodeView<"mul">, to: Lowering, y: Multiplier) {
  if (to.module === "scalar") return undefined;
  const { lo, hi } = activationRange(node.attributes.activation, "int8", affineOf(outputOf(node)));
  const { zeroPoint } = affineOf(outputOf(node));
  const [a, b] = [affineOf(inputOf(node, 0)).zeroPoint, affineOf(inputOf(node, 1)).zeroPoint];
  const products = [-128, 127].flatMap((p) => [-128, 127].map((q) => (p - a) * (q - b)));
  const step = { ...y, min: Math.min(...products), max: Math.max(...products) };
  const proven = proveSigned(step, { lo, hi, zeroPoint });
  return proven && { form: 1, scale: proven[0], half: proven[1] };
}

/** The product of two numbers, with the clamp. */
function product(node: NodeView<"mul">): (a: number, b: number) => number {
  const { multiplier, shift } = quantizeMultiplier(factor(node));
  const [p, q, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)].map(affineOf) as [Affine, Affine, Affine];
  const { lo, hi } = activationRange(node.attributes.activation, "int8", y);
  return (a, b) => {
    const value = rescale((a - p.zeroPoint) * (b - q.zeroPoint), multiplier, shift) + y.zeroPoint;
    return Math.min(Math.max(value, lo), hi);
  };
}

/**
 * a · b with broadcasting. C1–C5: see `arithmetic`. C6: a ratio of scales that fits. Source: TFLite's
 * reference_integer_ops::Mul.
 */
export const mul: Operator<"mul"> = arithmetic({
  real: "mul",
  whole: "mul",
  raw: ["int16", "int32", "uint32", "int64"],
  scaled: {
    types: ["int8", "int16"],
    check: (node) => requireRatio(node, "C6", factor(node)),
    each: (node) => (node.attributes.rounding ? nearestProduct(node) : product(node)),
    lower(node, to) {
      if (node.attributes.rounding) return lowerNearestProduct(node, to);
      const y = quantizeMultiplier(factor(node));
      if (inputOf(node, 0).dtype === "int16") {
        callQuantizedPairs(node, to, "mul", { y }, node.attributes.activation);
        return;
      }
      to.call({
        kernel: "mul",
        params: {
          ...binaryParams(node, to),
          aMultiplier: 0,
          aShift: 0,
          bMultiplier: 0,
          bShift: 0,
          yMultiplier: y.multiplier,
          yShift: y.shift,
          ...NO_FORM,
          ...floatForm(node, to, y),
        },
      });
    },
  },
});
