import type { Lowering, NodeView, Placed } from "../types.ts";
import { paddingOf } from "./transposed.ts";
import { lowerTransposedImages } from "./transposedF32.ts";

/** TRANSPOSE_CONV of float32; int8 and int4 weights meet images that are quantized with a zero point. */
export function lowerTransposeConvF32(node: NodeView<"transposeConv">, to: Lowering): void {
  const { stride, activation } = node.attributes;
  const [, w, x, bias] = to.inputs as readonly [unknown, Placed, Placed, Placed?];
  const [y] = to.outputs as readonly [Placed];
  lowerTransposedImages(to, { x, w, bias, y, stride, before: paddingOf(node), activation });
}
