import { dimensions, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, requireInputs } from "../constraints.ts";
import { type ConvolutionAttributes, requireImages, requireOutput, requireSteps, windows } from "../images.ts";
import { lowerProductBy, productType, requireParameters } from "../product/productTypes.ts";
import type { Operator } from "../types.ts";
import { lowerDepthwiseConv2dQs8 } from "./depthwiseConv2dQs8.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[N,H,W,C]`, weights `[1,kH,kW,C·multiplier]`, bias optional. */
    readonly depthwiseConv2d: ConvolutionAttributes;
  }
}

/**
 * Depthwise convolution of x `[N,H,W,C]` with weights `[1,kH,kW,C·multiplier]`.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireParameters`. C5: four dimensions each, none empty.
 * C6: weights `[1,…]` with a multiple of the input's channels. C7: see `requireSteps`. C8: at least
 * one output pixel.
 */
export const depthwiseConv2d: Operator<"depthwiseConv2d"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    requireImages(node, x.shape, w.shape);
    const [n, , , c] = dimensions(x.shape, 4);
    const [one, , , channels] = dimensions(w.shape, 4);
    constrain(node, "C6", one === 1 && channels % c === 0, () => ({
      expected: `weights [1,kH,kW,C] with C a multiple of ${c}`,
      received: listText(w.shape),
    }));
    requireSteps(node);
    const { h, w: width } = requireOutput(node);
    return [{ dtype: requireParameters(node, channels, 3), shape: [n, h.out, width.out, channels] }];
  },
  macs(node) {
    const [, kH, kW, channels] = dimensions(inputOf(node, 1).shape, 4);
    const { h, w } = windows(node);
    return sizeOf(inputOf(node, 0), 0) * h.out * w.out * kH * kW * channels;
  },
  lower(node, to) {
    lowerProductBy("depthwiseConv2d", productType(node), lowerDepthwiseConv2dQs8, node, to);
  },
};
