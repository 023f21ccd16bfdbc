/** What the two convolutions check and compute alike about their images and windows. */

import type { Activation, Padding, Rounding } from "../graph.ts";
import type { Patches, PatchSizes } from "../primitives/params.ts";
import { placeWindow, type Window } from "../primitives/window.ts";
import { dimensions, listText } from "../tensor.ts";
import { areWhole, type Constrained, constrain, inputOf } from "./constraints.ts";
import { inputZeroPoint } from "./product/weights.ts";
import type { NodeView } from "./types.ts";

/** What a convolution does with its windows, besides its weights; pairs are of rows and columns. */
export interface ConvolutionAttributes {
  /** From one window to the next. */
  readonly stride: readonly [number, number];
  /** From one place of a window to the next. */
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
  readonly activation: Activation;
  /** TensorFlow Lite's when absent. */
  readonly rounding?: Rounding;
}

/** C5: four dimensions, none empty. */
export function requireImages(node: Constrained, ...shapes: readonly (readonly number[])[]): void {
  for (const shape of shapes)
    constrain(node, "C5", shape.length === 4 && shape.every((size) => size > 0), () => ({
      expected: "four dimensions, none of them 0",
      received: listText(shape),
    }));
}

/**
 * The largest stride, dilation and padding on one side of images that are no larger themselves: beyond an image, kernels would lay
 * out columns by distance instead of work.
 */
const MAX_STEP = 1024;
const MAX_PADDING = 4096;

/** C7: strides, dilations, and paddings where they are explicit. */
export function requireSteps(node: NodeView<"conv2d" | "depthwiseConv2d">): void {
  const { stride, dilation, padding } = node.attributes;
  const [, height, width] = dimensions(inputOf(node, 0).shape, 4);
  const sides = (axis: 0 | 1) => [stride[axis], dilation[axis]];
  const fit = areWhole(sides(0), 1, Math.max(MAX_STEP, height)) && areWhole(sides(1), 1, Math.max(MAX_STEP, width));
  constrain(node, "C7", fit, () => ({
    expected: `strides and dilations from 1 to ${MAX_STEP}, or to the image's size`,
    received: `stride ${stride.join("x")}, dilation ${dilation.join("x")}`,
  }));
  if (typeof padding === "string") return;
  const { top, bottom, left, right } = padding;
  const fits =
    areWhole([top, bottom], 0, Math.max(MAX_PADDING, height)) &&
    areWhole([left, right], 0, Math.max(MAX_PADDING, width));
  constrain(node, "C7", fits, () => ({
    expected: `paddings from 0 to ${MAX_PADDING}, or to the image's size`,
    received: [top, bottom, left, right].join(", "),
  }));
}

/** Where the windows of a convolution stand, by height and width. */
export function windows(node: NodeView<"conv2d" | "depthwiseConv2d">): { readonly h: Window; readonly w: Window } {
  const [, height, width] = dimensions(inputOf(node, 0).shape, 4);
  const [, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
  const { stride, dilation, padding } = node.attributes;
  return {
    h: placeWindow(height, kH, stride[0], dilation[0], padding, "height"),
    w: placeWindow(width, kW, stride[1], dilation[1], padding, "width"),
  };
}

/** C8: at least one output pixel. Returns where the windows stand. */
export function requireOutput(node: NodeView<"conv2d" | "depthwiseConv2d">): ReturnType<typeof windows> {
  const at = windows(node);
  constrain(node, "C8", at.h.out >= 1 && at.w.out >= 1, () => ({
    expected: "a kernel that fits the input",
    received: `${listText(inputOf(node, 1).shape)} on ${listText(inputOf(node, 0).shape)}`,
  }));
  return at;
}

/** Where a convolution's windows stand, as parameter blocks state it. */
export function patchSizes(node: NodeView<"conv2d" | "depthwiseConv2d">): PatchSizes {
  const [, inH, inW, inC] = dimensions(inputOf(node, 0).shape, 4);
  const [, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
  const { h, w } = windows(node);
  const { stride, dilation } = node.attributes;
  return {
    inH,
    inW,
    inC,
    outH: h.out,
    outW: w.out,
    kH,
    kW,
    strideH: stride[0],
    strideW: stride[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    padTop: h.before,
    padLeft: w.before,
  };
}

/** That, and the input's zero point. */
export function geometry(node: NodeView<"conv2d" | "depthwiseConv2d">): Patches {
  return { ...patchSizes(node), xZeroPoint: inputZeroPoint(node) };
}
