import { placeWindow } from "../../primitives/window.ts";
import { dimensions, floatsOf, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { biasAt } from "./floats.ts";
import { lowerTransposed, MOST_PHASES } from "./transposedF32.ts";
import { requireFloats, requireVolumes } from "./volumes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Output shape `[N,D,H,W,O]`, weights `[kD,kH,kW,O,C]`, x `[N,d,h,w,C]`, bias `[O]` optional. */
    readonly conv3dTranspose: Attributes["conv3d"];
  }
}

/**
 * Transposed convolution of volumes, float32.
 *
 * C1: output shape, constant weights, x and optionally a bias, one output. C2–C3: see `requireFloats`. C4, C5: see
 * `requireVolumes`. C6: a constant output shape of the input's N and the weights' O; x and weights of the same channels. C7: no
 * dilation, and at most 4096 phases. Source: TFLite's reference_ops::Conv3DTranspose.
 */
export const conv3dTranspose: Operator<"conv3dTranspose"> = {
  infer(node) {
    requireInputs(node, 3, 4);
    const [w, x] = [inputOf(node, 1), inputOf(node, 2)];
    const shape = requireConstant(node, "C6", inputOf(node, 0));
    requireVolumes(node, x.shape, w.shape, shape);
    const o = w.shape[3] as number;
    requireFloats(node, node.inputs[3], o);
    const fits = shape[0] === x.shape[0] && shape[4] === o && w.shape[4] === x.shape[4];
    constrain(node, "C6", fits, () => ({
      expected: `an output shape [${x.shape[0]},D,H,W,${o}] and weights of ${x.shape[4]} input channels`,
      received: `${listText(shape)}, weights ${listText(w.shape)}`,
    }));
    const { stride, dilation } = node.attributes;
    const phases = stride.reduce((all, size, i) => all * Math.min(size, shape[i + 1] as number), 1);
    constrain(
      node,
      "C7",
      w.data !== undefined && phases <= MOST_PHASES && dilation.every((size) => size === 1),
      () => ({
        expected: `constant weights without dilation, and strides of at most ${MOST_PHASES} phases`,
        received: `stride ${stride.join("x")}, dilation ${dilation.join("x")}`,
      }),
      "UNSUPPORTED",
    );
    return [{ dtype: "float32", shape }];
  },
  macs: (node) => inputOf(node, 2).shape.reduce((all, size) => all * size, kernelSize(node)),
  lower(node, to) {
    const w = inputOf(node, 1);
    const [kD, kH, kW, outputs, channels] = dimensions(w.shape, 5);
    const [batch, inD, inH, inW] = dimensions(inputOf(node, 2).shape, 5);
    const [, outD, outH, outW] = dimensions(outputOf(node).shape, 5);
    const { stride, padding, activation } = node.attributes;
    const data = floatsOf(w);
    const before = (out: number, kernel: number, i: 0 | 1 | 2) =>
      placeWindow(out, kernel, stride[i], 1, padding, "height").before;
    lowerTransposed(to, {
      x: to.input(2),
      y: to.output(0),
      ...biasAt(to.inputs[3]),
      batch,
      channels,
      outputs,
      input: [inD, inH, inW],
      output: [outD, outH, outW],
      kernel: [kD, kH, kW],
      stride,
      activation,
      before: [before(outD, kD, 0), before(outH, kH, 1), before(outW, kW, 2)],
      weight: (o, z, y, x, c) => data[(((z * kH + y) * kW + x) * outputs + o) * channels + c] as number,
    });
  },
};

function kernelSize(node: NodeView<"conv3dTranspose">): number {
  const [kD, kH, kW, o] = dimensions(inputOf(node, 1).shape, 5);
  return kD * kH * kW * o;
}
