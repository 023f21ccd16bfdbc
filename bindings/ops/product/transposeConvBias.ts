import { placeWindow } from "../../primitives/window.ts";
import { dimensions, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs, requireKnown } from "../constraints.ts";
import { requireImages } from "../images.ts";
import type { NodeView, Operator, Placed } from "../types.ts";
import { requirePhases } from "./transposed.ts";
import { lowerTransposedImages } from "./transposedF32.ts";
import { requireFloats } from "./volumes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[N,h,w,C]`, weights `[O,kH,kW,C]`, bias `[O]`. */
    readonly transposeConvBias: {
      readonly stride: readonly [number, number];
      readonly padding: "same" | "valid";
    };
  }
}

/**
 * MediaPipe's Convolution2DTransposeBias, float32: a transposed convolution whose output is the input's size times the stride,
 * or of valid padding as large as the outermost windows reach.
 *
 * C1: x, constant weights and a bias, one output. C2–C3: see `requireFloats`. C5: four dimensions each, none empty. C6: x and
 * weights of the same channels. C7: strides from 1 to 65535, and at most 4096 phases.
 */
export const transposeConvBias: Operator<"transposeConvBias"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
    requireImages(node, x.shape, w.shape);
    requireFloats(node, node.inputs[2], w.shape[0] as number);
    constrain(node, "C6", x.shape[3] === w.shape[3], () => ({
      expected: `weights of ${x.shape[3]} input channels`,
      received: listText(w.shape),
    }));
    const { stride } = node.attributes;
    requirePhases(node, stride, stride[0] * stride[1]);
    requireKnown(node, "C1", w, "constant weights");
    requireDType(node, "C2", outputOf(node), "float32");
    return [{ dtype: "float32", shape: [x.shape[0] as number, ...sizes(node), w.shape[0] as number] }];
  },
  macs(node) {
    const [o, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
    return inputOf(node, 0).shape.reduce((all, size) => all * size, o * kH * kW);
  },
  lower(node, to) {
    const [, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
    const [outH, outW] = sizes(node);
    const { stride, padding } = node.attributes;
    const top = placeWindow(outH, kH, stride[0], 1, padding, "height").before;
    const left = placeWindow(outW, kW, stride[1], 1, padding, "width").before;
    const [x, w, bias] = to.inputs as readonly [Placed, Placed, Placed?];
    const [y] = to.outputs as readonly [Placed];
    lowerTransposedImages(to, { x, w, bias, y, stride, before: [top, left], activation: "none" });
  },
};

/** Height and width of the output. */
function sizes(node: NodeView<"transposeConvBias">): readonly [number, number] {
  const [, h, w] = dimensions(inputOf(node, 0).shape, 4);
  const [, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
  const { stride, padding } = node.attributes;
  if (padding === "same") return [h * stride[0], w * stride[1]];
  return [(h - 1) * stride[0] + kH, (w - 1) * stride[1] + kW];
}
