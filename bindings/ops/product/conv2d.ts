import type { Activation, Padding } from "../../graph.ts";
import { constrain, inputOf, outputOf, requireInputs } from "../constraints.ts";
import { geometry, requireImages, requireOutput, requireSteps, windows } from "../images.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { lowerProduct } from "./product.ts";
import { int8, outputOfNode, requireWeights } from "./weights.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[N,H,W,C]`, weights `[O,kH,kW,C/groups]` (OHWI), bias `[O]` optional. */
    readonly conv2d: {
      readonly stride: readonly [number, number];
      readonly dilation: readonly [number, number];
      readonly padding: Padding;
      readonly activation: Activation;
    };
  }
}

/**
 * Convolution of x `[N,H,W,C]` with weights `[O,kH,kW,C/groups]`, any kernel size, stride and dilation.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireWeights`. C5: four dimensions each, none empty.
 * C6: the input's channels are a multiple of the weights', and the outputs a multiple of the groups that makes.
 * C7: strides and dilations from 1 to 65535. C8: at least one output pixel.
 */
export const conv2d: Operator<"conv2d"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    requireImages(node, x.shape, w.shape);
    const [n = 0, , , c = 0] = x.shape;
    const [o = 0, , , wc = 0] = w.shape;
    constrain(node, "C6", c % wc === 0 && o % (c / wc) === 0, () => ({
      expected: "input channels in whole groups of the weights' channels",
      received: `${c} input channels, weights [${w.shape.join(",")}]`,
    }));
    requireWeights(node, o, 0);
    requireSteps(node);
    const { h, w: width } = requireOutput(node);
    return [{ dtype: "int8", shape: [n, h.out, width.out, o] }];
  },
  macs(node) {
    const [, kH = 0, kW = 0, c = 0] = inputOf(node, 1).shape;
    const { h, w } = windows(node);
    const [o = 0] = inputOf(node, 1).shape;
    return (inputOf(node, 0).shape[0] ?? 0) * h.out * w.out * o * kH * kW * c;
  },
  lower(node, to) {
    const [, , , c = 0] = inputOf(node, 0).shape;
    const [o = 0, , , wc = 0] = inputOf(node, 1).shape;
    const groups = c / wc;
    for (let group = 0; group < groups; group++) lowerGroup(node, to, group, o / groups);
  },
};

/** One group as GEMM: in place where the patches are the pixels themselves, else by gathering them. */
function lowerGroup(node: NodeView<"conv2d">, to: Lowering, group: number, n: number): void {
  const [batch = 0, , , xStride = 0] = inputOf(node, 0).shape;
  const [, kH = 0, kW = 0, inC = 0] = inputOf(node, 1).shape;
  const { h, w } = windows(node);
  const k = kH * kW * inC;
  const { stride } = node.attributes;
  const padded = h.before + h.after + w.before + w.after > 0;
  const pixels = kH === 1 && kW === 1 && stride[0] === 1 && stride[1] === 1 && !padded;
  lowerProduct(node, to, {
    ...{ x: (to.inputs[0]?.address ?? 0) + group * inC, y: (to.outputs[0]?.address ?? 0) + group * n },
    ...{ m: batch * h.out * w.out, n, k, xStride, yStride: outputOf(node).shape[3] ?? 0 },
    data: int8(inputOf(node, 1)).subarray(group * n * k, (group + 1) * n * k),
    output: outputOfNode(node, node.attributes.activation),
    first: group * n,
    ...(pixels ? {} : { patches: { ...geometry(node), inC } }),
  });
}
