import type { TensorId } from "../../../graph.ts";
import { backwardProduct, convGeometry } from "./conv2d.ts";
import { finishForward, startBackward, startProduct } from "./finish.ts";
import type { Gradient } from "./types.ts";

/** Each channel's own convolution; its gradients are those of one of one channel. */
export const depthwiseConv2d: Gradient<"depthwiseConv2d"> = {
  weights: { input: 1, bias: 2, axis: 3 },
  forward(node, view, tape) {
    const { activation } = view.attributes;
    const geometry = convGeometry(view);
    const { outC, ...g } = geometry;
    const rows = g.batch * g.outH * g.outW;
    const work = { macs: rows * outC * g.kH * g.kW };
    const x = tape.value(node.inputs[0] as TensorId);
    const w = tape.weights(node).value;
    const { y, ...rest } = startProduct(node, activation, tape);
    if (tape.norm(node) && outC === g.inC)
      tape.call({ kernel: "dwconvTapsF32", params: { ...geometry, x, w, dy: 0, d: y, accumulate: 0 } }, work);
    else {
      const unused = { scaleTable: 0, asymmetric: 0, scratch: 0, scratchStride: 0 };
      const params = { ...g, ...rest, ...unused, x, w, y, multiplier: outC / g.inC };
      tape.call({ kernel: "dwconvF32", params }, work);
    }
    finishForward(node, activation, { rows, channels: outC }, tape);
  },
  backward(node, view, tape) {
    const g = convGeometry(view);
    const rows = g.batch * g.outH * g.outW;
    const dy = startBackward(node, view.attributes.activation, { rows, channels: g.outC }, tape);
    backwardProduct(node, g, dy, tape, ["dwconvGradInputF32", "dwconvGradWeightsF32"]);
  },
};
