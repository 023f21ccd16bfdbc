import { ensure } from "../../../errors.ts";
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import { patchSizes } from "../../../ops/images.ts";
import type { NodeView } from "../../../ops/types.ts";
import { convF32Params, gemmF32Params, type ProductF32 } from "../../../primitives/product/gemmF32.ts";
import { sizeOf } from "../../../tensor.ts";
import { finishForward, startBackward, startProduct } from "./finish.ts";
import type { Gradient, Tape } from "./types.ts";

/** y = clamp(patches of x · Wᵀ + bias), or normalized. dx = dy · W put back to the patches' places; dW = dyᵀ · patches. */
export const conv2d: Gradient<"conv2d"> = {
  weights: { input: 1, bias: 2, axis: 0 },
  forward(node, view, tape) {
    const { activation } = view.attributes;
    const g = convGeometry(view);
    ensure(inputOf(view, 1).shape[3] === g.inC, "UNSUPPORTED", () => ({
      where: node.where,
      expected: "a convolution of one group to train",
      received: `${g.inC} channels in groups of ${inputOf(view, 1).shape[3]}`,
    }));
    const x = tape.value(node.inputs[0] as TensorId);
    convolve(tape, g, { ...startProduct(node, activation, tape), x, w: tape.weights(node).value });
    const m = g.batch * g.outH * g.outW;
    finishForward(node, activation, { rows: m, channels: g.outC }, tape);
  },
  backward(node, view, tape) {
    const g = convGeometry(view);
    const rows = g.batch * g.outH * g.outW;
    const dy = startBackward(node, view.attributes.activation, { rows, channels: g.outC }, tape);
    backwardProduct(node, g, dy, tape, ["convGradInputF32", "convGradWeightsF32"]);
  },
};

/** The convolution of images by weights as they stand. */
export function convolve(
  tape: Tape,
  g: Geometry,
  operands: Pick<ProductF32, "x" | "w" | "y" | "bias" | "lo" | "hi">,
): void {
  const k = g.kH * g.kW * g.inC;
  const m = g.batch * g.outH * g.outW;
  const work = { macs: m * k * g.outC };
  const product = { ...operands, m, n: g.outC, k, wStep: 4, wColumn: k * 4 };
  const pixels = g.kH * g.kW === 1 && g.strideH * g.strideW === 1 && g.padTop === 0 && g.padLeft === 0;
  if (pixels && g.outH === g.inH && g.outW === g.inW) {
    const { params, scratchBytes } = gemmF32Params({ ...product, offsetsTable: tape.zeros });
    return tape.call({ kernel: "gemmF32", params }, work, scratchBytes);
  }
  const { params, scratchBytes } = convF32Params(
    { ...product, xStride: g.inC * 4, yStride: g.outC * 4 },
    {
      input: [1, g.inH, g.inW],
      channels: g.inC,
      output: [1, g.outH, g.outW],
      kernel: [1, g.kH, g.kW],
      stride: [1, g.strideH, g.strideW],
      dilation: [1, g.dilationH, g.dilationW],
      before: [0, g.padTop, g.padLeft],
      images: operands.x,
      yBatch: g.outH * g.outW * g.outC * 4,
      yPlane: 0,
      yLine: g.outW * g.outC * 4,
    },
  );
  tape.call({ kernel: "convF32", params }, work, scratchBytes);
}

/** Sizes of the block `ConvGradF32`. */
export type Geometry = ReturnType<typeof convGeometry>;

export function convGeometry(view: NodeView<"conv2d" | "depthwiseConv2d">) {
  return { ...patchSizes(view), batch: sizeOf(inputOf(view, 0), 0), outC: sizeOf(outputOf(view), 3) };
}

/** Gradients of the input, where somebody needs it, and of the weights. */
export function backwardProduct(
  node: Node,
  g: Geometry,
  dy: number,
  tape: Tape,
  [ofInput, ofWeights]:
    | readonly ["convGradInputF32", "convGradWeightsF32"]
    | readonly ["dwconvGradInputF32", "dwconvGradWeightsF32"],
): void {
  const channels = ofInput === "convGradInputF32" ? g.inC : 1;
  const macs = g.batch * g.outH * g.outW * g.outC * g.kH * g.kW * channels;
  const x = tape.value(node.inputs[0] as TensorId);
  const { value: w, gradient } = tape.weights(node);
  tape.call({ kernel: ofWeights, params: { ...g, x, w, dy, d: gradient, accumulate: 0 } }, { macs });
  const target = tape.give(node.inputs[0] as TensorId);
  if (target === undefined) return;
  tape.call(
    { kernel: ofInput, params: { ...g, x, w, dy, d: target.address, accumulate: target.accumulate } },
    { macs },
  );
}
