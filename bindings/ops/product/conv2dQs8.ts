import { dimensions, sizeOf } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { geometry, windows } from "../images.ts";
import type { Lowering, NodeView } from "../types.ts";
import { lowerProduct } from "./product.ts";
import { reached } from "./reached.ts";
import { int8, outputOfNode } from "./weights.ts";

/** CONV_2D of int8, group by group. */
export function lowerConv2dQs8(node: NodeView<"conv2d">, to: Lowering): void {
  const c = sizeOf(inputOf(node, 0), 3);
  const [o, , , wc] = dimensions(inputOf(node, 1).shape, 4);
  const groups = c / wc;
  for (let group = 0; group < groups; group++) lowerGroup(node, to, group, o / groups);
}

/** One group as GEMM: in place where the patches are the pixels themselves, else by gathering them. */
function lowerGroup(node: NodeView<"conv2d">, to: Lowering, group: number, n: number): void {
  const [batch, , , xStride] = dimensions(inputOf(node, 0).shape, 4);
  const [, kH, kW, inC] = dimensions(inputOf(node, 1).shape, 4);
  const { h, w } = windows(node);
  const { stride } = node.attributes;
  const padded = h.before + h.after + w.before + w.after > 0;
  const pixels = kH === 1 && kW === 1 && stride[0] === 1 && stride[1] === 1 && !padded;
  const size = n * kH * kW * inC;
  const weights = int8(inputOf(node, 1)).subarray(group * size, (group + 1) * size);
  const { data, patches } = reached(weights, n, { ...geometry(node), inC });
  lowerProduct(node, to, {
    x: to.input(0) + group * inC,
    y: to.output(0) + group * n,
    m: batch * h.out * w.out,
    n,
    k: patches.kH * patches.kW * inC,
    xStride,
    yStride: sizeOf(outputOf(node), 3),
    data,
    output: outputOfNode(node, node.attributes.activation),
    first: group * n,
    ...(pixels ? {} : { patches }),
  });
}
