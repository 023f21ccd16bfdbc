import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import { patchSizes } from "../../../ops/images.ts";
import { patchesF32 } from "../../../ops/product/conv2dF32.ts";
import type { NodeView } from "../../../ops/types.ts";
import { convF32Params, gemmF32Params, type ProductF32 } from "../../../primitives/product/gemmF32.ts";
import { sizeOf } from "../../../tensor.ts";
import { finishForward, startBackward, startProduct } from "./finish.ts";
import { NO_SUMS } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";

/** y = clamp(patches of x · Wᵀ + bias), or normalized. dx = dy · W put back to the patches' places; dW = dyᵀ · patches. */
export const conv2d: Gradient<"conv2d"> = {
  weights: { input: 1, bias: 2, axis: 0 },
  forward(node, view, tape) {
    const { activation } = view.attributes;
    const g = convGeometry(view);
    const product = startProduct(node, activation, tape);
    const [x, w] = [tape.value(node.inputs[0] as TensorId), tape.weights(node).value];
    for (const { own, channels, outputs, weights } of groupsOf(view, g))
      convolve(tape, own, {
        ...product,
        x:
          channels === 0 && own.inC === g.inC ? x : columns(tape, g.batch * g.inH * g.inW, g.inC, x, own.inC, channels),
        w: w + weights,
        y: product.y + outputs,
        bias: product.bias && product.bias + outputs,
        yStride: g.outC * 4,
      });
    const m = g.batch * g.outH * g.outW;
    finishForward(node, activation, { rows: m, channels: g.outC }, tape);
  },
  backward(node, view, tape) {
    const g = convGeometry(view);
    const rows = g.batch * g.outH * g.outW;
    const dy = startBackward(node, view.attributes.activation, { rows, channels: g.outC }, tape);
    if (inputOf(view, 1).shape[3] === g.inC)
      return backwardProduct(node, g, dy, tape, ["convGradInputF32", "convGradWeightsF32"]);
    const { value: w, gradient } = tape.weights(node);
    const target = tape.give(node.inputs[0] as TensorId);
    const pixels = g.batch * g.inH * g.inW;
    for (const { own, channels, outputs, weights } of groupsOf(view, g)) {
      const part = columns(tape, rows, g.outC, dy, own.outC, outputs);
      const x = columns(tape, pixels, g.inC, tape.value(node.inputs[0] as TensorId), own.inC, channels);
      const params = { ...own, x, w: w + weights, dy: part, accumulate: 0 };
      const work = { macs: rows * own.outC * g.kH * g.kW * own.inC };
      tape.call({ kernel: "convGradWeightsF32", params: { ...params, d: gradient + weights } }, work);
      if (target === undefined) continue;
      const d = tape.temporary(pixels * own.inC);
      tape.call({ kernel: "convGradInputF32", params: { ...params, d } }, work);
      const size = { ...NO_SUMS, rows: pixels, bytes: own.inC * 4, xStride: own.inC * 4, yStride: g.inC * 4 };
      const to = { x: d, y: target.address + channels, accumulate: target.accumulate };
      tape.call({ kernel: "copyRowsF32", params: { ...size, ...to } }, { elements: pixels * own.inC });
    }
  },
};

/** The convolution of images by weights as they stand. */
export function convolve(
  tape: Tape,
  g: Geometry,
  operands: Pick<ProductF32, "x" | "w" | "y" | "bias" | "lo" | "hi" | "yStride">,
): void {
  const k = g.kH * g.kW * g.inC;
  const m = g.batch * g.outH * g.outW;
  const work = { macs: m * k * g.outC };
  const yStride = operands.yStride ?? g.outC * 4;
  const product = { ...operands, yStride, m, n: g.outC, k, wStep: 4, wColumn: k * 4 };
  const pixels = g.kH * g.kW === 1 && g.strideH * g.strideW === 1 && g.padTop === 0 && g.padLeft === 0;
  if (pixels && g.outH === g.inH && g.outW === g.inW) {
    const { params, scratchBytes } = gemmF32Params({ ...product, offsetsTable: tape.zeros });
    return tape.call({ kernel: "gemmF32", params }, work, scratchBytes);
  }
  const { params, scratchBytes } = convF32Params(
    { ...product, xStride: g.inC * 4 },
    patchesF32(g, operands.x, yStride / 4),
  );
  tape.call({ kernel: "convF32", params }, work, scratchBytes);
}

/** Sizes of the block `ConvGradF32`. */
export type Geometry = ReturnType<typeof convGeometry>;

export function convGeometry(view: NodeView<"conv2d" | "depthwiseConv2d">) {
  return { ...patchSizes(view), batch: sizeOf(inputOf(view, 0), 0), outC: sizeOf(outputOf(view), 3) };
}

/** A convolution's groups: the size of each, and where its channels, outputs and weights begin in bytes. */
function groupsOf(view: NodeView<"conv2d">, g: Geometry) {
  const inC = sizeOf(inputOf(view, 1), 3);
  const groups = g.inC / inC;
  const own = { ...g, inC, outC: g.outC / groups };
  return Array.from({ length: groups }, (_, i) => ({
    own,
    channels: i * inC * 4,
    outputs: i * own.outC * 4,
    weights: i * own.outC * g.kH * g.kW * inC * 4,
  }));
}

/** Some channels of all pixels, side by side. */
function columns(tape: Tape, rows: number, all: number, x: number, some: number, first: number): number {
  const y = tape.temporary(rows * some);
  const params = { ...NO_SUMS, rows, bytes: some * 4, xStride: all * 4, yStride: some * 4, accumulate: 0 };
  tape.call({ kernel: "copyRowsF32", params: { ...params, x: x + first, y } }, { elements: rows * some });
  return y;
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
