import { upright } from "../../primitives/product/narrow.ts";
import { dimensions } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import type { Lowering, NodeView } from "../types.ts";
import { reals } from "./weights.ts";
import { dense, lowerWide, weightsOf } from "./wide.ts";

/** CONV_2D of 16-bit activations, or of weights with a zero point, a step for each group. */
export function lowerConv2dWide(node: NodeView<"conv2d">, to: Lowering): void {
  const [batch, , , c] = dimensions(inputOf(node, 0).shape, 4);
  const [o, , , wc] = dimensions(inputOf(node, 1).shape, 4);
  const groups = c / wc;
  const n = o / groups;
  const own = { ...geometry(node), inC: wc };
  const rows = groups === 1 ? upright(own) : undefined;
  const patches = rows ?? own;
  const k = own.kH * own.kW * wc;
  for (let group = 0; group < groups; group++)
    lowerWide(node, to, {
      first: group * n,
      firstInput: group * wc,
      m: batch * patches.outH * patches.outW,
      n,
      xPixel: rows?.inC ?? c,
      y: dense(patches, o, group * n),
      w: weightsOf(node, to, group * n, n, k),
      reals: reals(node),
      activation: node.attributes.activation,
      patches,
    });
}
