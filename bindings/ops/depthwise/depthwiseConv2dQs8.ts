import { dwLayout, lying, lyingWeights, packDepthwise } from "../../primitives/depthwise/dwconv.ts";
import { groupsTime, packTaps, tapsLayout } from "../../primitives/depthwise/taps.ts";
import { turned } from "../../primitives/product/turn.ts";
import type { Output } from "../../primitives/requantize/types.ts";
import { sizeOf } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { lowerProduct } from "../product/product.ts";
import { int8, outputOfNode, placeRecords } from "../product/weights.ts";
import type { Lowering, NodeView } from "../types.ts";
import { asConvolution } from "./oneChannel.ts";

type Node = NodeView<"depthwiseConv2d">;

/** What of its time a convolution may take by columns, so that it does. */
const WORTH_TURNING = 0.85;

/** DEPTHWISE_CONV_2D of int8. */
export function lowerDepthwiseConv2dQs8(node: Node, to: Lowering): void {
  if (inputOf(node, 0).shape[3] === 1) lowerAsConvolution(node, to);
  else lowerDepthwise(node, to);
}

function lowerAsConvolution(node: Node, to: Lowering): void {
  const { patches, m, n, k } = asConvolution(node);
  lowerProduct(node, to, {
    x: to.input(0),
    y: to.output(0),
    m,
    n,
    k,
    xStride: 1,
    yStride: n,
    data: turned(int8(inputOf(node, 1)), k, n),
    patches,
    output: outputOfNode(node, node.attributes.activation),
    first: 0,
  });
}

function lowerDepthwise(node: Node, to: Lowering): void {
  const batch = sizeOf(inputOf(node, 0), 0);
  const channels = sizeOf(inputOf(node, 1), 3);
  const fields = geometry(node);
  const output = outputOfNode(node, node.attributes.activation);
  const weights = {
    data: int8(inputOf(node, 1)),
    channels,
    depth: fields.kH * fields.kW,
    channelStride: 1,
    depthStride: channels,
  };
  const { q, forms, data } = placeRecords(node, to, weights, output, batch * fields.outH * fields.outW);
  callDepthwise(node, to, { data, q, forms, output });
}

/** The kernel for weights `[kH][kW][channels]`, in the vector modules also of nine bits. */
export function callDepthwise(
  node: Node,
  to: Lowering,
  { data, q, forms, output }: { data: Int8Array | Int16Array; q: number; forms: string; output: Output },
): void {
  const batch = sizeOf(inputOf(node, 0), 0);
  const channels = sizeOf(inputOf(node, 1), 3);
  const fields = geometry(node);
  const { inC, inW, outW } = fields;
  const shape = { channels, ...fields };
  const multiplier = channels / inC;
  const standing = { xRow: inW * inC, xColumn: inC, yRow: outW * channels, yColumn: channels };
  const common = {
    x: to.input(0),
    y: to.output(0),
    q,
    batch,
    multiplier,
    ...fields,
    yZeroPoint: output.zeroPoint,
    lo: output.lo,
    hi: output.hi,
  };
  const kernelSize = `${fields.kH}x${fields.kW}`;
  const taps = tapsLayout(to.module, shape, multiplier);
  if (taps !== undefined) {
    const packed = { w: to.place(packTaps(data, shape)), ...to.scratch(taps.scratchBytes) };
    return to.call({
      kernel: "dwconvTaps",
      params: { ...common, ...packed, groups: 0, halves: 1, rows: 0, columns: 0, ...standing },
      note: `dwconv by taps ${kernelSize}, requantize ${forms}`,
    });
  }
  const turned = lying(shape);
  const lies = to.module !== "scalar" && groupsTime(to.module, turned) < WORTH_TURNING * groupsTime(to.module, shape);
  const taken = lies ? turned : shape;
  const layout = dwLayout(to.module, taken, data instanceof Int16Array);
  const { kernel, scratchBytes, ...laid } = layout;
  const w = to.place(packDepthwise(to.module, lies ? lyingWeights(data, shape) : data, taken, layout));
  const { xRow, xColumn, yRow, yColumn } = standing;
  const steps = lies ? { xRow: xColumn, xColumn: xRow, yRow: yColumn, yColumn: yRow } : standing;
  to.call({
    kernel,
    params: { ...common, ...(lies ? lying(fields) : fields), w, ...to.scratch(scratchBytes), ...laid, ...steps },
    note: `dwconv ${kernelSize}, ${laid.rows} ${lies ? "columns" : "rows"} at a time, requantize ${forms}`,
  });
}
