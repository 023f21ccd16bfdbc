import { sizeOf } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import type { NodeView } from "../types.ts";

/**
 * Of one input channel every output channel sees the same patches, which is an ordinary convolution: its patches, and the
 * sizes of its product `[m,k]·[k,n]`. Its weights are the node's turned.
 */
export function asConvolution(node: NodeView<"depthwiseConv2d">) {
  const batch = sizeOf(inputOf(node, 0), 0);
  const n = sizeOf(inputOf(node, 1), 3);
  const patches = geometry(node);
  return { patches, m: batch * patches.outH * patches.outW, n, k: patches.kH * patches.kW };
}
