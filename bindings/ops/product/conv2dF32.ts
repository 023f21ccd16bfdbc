import type { PatchSizes } from "../../primitives/params.ts";
import type { PatchesF32 } from "../../primitives/product/gemmF32.ts";
import { upright } from "../../primitives/product/narrow.ts";
import { dimensions, sizeOf } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import type { Lowering, NodeView } from "../types.ts";
import { isPerChannel, lowerFloatProduct } from "./floats.ts";

/** CONV_2D of float32, its weights float32, int8 or int4. */
export function lowerConv2dF32(node: NodeView<"conv2d">, to: Lowering): void {
  const c = sizeOf(inputOf(node, 0), 3);
  const [o, , , wc] = dimensions(inputOf(node, 1).shape, 4);
  const groups = c / wc;
  for (let group = 0; group < groups; group++) lowerGroup(node, to, group, o / groups);
}

/** One group: in place where the patches are the pixels themselves, else by gathering them. */
function lowerGroup(node: NodeView<"conv2d">, to: Lowering, group: number, n: number): void {
  const [batch, , , c] = dimensions(inputOf(node, 0).shape, 4);
  const yC = sizeOf(outputOf(node), 3);
  const own = { ...geometry(node), inC: sizeOf(inputOf(node, 1), 3) };
  const rows = own.inC === c ? upright(own) : undefined;
  const g = rows ?? own;
  const images = to.input(0);
  const k = g.kH * g.kW * g.inC;
  const alone = g.kH === 1 && g.kW === 1 && g.strideH === 1 && g.strideW === 1;
  const pixels = alone && g.outH === g.inH && g.outW === g.inW && g.padTop === 0 && g.padLeft === 0;
  const hybrid = inputOf(node, 1).dtype !== "float32";
  // one window, the image: as rows quantized each for itself
  const whole = k === g.inH * g.inW * c && g.padTop === 0 && g.padLeft === 0 && g.outH * g.outW === 1;
  lowerFloatProduct(node, to, {
    x: images + group * g.inC * 4,
    y: to.output(0) + group * n * 4,
    activation: node.attributes.activation,
    first: group * n,
    m: batch * g.outH * g.outW,
    n,
    k,
    xStride: (hybrid && whole ? k : (rows?.inC ?? c)) * 4,
    yStride: yC * 4,
    asymmetric: node.attributes.rounding ? "onnx" : isPerChannel(inputOf(node, 1)),
    scalesFirst: !isPerChannel(inputOf(node, 1)),
    ...((hybrid ? whole : pixels) ? {} : { patches: patchesF32(g, images, yC) }),
  });
}

/** The patches of images at this address, of whose outputs a pixel has `channels`. */
export function patchesF32(g: PatchSizes, images: number, channels: number): PatchesF32 {
  const line = g.outW * channels * 4;
  return {
    input: [1, g.inH, g.inW],
    channels: g.inC,
    output: [1, g.outH, g.outW],
    kernel: [1, g.kH, g.kW],
    stride: [1, g.strideH, g.strideW],
    dilation: [1, g.dilationH, g.dilationW],
    before: [0, g.padTop, g.padLeft],
    images,
    yBatch: g.outH * line,
    yPlane: 0,
    yLine: line,
  };
}
