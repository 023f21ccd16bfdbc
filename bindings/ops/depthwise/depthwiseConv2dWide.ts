import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { outputOfNode, reals } from "../product/weights.ts";
import { centred, dense, finishing, lowerDepthwiseWide, lowerWide } from "../product/wide.ts";
import type { Lowering, NodeView } from "../types.ts";
import { callDepthwise } from "./depthwiseConv2dQs8.ts";

/** DEPTHWISE_CONV_2D of 16-bit activations, or of weights with a zero point. One input
 * channel makes an ordinary one. */
export function lowerDepthwiseConv2dWide(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const patches = geometry(node);
  const [batch = 0] = inputOf(node, 0).shape;
  const [, , , n = 0] = inputOf(node, 1).shape;
  const shared = { n, patches, reals: reals(node), activation: node.attributes.activation };
  if (patches.inC > 1 || inputOf(node, 1).data === undefined) {
    if (to.module === "simd" && isKnownInt8(node)) return lowerPacked(node, to);
    return lowerDepthwiseWide(node, to, { ...shared, batch });
  }
  lowerWide(node, to, {
    ...shared,
    first: 0,
    firstInput: 0,
    m: batch * patches.outH * patches.outW,
    xPixel: 1,
    y: dense(patches, n),
    w: centred(node, 0, n, patches.kH * patches.kW, "columns"),
  });
}

const isKnownInt8 = ({ inputs: [x, w, bias] }: NodeView<"depthwiseConv2d">): boolean =>
  x?.dtype === "int8" && w?.data !== undefined && (bias === undefined || bias.data !== undefined);

/** The simd module's int8 kernel holds weights of 16 bits, so of nine as well. */
function lowerPacked(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const { kH, kW, outH, outW } = geometry(node);
  const [batch = 0] = inputOf(node, 0).shape;
  const [, , , n = 0] = inputOf(node, 1).shape;
  const { activation } = node.attributes;
  const k = kH * kW;
  const w = centred(node, 0, n, k, "columns");
  const m = batch * outH * outW;
  const { fields, forms } = finishing(node, to, { first: 0, m, n, k, w, fold: true, reals: reals(node), activation });
  const data = new Int16Array(n * k);
  for (let c = 0; c < n; c++) for (let i = 0; i < k; i++) data[i * n + c] = w[c * k + i] as number;
  callDepthwise(node, to, { data, q: fields.q, forms, output: outputOfNode(node, activation) });
}
