import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { inputOf } from "../constraints.ts";
import { geometry } from "../images.ts";
import { biasAt, int8Or4, isPerChannel, placeScales } from "../product/floats.ts";
import type { Lowering, NodeView } from "../types.ts";

/** DEPTHWISE_CONV_2D of float32; int8 and int4 weights are whole numbers in floats. */
export function lowerDepthwiseConv2dF32(node: NodeView<"depthwiseConv2d">, to: Lowering): void {
  const w = inputOf(node, 1);
  const [batch = 0] = inputOf(node, 0).shape;
  const [, , , channels = 0] = w.shape;
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
      asymmetric: hybrid && isPerChannel(w) ? 1 : 0,
      ...to.scratch(hybrid ? fields.inH * fields.inW * fields.inC * 4 : 0),
    },
    note: `dwconvF32 ${fields.kH}x${fields.kW}${hybrid ? ", hybrid" : ""}`,
  });
}
