import type { KernelCall } from "../kernels/registry.ts";
import { blocking, packPanels } from "../kernels/gemm.ts";
import { placeWindow, type Window } from "../kernels/window.ts";
import { constrain, type Constrained, inputOf, outputOf, requireInputs } from "./constraints.ts";
import type { Lowering, NodeView, Operator } from "./types.ts";
import { inputZeroPoint, int8, outputOfNode, placeRecords, requireWeights } from "./weights.ts";

/**
 * Convolution of x `[N,H,W,C]` with weights `[O,kH,kW,C/groups]`, any kernel size, stride and dilation.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireWeights`. C5: four dimensions each, none empty.
 * C6: the input's channels are a multiple of the weights', and the outputs a multiple of the groups that makes.
 * C7: strides and dilations from 1 to 65535. C8: at least one output pixel. C9: rows of less than 2^31 products.
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
    const { h, w: width } = windows(node);
    constrain(node, "C8", h.out >= 1 && width.out >= 1, () => ({
      expected: "a kernel that fits the input",
      received: `[${w.shape.join(",")}] on [${x.shape.join(",")}]`,
    }));
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

type Node = NodeView<"conv2d">;

/** C5: four dimensions, none empty. */
export function requireImages(node: Constrained, ...shapes: readonly (readonly number[])[]): void {
  for (const shape of shapes)
    constrain(node, "C5", shape.length === 4 && shape.every((size) => size > 0), () => ({
      expected: "four dimensions, none of them 0",
      received: `[${shape.join(",")}]`,
    }));
}

/** C7: strides and dilations. */
export function requireSteps(node: NodeView<"conv2d" | "depthwiseConv2d">): void {
  const { stride, dilation } = node.attributes;
  const whole = [...stride, ...dilation].every((size) => Number.isInteger(size) && size >= 1 && size <= 65535);
  constrain(node, "C7", whole, () => ({
    expected: "strides and dilations from 1 to 65535",
    received: `stride ${stride.join("x")}, dilation ${dilation.join("x")}`,
  }));
}

/** Where the windows of a convolution stand, by height and width. */
export function windows(node: NodeView<"conv2d" | "depthwiseConv2d">): { readonly h: Window; readonly w: Window } {
  const [, height = 0, width = 0] = inputOf(node, 0).shape;
  const [, kH = 0, kW = 0] = inputOf(node, 1).shape;
  const { stride, dilation, padding } = node.attributes;
  return {
    h: placeWindow(height, kH, stride[0], dilation[0], padding, "height"),
    w: placeWindow(width, kW, stride[1], dilation[1], padding, "width"),
  };
}

/** One group as GEMM: in place where the patches are the pixels themselves, else by gathering them. */
function lowerGroup(node: Node, to: Lowering, group: number, n: number): void {
  const [batch = 0, inH = 0, inW = 0, xStride = 0] = inputOf(node, 0).shape;
  const [, kH = 0, kW = 0, inC = 0] = inputOf(node, 1).shape;
  const { h, w } = windows(node);
  const k = kH * kW * inC;
  const all = int8(inputOf(node, 1));
  const data = all.subarray(group * n * k, (group + 1) * n * k);
  const output = outputOfNode(node, node.attributes.activation);
  const weights = { data, channels: n, depth: k, channelStride: k, depthStride: 1 };
  const { q, forms } = placeRecords(node, to, weights, output, group * n);
  const m = batch * h.out * w.out;
  const { stride, dilation } = node.attributes;
  const plain = kH === 1 && kW === 1 && stride[0] === 1 && stride[1] === 1 && h.before + h.after + w.before + w.after === 0;
  const { mBlock, chunk, scratchBytes } = blocking(to.module, m, k, data, !plain);
  const gemm = {
    ...{ x: (to.inputs[0]?.address ?? 0) + group * inC, y: (to.outputs[0]?.address ?? 0) + group * n },
    ...{ w: to.place(packPanels(to.module, data, n, k)), q, ...to.scratch(scratchBytes) },
    ...{ m, n, k, xStride, yStride: outputOf(node).shape[3] ?? 0, mBlock, chunk },
    ...{ yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
  };
  const note = `${m}x${n}x${k}, requantize ${forms}`;
  const call: KernelCall = plain
    ? { kernel: "gemm", params: gemm, note: `gemm ${note}` }
    : {
        kernel: "conv2d",
        params: {
          ...gemm,
          ...{ inH, inW, inC, outH: h.out, outW: w.out, kH, kW, strideH: stride[0], strideW: stride[1] },
          ...{ dilationH: dilation[0], dilationW: dilation[1], padTop: h.before, padLeft: w.before },
          xZeroPoint: inputZeroPoint(node),
        },
        note: `im2col gemm ${note}`,
      };
  to.call(call);
}
