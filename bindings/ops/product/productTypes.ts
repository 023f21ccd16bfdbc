/**
 * Matrix products come in several types of activations and weights. Each type checks its own parameters, and each operator
 * has one lowering for each of them, in files of their own.
 */
import type { DType } from "../../tensor.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import { requireWeights } from "./weights.ts";

/** `qs8`: int8 activations and weights. */
export type ProductType = "qs8";

/** The type of a node that `requireParameters` took: x and weights decide. */
export function productType(node: Constrained): ProductType {
  switch (inputOf(node, 0).dtype) {
    default:
      return "qs8";
  }
}

/** C2–C4 of the node's type, of x, weights `[…,channels along axis,…]`, bias and y; returns the type of y. */
export function requireParameters(node: Constrained, channels: number, axis: number): DType {
  switch (productType(node)) {
    case "qs8":
      requireWeights(node, channels, axis);
      return "int8";
  }
}
