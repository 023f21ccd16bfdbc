import { activationRange, quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { rescaleTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { callRescale } from "../elementwise/rescaling.ts";
import { unary } from "../elementwise/unary.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly relu0To1: Record<never, never>;
  }
}

/** The quantized 0 and 1: between those of RELU and of RELU_N1_TO_1. */
function rangeOf(node: NodeView<"relu0To1">, dtype: "int8" | "int16") {
  const y = affineOf(outputOf(node));
  return { lo: activationRange("relu", dtype, y).lo, hi: activationRange("reluN1To1", dtype, y).hi };
}

/** min(max(x, 0), 1), rescaled where there are scales. C1–C4: see `unary`. Source: TFLite's ReluX. */
export const relu0To1: Operator<"relu0To1"> = unary({
  int8(node) {
    const { lo, hi } = rangeOf(node, "int8");
    const table = rescaleTable("int8", affineOf(inputOf(node, 0)), "int8", affineOf(outputOf(node)));
    return table.map((byte) => Math.min(Math.max((byte << 24) >> 24, lo), hi));
  },
  int16(node, to) {
    const up = quantizeMultiplier(affineOf(inputOf(node, 0)).scale / affineOf(outputOf(node)).scale);
    callRescale(node, to, { up }, rangeOf(node, "int16"));
  },
  real: () => ({ form: "clamp", lo: 0, hi: 1 }),
});
