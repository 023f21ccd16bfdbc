import { dimensions, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, requireInputs } from "../constraints.ts";
import { type ConvolutionAttributes, requireImages, requireOutput, requireSteps, windows } from "../images.ts";
import type { Operator } from "../types.ts";
import { lowerConv2dQs8 } from "./conv2dQs8.ts";
import { lowerProductBy, productType, requireParameters } from "./productTypes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[N,H,W,C]`, weights `[O,kH,kW,C/groups]` (OHWI), bias `[O]` optional. */
    readonly conv2d: ConvolutionAttributes;
  }
}

/** Each group is a product of its own. */
const MAX_GROUPS = 4096;

/**
 * Convolution of x `[N,H,W,C]` with weights `[O,kH,kW,C/groups]`, any kernel size, stride and dilation.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireParameters`. C5: four dimensions each, none empty.
 * C6: the input's channels are a multiple of the weights', and the outputs a multiple of the groups that makes.
 * C7: strides, dilations and paddings: see `requireSteps`. C8: at least one output pixel. C9: at most 4096 groups.
 */
export const conv2d: Operator<"conv2d"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    requireImages(node, x.shape, w.shape);
    const [n, , , c] = dimensions(x.shape, 4);
    const [o, , , wc] = dimensions(w.shape, 4);
    constrain(node, "C6", c % wc === 0 && o % (c / wc) === 0, () => ({
      expected: "input channels in whole groups of the weights' channels",
      received: `${c} input channels, weights ${listText(w.shape)}`,
    }));
    constrain(node, "C9", c / wc <= MAX_GROUPS, () => ({
      expected: `at most ${MAX_GROUPS} groups`,
      received: `${c / wc}`,
    }));
    requireSteps(node);
    const { h, w: width } = requireOutput(node);
    return [{ dtype: requireParameters(node, o, 0), shape: [n, h.out, width.out, o] }];
  },
  macs(node) {
    const [o, kH, kW, c] = dimensions(inputOf(node, 1).shape, 4);
    const { h, w } = windows(node);
    return sizeOf(inputOf(node, 0), 0) * h.out * w.out * o * kH * kW * c;
  },
  lower(node, to) {
    lowerProductBy("conv2d", productType(node), lowerConv2dQs8, node, to);
  },
};
