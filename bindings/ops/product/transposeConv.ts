import { dimensions, listText, sizeOf } from "../../tensor.ts";
import {
  type Constrained,
  constrain,
  inputOf,
  outputOf,
  requireConstant,
  requireInputs,
  requireKnown,
} from "../constraints.ts";
import { type ConvolutionAttributes, requireImages } from "../images.ts";
import type { Operator } from "../types.ts";
import { requireParameters } from "./productTypes.ts";
import { lowerTransposeConvF32 } from "./transposeConvF32.ts";
import { lowerTransposeConvWide } from "./transposeConvWide.ts";
import { asProduct, requirePhases } from "./transposed.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Output shape `[N,H,W,O]`, weights `[O,kH,kW,C]`, x `[N,h,w,C]`, bias `[O]` optional. */
    readonly transposeConv: Omit<ConvolutionAttributes, "dilation">;
  }
}

/**
 * Transposed convolution: each pixel of x `[N,h,w,C]` adds its product with the weights `[O,kH,kW,C]` to the output around
 * (y·strideH, x·strideW).
 *
 * C1: output shape, weights, x and optionally a bias, one output. C2–C4: see `requireParameters`. C5: four dimensions each,
 * none empty. C6: an output shape `[N,H,W,O]`, constant or as the model states it, with the input's N and the weights' O; x
 * and weights of the same channels. C7: strides from 1 to 65535, and at most 4096 pairs of them that the output meets.
 */
export const transposeConv: Operator<"transposeConv"> = {
  infer(node) {
    requireInputs(node, 3, 4);
    const product = asProduct(node);
    const [x, w] = [inputOf(product, 0), inputOf(product, 1)];
    const shape = shapeOf(node);
    requireImages(node, x.shape, w.shape, shape);
    constrain(
      node,
      "C6",
      shape[0] === x.shape[0] &&
        shape[3] === w.shape[0] &&
        w.shape[3] === x.shape[3] &&
        shape.every((size) => size > 0),
      () => ({
        expected: `an output shape [${x.shape[0]},H,W,${w.shape[0]}] and weights of ${x.shape[3]} input channels`,
        received: `${listText(shape)}, weights ${listText(w.shape)}`,
      }),
    );
    const [, h, width] = dimensions(shape, 4);
    const [sH, sW] = node.attributes.stride;
    requirePhases(node, [sH, sW], Math.min(sH, h) * Math.min(sW, width));
    requireKnown(node, "C3", w, "constant weights");
    return [{ dtype: requireParameters(product, sizeOf(w, 0), 0), shape }];
  },
  macs(node) {
    const [n, h, w, c] = dimensions(inputOf(node, 2).shape, 4);
    const [o, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
    return n * h * w * c * o * kH * kW;
  },
  lower(node, to) {
    if (inputOf(node, 2).dtype === "float32") lowerTransposeConvF32(node, to);
    else lowerTransposeConvWide(node, to);
  },
};

/** The output's shape; where it is computed, that which the model states for the output. */
function shapeOf(node: Constrained): readonly number[] {
  const shape = inputOf(node, 0);
  return shape.data === undefined ? outputOf(node).shape : requireConstant(node, "C6", shape);
}
