import { turned } from "../../primitives/product/turn.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { floatsOf, sizeOf } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { patchesF32 } from "../product/conv2dF32.ts";
import { biasAt, int8Or4, lowerFloatProduct, placeScales } from "../product/floats.ts";
import type { Lowering, NodeView } from "../types.ts";
import { asConvolution } from "./oneChannel.ts";

/** DEPTHWISE_CONV_2D of float32; int8 and int4 weights are whole numbers in floats. */
export function lowerDepthwiseConv2dF32(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const w = inputOf(node, 1);
  if (inputOf(node, 0).shape[3] === 1 && w.dtype === "float32" && w.data !== undefined)
    return lowerAsConvolution(node, to);
  const batch = sizeOf(inputOf(node, 0), 0);
  const channels = sizeOf(w, 3);
  const { xZeroPoint: _, ...fields } = geometry(node);
  const [lo, hi] = BOUNDS[node.attributes.activation];
  const { bias = 0 } = biasAt(to.inputs[2]);
  const hybrid = w.dtype !== "float32";
  const weights = hybrid ? to.place(new Uint8Array(Float32Array.from(int8Or4(w)).buffer)) : to.input(1);
  to.call({
    kernel: "dwconvF32",
    params: {
      x: to.input(0),
      y: to.output(0),
      w: weights,
      bias,
      batch,
      ...fields,
      multiplier: channels / fields.inC,
      lo,
      hi,
      scaleTable: hybrid ? placeScales(to, w, 0, channels) : 0,
      asymmetric: hybrid ? 1 : 0,
      ...to.scratch(hybrid ? fields.inH * fields.inW * fields.inC * 4 : 0),
    },
    note: `dwconvF32 ${fields.kH}x${fields.kW}${hybrid ? ", hybrid" : ""}`,
  });
}

function lowerAsConvolution(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const { patches, m, n, k } = asConvolution(node);
  lowerFloatProduct(node, to, {
    x: to.input(0),
    y: to.output(0),
    activation: node.attributes.activation,
    first: 0,
    m,
    n,
    k,
    xStride: 4,
    yStride: n * 4,
    asymmetric: false,
    data: turned(floatsOf(inputOf(node, 1)), k, n),
    patches: patchesF32(patches, to.input(0), n),
  });
}
