import type { Patches } from "../../primitives/params.ts";
import { dimensions, elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { inputZeroPoint, reals } from "./weights.ts";
import { dense, lowerWide, weightsOf } from "./wide.ts";

/** FULLY_CONNECTED of 16-bit activations, of weights with a zero point, or of int4 weights. */
export function lowerFullyConnectedWide(node: NodeView<"fullyConnected">, to: Lowering): void {
  const [n, k] = dimensions(inputOf(node, 1).shape, 2);
  const m = elementCount(outputOf(node).shape) / n;
  const patches = rowsAsPixels(m, k, inputZeroPoint(node));
  lowerWide(node, to, {
    first: 0,
    firstInput: 0,
    m,
    n,
    xPixel: k,
    y: dense(patches, n),
    w: weightsOf(node, to, 0, n, k),
    patches,
    reals: reals(node),
    activation: node.attributes.activation,
  });
}

/** m rows of k as one line of m pixels. */
export function rowsAsPixels(m: number, k: number, xZeroPoint: number): Patches {
  return {
    inH: 1,
    inW: m,
    inC: k,
    outH: 1,
    outW: m,
    kH: 1,
    kW: 1,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 1,
    padTop: 0,
    padLeft: 0,
    xZeroPoint,
  };
}
