import type { Activation } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { lowerProduct } from "./product.ts";
import { int8, outputOfNode, requireWeights } from "./weights.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[…,K]`, weights `[N,K]`, bias `[N]` optional. */
    readonly fullyConnected: { readonly activation: Activation; readonly keepDims: boolean };
  }
}

/**
 * y `[…,N]` = x `[…,K]` · weights `[N,K]`ᵀ + bias. Without keepDims, x is flattened to `[M,K]` and y is `[M,N]`.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireWeights`. C5: weights `[N,K]`, not empty.
 * C6: x is whole rows of K (with keepDims its last dimension is K), at least one.
 */
export const fullyConnected: Operator<"fullyConnected"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    constrain(node, "C5", w.shape.length === 2 && w.shape.every((size) => size > 0), () => ({
      expected: "weights [N,K], neither of them 0",
      received: `[${w.shape.join(",")}]`,
    }));
    const [n = 0, k = 1] = w.shape;
    requireWeights(node, n, 0);
    const count = elementCount(x.shape);
    const { keepDims } = node.attributes;
    const last = x.shape[x.shape.length - 1];
    constrain(node, "C6", count > 0 && count % k === 0 && (!keepDims || last === k), () => ({
      expected: `an input of whole rows of ${k}`,
      received: `[${x.shape.join(",")}]`,
    }));
    return [{ dtype: "int8", shape: keepDims ? [...x.shape.slice(0, -1), n] : [count / k, n] }];
  },
  macs(node) {
    return elementCount(inputOf(node, 0).shape) * (inputOf(node, 1).shape[0] ?? 0);
  },
  lower(node, to) {
    const [n = 0, k = 1] = inputOf(node, 1).shape;
    lowerProduct(node, to, {
      ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
      ...{ m: elementCount(outputOf(node).shape) / n, n, k, xStride: k, yStride: n, data: int8(inputOf(node, 1)) },
      ...{ output: outputOfNode(node, node.attributes.activation), first: 0, reals: fullyConnectedReals(node) },
    });
  },
};

/** Per tensor TFLite multiplies the two scales in float32 here, unlike in convolutions; per channel in double. */
function fullyConnectedReals(node: NodeView<"fullyConnected">): readonly number[] {
  const sx = inputOf(node, 0).quantization?.scale[0] ?? 1;
  const sy = outputOf(node).quantization?.scale[0] ?? 1;
  const scales = inputOf(node, 1).quantization?.scale ?? [];
  return scales.map((sw) => (scales.length === 1 ? Math.fround(sx * sw) : sx * sw) / sy);
}
