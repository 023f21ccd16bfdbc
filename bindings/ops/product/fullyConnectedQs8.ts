import { dimensions, elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { lowerProduct } from "./product.ts";
import { int8, outputOfNode } from "./weights.ts";

/** FULLY_CONNECTED of int8. */
export function lowerFullyConnectedQs8(node: NodeView<"fullyConnected">, to: Lowering): void {
  const [n, k] = dimensions(inputOf(node, 1).shape, 2);
  lowerProduct(node, to, {
    x: to.input(0),
    y: to.output(0),
    m: elementCount(outputOf(node).shape) / n,
    n,
    k,
    xStride: k,
    yStride: n,
    data: int8(inputOf(node, 1)),
    output: outputOfNode(node, node.attributes.activation),
    first: 0,
  });
}
