import { dimensions, elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { lowerFloatProduct } from "./floats.ts";

/** FULLY_CONNECTED of float32, its weights float32, int8 or int4. */
export function lowerFullyConnectedF32(node: NodeView<"fullyConnected">, to: Lowering): void {
  const [n, k] = dimensions(inputOf(node, 1).shape, 2);
  const { activation, rounding } = node.attributes;
  const asymmetric = rounding ? "onnx" : (node.attributes.asymmetric ?? false);
  lowerFloatProduct(node, to, {
    x: to.input(0),
    y: to.output(0),
    m: elementCount(outputOf(node).shape) / n,
    n,
    k,
    activation,
    first: 0,
    asymmetric,
    scalesFirst: true,
  });
}
