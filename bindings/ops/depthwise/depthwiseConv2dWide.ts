import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { reals } from "../product/weights.ts";
import { centred, dense, lowerDepthwiseWide, lowerWide } from "../product/wide.ts";
import type { Lowering, NodeView } from "../types.ts";

/** DEPTHWISE_CONV_2D of 16-bit activations, or of weights with a zero point. One input
 * channel makes an ordinary one. */
export function lowerDepthwiseConv2dWide(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const patches = geometry(node);
  const [batch = 0] = inputOf(node, 0).shape;
  const [, , , n = 0] = inputOf(node, 1).shape;
  const shared = { n, patches, reals: reals(node), activation: node.attributes.activation };
  if (patches.inC > 1 || inputOf(node, 1).data === undefined) return lowerDepthwiseWide(node, to, { ...shared, batch });
  lowerWide(node, to, {
    ...shared,
    ...{ first: 0, firstInput: 0, m: batch * patches.outH * patches.outW, xPixel: 1, y: dense(patches, n) },
    w: centred(node, 0, n, patches.kH * patches.kW, "columns"),
  });
}
