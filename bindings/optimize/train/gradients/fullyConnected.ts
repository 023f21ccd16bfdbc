import type { TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { gemmF32Params } from "../../../primitives/product/gemmF32.ts";
import { dimensions, elementCount } from "../../../tensor.ts";
import { backwardProduct, type Geometry } from "./conv2d.ts";
import { finishForward, startBackward, startProduct } from "./finish.ts";
import type { Gradient } from "./types.ts";

/** y = clamp(x · Wᵀ + bias): a 1×1 convolution of rows. */
export const fullyConnected: Gradient<"fullyConnected"> = {
  weights: { input: 1, bias: 2, axis: 0 },
  forward(node, view, tape) {
    const { activation } = view.attributes;
    const { outW: m, inC: k, outC: n } = rowsOf(view);
    const x = tape.value(node.inputs[0] as TensorId);
    const w = tape.weights(node).value;
    const product = { ...startProduct(node, activation, tape), x, w, m, n, k, wStep: 4, wColumn: k * 4 };
    const { params, scratchBytes } = gemmF32Params({ ...product, offsetsTable: tape.zeros });
    tape.call({ kernel: "gemmF32", params }, { macs: m * n * k }, scratchBytes);
    finishForward(node, activation, { rows: m, channels: n }, tape);
  },
  backward(node, view, tape) {
    const g = rowsOf(view);
    const dy = startBackward(node, view.attributes.activation, { rows: g.outW, channels: g.outC }, tape);
    backwardProduct(node, g, dy, tape, ["convGradInputF32", "convGradWeightsF32"]);
  },
};

function rowsOf(view: NodeView<"fullyConnected">): Geometry {
  const [outC, inC] = dimensions(inputOf(view, 1).shape, 2);
  const rows = elementCount(outputOf(view).shape) / outC;
  const one = { kH: 1, kW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 0, padLeft: 0 };
  return { ...one, batch: 1, inH: 1, inW: rows, inC, outH: 1, outW: rows, outC };
}
