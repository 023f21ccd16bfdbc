/** ADD and SUB: sums whose second operand has a sign. */
import { inputOf } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { lowerSum } from "./elementwise.ts";
import { lowerNearestSum } from "./nearest.ts";
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
      lower: (node, to) => lowerScaled(node, to, kind),
    },
  });
}

function lowerScaled<K extends "add" | "sub">(node: NodeView<K>, to: Lowering, kind: K): void {
  const sign = kind === "add" ? 1 : -1;
  if (node.attributes.rounding) lowerNearestSum(node, to, sign);
  else if (inputOf(node, 0).dtype === "int16") callSumInt16(node, to, kind);
  else lowerSum(node, to, sumFactors(node, kind), sign);
}
