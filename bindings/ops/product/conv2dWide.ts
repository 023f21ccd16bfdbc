import { inputOf } from "../constraints.ts";
import { geometry, windows } from "../images.ts";
import type { Lowering, NodeView } from "../types.ts";
import { reals } from "./weights.ts";
import { lowerWide } from "./wide.ts";

/** CONV_2D of 16-bit activations, or of weights with a zero point, a step for each group. */
export function lowerConv2dWide(node: NodeView<"conv2d">, to: Lowering): void {
  const { h, w } = windows(node);
  const [batch = 0, , , c = 0] = inputOf(node, 0).shape;
  const [o = 0, , , wc = 0] = inputOf(node, 1).shape;
  const groups = c / wc;
  const patches = { ...geometry(node), inC: wc };
  for (let group = 0; group < groups; group++)
    lowerWide(node, to, {
      ...{ group, groups, m: batch * h.out * w.out, n: o / groups, k: patches.kH * patches.kW * wc, xStride: c },
      ...{ yStride: o, reals: reals(node), activation: node.attributes.activation, patches },
    });
}
