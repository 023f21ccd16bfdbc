import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { reals } from "./weights.ts";
import { lowerWide } from "./wide.ts";

/** FULLY_CONNECTED of 16-bit activations, of weights with a zero point, or of int4 weights: a convolution of one row. */
export function lowerFullyConnectedWide(node: NodeView<"fullyConnected">, to: Lowering): void {
  const weights = inputOf(node, 1);
  const [n = 0, k = 1] = weights.shape;
  const m = elementCount(outputOf(node).shape) / n;
  const patches = {
    ...{ inH: 1, inW: m, inC: k, outH: 1, outW: m, kH: 1, kW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 },
    ...{ padTop: 0, padLeft: 0, xZeroPoint: 0 },
  };
  const { activation } = node.attributes;
  lowerWide(node, to, {
    ...{ group: 0, groups: 1, m, n, k, xStride: k, yStride: n, activation, patches, reals: reals(node) },
    ...(weights.storedBits === 4 ? { rounding: 2 as const } : {}),
  });
}
