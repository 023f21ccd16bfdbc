/** ADD and SUB: sums whose second operand has a sign. */
import { rescale } from "../../primitives/requantize/fixedpoint.ts";
import {
  type Affine,
  activationRange,
  type Multiplier,
  quantizeMultiplier,
} from "../../primitives/requantize/quantization.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf, lowerSum } from "./elementwise.ts";
import { lowerNearestSum, nearestSum } from "./nearest.ts";
import { callSumInt16, requireSum, sumFactors } from "./quantizedPairs.ts";

/**
 * C1–C5: see `arithmetic`. C6: of ADD, an output scale that is not 2^19 (int16: 2^14) times smaller than the larger input
 * scale. Of int8 it is the kernel `add`, of SUB with a negative multiplier of b.
 */
export function summing<K extends "add" | "sub">(kind: K): Operator<K> {
  return arithmetic<K>({
    real: kind,
    whole: kind,
    raw: ["int16", "int32", "int64"],
    scaled: {
      types: ["int8", "int16"],
      check: (node) => node.attributes.rounding === undefined && requireSum(node, kind),
      each: (node) => (node.attributes.rounding ? nearestSum(node, signOf(kind)) : sum(node, kind)),
      lower: (node, to) => lowerScaled(node, to, kind),
    },
  });
}

const signOf = (kind: "add" | "sub") => (kind === "add" ? 1 : -1);

/** The sum of two numbers as the reference rounds it, with the clamp. */
function sum<K extends "add" | "sub">(node: NodeView<K>, kind: K): (a: number, b: number) => number {
  const factors = sumFactors(node, kind);
  const [u, v, w] = [factors.a, factors.b, factors.y].map(quantizeMultiplier) as [Multiplier, Multiplier, Multiplier];
  const [p, q, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)].map(affineOf) as [Affine, Affine, Affine];
  const { lo, hi } = activationRange(node.attributes.activation, "int8", y);
  const scaled = (x: number, { multiplier, shift }: Multiplier) => rescale(x * 2 ** 20, multiplier, shift);
  return (a, b) => {
    const total = scaled(a - p.zeroPoint, u) + signOf(kind) * scaled(b - q.zeroPoint, v);
    return Math.min(Math.max(rescale(total, w.multiplier, w.shift) + y.zeroPoint, lo), hi);
  };
}

function lowerScaled<K extends "add" | "sub">(node: NodeView<K>, to: Lowering, kind: K): void {
  const sign = signOf(kind);
  if (node.attributes.rounding) lowerNearestSum(node, to, sign);
  else if (inputOf(node, 0).dtype === "int16") callSumInt16(node, to, kind);
  else lowerSum(node, to, sumFactors(node, kind), sign);
}
