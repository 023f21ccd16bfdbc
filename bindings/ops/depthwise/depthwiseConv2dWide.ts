import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { reals } from "../product/weights.ts";
import { lowerDepthwiseWide } from "../product/wide.ts";
import type { Lowering, NodeView } from "../types.ts";

/** DEPTHWISE_CONV_2D of 16-bit activations, or of weights with a zero point. */
export function lowerDepthwiseConv2dWide(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const patches = geometry(node);
  const [batch = 0, , , c = 0] = inputOf(node, 0).shape;
  const [, , , n = 0] = inputOf(node, 1).shape;
  lowerDepthwiseWide(node, to, {
    ...{ group: 0, groups: 1, m: batch * patches.outH * patches.outW, n, k: patches.kH * patches.kW, xStride: c },
    ...{ yStride: n, reals: reals(node), activation: node.attributes.activation, patches },
  });
}
