import type { Activation, Rounding } from "../../graph.ts";
import type { Multipliers } from "../../primitives/requantize/quantization.ts";
import { dimensions, elementCount, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { isBlocked, requireBlocks } from "./fullyConnectedBlocks.ts";
import { lowerFullyConnectedQs8 } from "./fullyConnectedQs8.ts";
import { lowerProductBy, productType, requireParameters } from "./productTypes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[…,K]`, weights `[N,K]`, bias `[N]` optional. */
    readonly fullyConnected: {
      readonly activation: Activation;
      readonly keepDims: boolean;
      /** Float32 activations of int8 weights are quantized with a zero point; absent: without. */
      readonly asymmetric?: boolean;
      readonly rounding?: Rounding;
      /** Of each output, where it is not its scales' own. */
      readonly once?: Multipliers;
    };
  }
}

/**
 * y `[…,N]` = x `[…,K]` · weights `[N,K]`ᵀ + bias. Without keepDims, x is flattened to `[M,K]` and y is `[M,N]`.
 *
 * C1: x, weights and optionally a bias, one output. C2–C4: see `requireParameters`, of weights in blocks `requireBlocks`. C5: weights `[N,K]`, not empty.
 * C6: x is whole rows of K (with keepDims its last dimension is K).
 */
export const fullyConnected: Operator<"fullyConnected"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const w = inputOf(node, 1);
    constrain(node, "C5", w.shape.length === 2 && w.shape.every((size) => size > 0), () => ({
      expected: "weights [N,K], neither of them 0",
      received: listText(w.shape),
    }));
    const [n, k] = dimensions(w.shape, 2);
    const count = elementCount(x.shape);
    const { keepDims } = node.attributes;
    const last = x.shape[x.shape.length - 1];
    constrain(node, "C6", count % k === 0 && (!keepDims || last === k), () => ({
      expected: `an input of whole rows of ${k}`,
      received: listText(x.shape),
    }));
    return [
      {
        dtype: isBlocked(node) ? requireBlocks(node) : requireParameters(node, n, 0),
        shape: keepDims ? [...x.shape.slice(0, -1), n] : [count / k, n],
      },
    ];
  },
  macs(node) {
    return elementCount(inputOf(node, 0).shape) * sizeOf(inputOf(node, 1), 0);
  },
  lower(node, to) {
    if (elementCount(inputOf(node, 0).shape) === 0) return;
    const type = isBlocked(node) ? "blocks" : productType(node);
    lowerProductBy("fullyConnected", type, lowerFullyConnectedQs8, node, to);
  },
};
