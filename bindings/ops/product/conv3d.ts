import type { Activation } from "../../graph.ts";
import { type PatchesF32, packPanelsF32, type Size3 } from "../../primitives/product/gemmF32.ts";
import { turned } from "../../primitives/product/turn.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { placeWindow, type Window } from "../../primitives/window.ts";
import { dimensions, elementCount, floatsOf, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireInputs } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { biasAt, callConv } from "./floats.ts";
import { requireFloats, requireVolumes } from "./volumes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[N,D,H,W,C]`, weights `[kD,kH,kW,C,O]`, bias `[O]` optional. Sizes are depth, height, width. */
    readonly conv3d: {
      readonly stride: Size3;
      readonly dilation: Size3;
      readonly padding: "same" | "valid";
      readonly activation: Activation;
    };
  }
}

/** Where the windows stand, by dimension; depth pads as height does. */
function windowsOf(node: NodeView<"conv3d">): readonly [Window, Window, Window] {
  const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
  const { stride, dilation, padding } = node.attributes;
  const at = (i: 0 | 1 | 2) =>
    placeWindow(sizeOf(x, i + 1), sizeOf(w, i), stride[i], dilation[i], padding, i === 2 ? "width" : "height");
  return [at(0), at(1), at(2)];
}

/**
 * Convolution of volumes x `[N,D,H,W,C]` with weights `[kD,kH,kW,C,O]`, float32.
 *
 * C1: x, weights and optionally a bias, one output. C2–C3: see `requireFloats`. C4, C5: see `requireVolumes`. C6: x and
 * weights of the same channels. C7: at least one output. Source: TFLite's reference_ops::Conv3D.
 */
export const conv3d: Operator<"conv3d"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
    requireVolumes(node, x.shape, w.shape);
    const o = w.shape[4] as number;
    requireFloats(node, node.inputs[2], o);
    constrain(node, "C6", x.shape[4] === w.shape[3], () => ({
      expected: `weights [kD,kH,kW,${x.shape[4]},O]`,
      received: listText(w.shape),
    }));
    const out = windowsOf(node).map((window) => window.out);
    constrain(
      node,
      "C7",
      out.every((size) => size >= 1),
      () => ({
        expected: "a kernel that fits the input",
        received: `${listText(w.shape)} on ${listText(x.shape)}`,
      }),
    );
    return [{ dtype: "float32", shape: [x.shape[0] as number, ...out, o] }];
  },
  macs: (node) => elementCount(outputOf(node).shape) * elementCount(inputOf(node, 1).shape.slice(0, 4)),
  lower: lowerConv3d,
};

function lowerConv3d(node: NodeView<"conv3d">, to: Lowering): void {
  const weights = inputOf(node, 1);
  const [kD, kH, kW, channels, n] = dimensions(weights.shape, 5);
  const [batch, inD, inH, inW] = dimensions(inputOf(node, 0).shape, 5);
  const { stride, dilation, activation } = node.attributes;
  const [d, h, w] = windowsOf(node);
  const k = kD * kH * kW * channels;
  const m = batch * d.out * h.out * w.out;
  const line = w.out * n * 4;
  const images = to.input(0);
  const [lo, hi] = BOUNDS[activation];
  const own =
    weights.data === undefined
      ? { w: to.input(1), wStep: n * 4, wColumn: 4 }
      : { w: to.place(packPanelsF32(turned(floatsOf(weights), k, n), n, k)) };
  const product = { x: images, y: to.output(0), ...own, ...biasAt(to.inputs[2]), m, n, k, lo, hi };
  const patches: PatchesF32 = {
    input: [inD, inH, inW],
    channels,
    output: [d.out, h.out, w.out],
    kernel: [kD, kH, kW],
    stride,
    dilation,
    before: [d.before, h.before, w.before],
    yBatch: d.out * h.out * line,
    yPlane: h.out * line,
    yLine: line,
    images,
  };
  callConv(to, "convF32", { ...product, xStride: channels * 4 }, patches, `im2col gemmF32 ${m}x${n}x${k}`);
}
