/**
 * Matrix products come in several types of activations and weights. Each type checks its own parameters, and each operator
 * has one lowering for each of them, in files of their own.
 */
import { ensure } from "../../errors.ts";
import type { DType } from "../../tensor.ts";
import type { Constrained } from "../constraints.ts";
import type { Lowering, NodeView, Products } from "../types.ts";
import { isFloat, requireFloatWeights } from "./floatTypes.ts";
import { requireWeights } from "./weights.ts";
import { isWide } from "./wideTypes.ts";

/**
 * `qs8`: int8 activations and weights. `wide`: int16 activations, or int8 ones with weights that have a zero point, or with
 * int4 weights of a fully-connected layer, whose reference rounds otherwise. `f32`: float32 activations; weights of float32,
 * or int8 and int4 (hybrid).
 */
type ProductType = "qs8" | "wide" | "f32";

/** The type of a node that `requireParameters` took: x and weights decide. */
export function productType(node: Constrained): ProductType {
  if (isFloat(node)) return "f32";
  return isWide(node) ? "wide" : "qs8";
}

/** C2–C4 of the node's type, of x, weights `[…,channels along axis,…]`, bias and y; returns the type of y. */
export function requireParameters(node: Constrained, channels: number, axis: number): DType {
  switch (productType(node)) {
    case "qs8":
    case "wide":
      return requireWeights(node, channels, axis);
    case "f32":
      requireFloatWeights(node, channels, axis);
      return "float32";
  }
}

/** Lowers a product by its type, or by another one of the operator's own; `qs8` is at hand, the others are where the graph needs them. */
export function lowerProductBy<K extends keyof Products>(
  kind: K,
  type: ProductType | "blocks",
  qs8: (node: NodeView<K>, to: Lowering) => void,
  node: NodeView<K>,
  to: Lowering,
): void {
  const lower = type === "qs8" ? qs8 : to.products?.[kind][type];
  ensure(lower !== undefined, "INVALID_MODEL", () => ({
    where: node.where,
    expected: "tensors of the types that the file says",
    received: "others",
  }));
  lower(node, to);
}
