import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { biasAt, float32, int8Or4, placeScales } from "./floats.ts";
import { paddingOf } from "./transposed.ts";
import { lowerTransposed } from "./transposedF32.ts";

/** TRANSPOSE_CONV of float32; int8 and int4 weights meet images that are quantized with a zero point. */
export function lowerTransposeConvF32(node: NodeView<"transposeConv">, to: Lowering): void {
  const w = inputOf(node, 1);
  const [outputs = 0, kH = 0, kW = 0] = w.shape;
  const [batch = 0, inH = 0, inW = 0, channels = 0] = inputOf(node, 2).shape;
  const [, outH = 0, outW = 0] = outputOf(node).shape;
  const hybrid = w.dtype !== "float32";
  const data = hybrid ? int8Or4(w) : float32(w);
  lowerTransposed(to, {
    x: to.input(2),
    y: to.output(0),
    ...biasAt(to.inputs[3]),
    batch,
    channels,
    outputs,
    input: [1, inH, inW],
    output: [1, outH, outW],
    kernel: [1, kH, kW],
    stride: [1, ...node.attributes.stride],
    before: [0, ...paddingOf(node)],
    activation: node.attributes.activation,
    ...(hybrid ? { scaleTable: placeScales(to, w, 0, outputs) } : {}),
    weight: (o, _z, y, x, c) => data[((o * kH + y) * kW + x) * channels + c] as number,
  });
}
