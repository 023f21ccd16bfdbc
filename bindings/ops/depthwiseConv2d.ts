import { dwLayout, packDepthwise } from "../kernels/dwconv.ts";
import { blocking, packPanels } from "../kernels/gemm.ts";
import { requireImages, requireSteps, windows } from "./conv2d.ts";
import { constrain, inputOf, requireInputs } from "./constraints.ts";
import type { Lowering, NodeView, Operator } from "./types.ts";
import { inputZeroPoint, int8, outputOfNode, placeRecords, requireWeights } from "./weights.ts";

/**
 * Depthwise convolution of x `[N,H,W,C]` with weights `[1,kH,kW,C·multiplier]`.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireWeights`. C5: four dimensions each, none empty.
 * C6: weights `[1,…]` with a multiple of the input's channels. C7: strides and dilations from 1 to 65535. C8: at least
 * one output pixel.
 */
export const depthwiseConv2d: Operator<"depthwiseConv2d"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    requireImages(node, x.shape, w.shape);
    const [n = 0, , , c = 0] = x.shape;
    const [one = 0, , , channels = 0] = w.shape;
    constrain(node, "C6", one === 1 && channels % c === 0, () => ({
      expected: `weights [1,kH,kW,C] with C a multiple of ${c}`,
      received: `[${w.shape.join(",")}]`,
    }));
    requireWeights(node, channels, 3);
    requireSteps(node);
    const { h, w: width } = windows(node);
    constrain(node, "C8", h.out >= 1 && width.out >= 1, () => ({
      expected: "a kernel that fits the input",
      received: `[${w.shape.join(",")}] on [${x.shape.join(",")}]`,
    }));
    return [{ dtype: "int8", shape: [n, h.out, width.out, channels] }];
  },
  macs(node) {
    const [, kH = 0, kW = 0, channels = 0] = inputOf(node, 1).shape;
    const { h, w } = windows(node);
    return (inputOf(node, 0).shape[0] ?? 0) * h.out * w.out * kH * kW * channels;
  },
  lower(node, to) {
    if (inputOf(node, 0).shape[3] === 1) lowerAsConvolution(node, to);
    else lowerDepthwise(node, to);
  },
};

type Node = NodeView<"depthwiseConv2d">;

/** Everything about the shapes that a parameter block states. */
function geometry(node: Node) {
  const [batch = 0, inH = 0, inW = 0, inC = 0] = inputOf(node, 0).shape;
  const [, kH = 0, kW = 0, channels = 0] = inputOf(node, 1).shape;
  const { h, w } = windows(node);
  const { stride, dilation } = node.attributes;
  return {
    batch,
    channels,
    fields: {
      ...{ inH, inW, inC, outH: h.out, outW: w.out, kH, kW, strideH: stride[0], strideW: stride[1] },
      ...{ dilationH: dilation[0], dilationW: dilation[1], padTop: h.before, padLeft: w.before },
      xZeroPoint: inputZeroPoint(node),
    },
  };
}

/** One input channel: every output channel sees the same patches, which is an ordinary convolution. */
function lowerAsConvolution(node: Node, to: Lowering): void {
  const { batch, channels: n, fields } = geometry(node);
  const k = fields.kH * fields.kW;
  const m = batch * fields.outH * fields.outW;
  const source = int8(inputOf(node, 1));
  const data = new Int8Array(n * k);
  for (let i = 0; i < k; i++) for (let c = 0; c < n; c++) data[c * k + i] = source[i * n + c] as number;
  const output = outputOfNode(node, node.attributes.activation);
  const weights = { data, channels: n, depth: k, channelStride: k, depthStride: 1 };
  const { q, forms } = placeRecords(node, to, weights, output);
  const { mBlock, chunk, scratchBytes } = blocking(to.module, m, k, data, true);
  to.call({
    kernel: "conv2d",
    params: {
      ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, w: to.place(packPanels(to.module, data, n, k)), q },
      ...to.scratch(scratchBytes),
      ...{ m, n, k, xStride: 1, yStride: n, mBlock, chunk, yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
      ...fields,
    },
    note: `im2col gemm ${m}x${n}x${k}, requantize ${forms}`,
  });
}

function lowerDepthwise(node: Node, to: Lowering): void {
  const { batch, channels, fields } = geometry(node);
  const shape = { channels, ...fields };
  const layout = dwLayout(to.module, shape);
  const data = int8(inputOf(node, 1));
  const output = outputOfNode(node, node.attributes.activation);
  const weights = { data, channels, depth: fields.kH * fields.kW, channelStride: 1, depthStride: channels };
  const { q, forms } = placeRecords(node, to, weights, output);
  to.call({
    kernel: "dwconv",
    params: {
      ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
      ...{ w: to.place(packDepthwise(to.module, data, shape, layout)), q, ...to.scratch(layout.scratchBytes) },
      ...{ batch, multiplier: channels / fields.inC, ...fields },
      ...{ yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
      ...{ groups: layout.groups, rows: layout.rows, columns: layout.columns },
    },
    note: `dwconv ${fields.kH}x${fields.kW}, ${layout.rows} rows at a time, requantize ${forms}`,
  });
}
