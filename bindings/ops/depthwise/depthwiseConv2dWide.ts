import { turned } from "../../primitives/product/turn.ts";
import { statisticsOf } from "../../primitives/product/wide.ts";
import { sizeOf } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { outputOfNode, reals } from "../product/weights.ts";
import { centred, dense, finishing, lowerDepthwiseWide, lowerWide } from "../product/wide.ts";
import { weightZeroPoints } from "../product/wideTypes.ts";
import type { Lowering, NodeView } from "../types.ts";
import { callDepthwise } from "./depthwiseConv2dQs8.ts";
import { asConvolution } from "./oneChannel.ts";

/** DEPTHWISE_CONV_2D of 16-bit activations, or of weights with a zero point. One input channel makes an ordinary one. */
export function lowerDepthwiseConv2dWide(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const { patches, m, n, k } = asConvolution(node);
  const shared = { n, patches, reals: reals(node), activation: node.attributes.activation };
  const { inC } = patches;
  if (inC > 1 && to.module !== "scalar" && isKnownInt8(node) && lowerPacked(node, to)) return;
  const zeroPoints = weightZeroPoints(node);
  const isOne = zeroPoints.every((zeroPoint) => zeroPoint === zeroPoints[0]);
  if (inputOf(node, 1).data === undefined || (inC > 1 && isOne))
    return lowerDepthwiseWide(node, to, { ...shared, batch: sizeOf(inputOf(node, 0), 0) });
  // the kernel of all channels has one zero point for them: else each input channel is a product of its own
  const each = n / inC;
  for (let channel = 0; channel < inC; channel++)
    lowerWide(node, to, {
      ...shared,
      n: each,
      patches: { ...patches, inC: 1 },
      first: channel * each,
      firstInput: channel,
      m,
      xPixel: inC,
      y: dense(patches, n, channel * each),
      w: centred(node, channel * each, each, k, "columns"),
    });
}

const isKnownInt8 = ({ inputs: [x, w, bias] }: NodeView<"depthwiseConv2d">): boolean =>
  x?.dtype === "int8" && w?.data !== undefined && (bias === undefined || bias.data !== undefined);

/** What two int8 sum up to. */
const TWO_INT8 = 254;

/** The vector modules' int8 kernel holds weights of 16 bits, or of nine as sums of two int8; false where one is no such sum. */
function lowerPacked(node: NodeView<"depthwiseConv2d">, to: Lowering): boolean {
  const { m, n, k } = asConvolution(node);
  const { activation } = node.attributes;
  const w = centred(node, 0, n, k, "columns");
  const statistics = statisticsOf(w, n);
  if (to.module === "relaxed" && statistics.greatest > TWO_INT8) return false;
  const made = { first: 0, m, n, k, statistics, reals: reals(node), activation };
  const { fields, forms } = finishing(node, to, { ...made, fold: true });
  callDepthwise(node, to, {
    data: turned(Int16Array.from(w), n, k),
    q: fields.q,
    forms,
    output: outputOfNode(node, activation),
  });
  return true;
}
