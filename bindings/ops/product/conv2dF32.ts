import { sizeOf } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { windows } from "../images.ts";
import type { Lowering, NodeView } from "../types.ts";
import { isPerChannel, lowerFloatProduct } from "./floats.ts";

/** CONV_2D of float32, its weights float32, int8 or int4. */
export function lowerConv2dF32(node: NodeView<"conv2d">, to: Lowering): void {
  const [, , , c = 0] = inputOf(node, 0).shape;
  const [o = 0, , , wc = 0] = inputOf(node, 1).shape;
  const groups = c / wc;
  for (let group = 0; group < groups; group++) lowerGroup(node, to, group, o / groups);
}

/** One group: in place where the patches are the pixels themselves, else by gathering them. */
function lowerGroup(node: NodeView<"conv2d">, to: Lowering, group: number, n: number): void {
  const [batch = 0, inH = 0, inW = 0, c = 0] = inputOf(node, 0).shape;
  const [, kH = 0, kW = 0, inC = 0] = inputOf(node, 1).shape;
  const yC = sizeOf(outputOf(node), 3);
  const { h, w } = windows(node);
  const { stride, dilation, activation } = node.attributes;
  const images = to.input(0);
  const pixels =
    kH === 1 && kW === 1 && stride[0] === 1 && stride[1] === 1 && h.before + h.after + w.before + w.after === 0;
  const hybrid = inputOf(node, 1).dtype !== "float32";
  lowerFloatProduct(node, to, {
    x: images + group * inC * 4,
    y: to.output(0) + group * n * 4,
    activation,
    first: group * n,
    m: batch * h.out * w.out,
    n,
    k: kH * kW * inC,
    xStride: c * 4,
    yStride: yC * 4,
    asymmetric: isPerChannel(inputOf(node, 1)),
    ...(pixels && !hybrid
      ? {}
      : {
          patches: {
            input: [1, inH, inW],
            channels: inC,
            output: [1, h.out, w.out],
            kernel: [1, kH, kW],
            stride: [1, ...stride],
            dilation: [1, ...dilation],
            before: [0, h.before, w.before],
            images,
            yBatch: h.out * w.out * yC * 4,
            yPlane: 0,
            yLine: w.out * yC * 4,
          },
        }),
  });
}
