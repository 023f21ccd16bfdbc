/** Sizes of matrix products of stacks. */
import { broadcastShape, broadcastStrides } from "../../primitives/broadcast.ts";
import { dimensions, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";

/** Pairs of matrices that are multiplied: each is a step. */
const MOST_PRODUCTS = 4096;

/** Sizes of the product, and of the batches that are multiplied. */
interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly batch: readonly number[];
}

/** C5–C7. */
export function requireSizes(node: NodeView<"batchMatMul">): Sizes {
  const [a, b] = [inputOf(node, 0).shape, inputOf(node, 1).shape];
  const { adjointA, adjointB } = node.attributes;
  const fits = [a, b].every(
    (shape) => shape.length >= 2 && shape.length <= 8 && shape.slice(-2).every((size) => size > 0),
  );
  constrain(node, "C5", fits, () => ({
    expected: "matrices, none of them empty",
    received: `${listText(a)}, ${listText(b)}`,
  }));
  const [m, k] = lastTwo(a, adjointA);
  const [k2, n] = lastTwo(b, adjointB);
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  constrain(node, "C6", k === k2 && batch !== undefined, () => ({
    expected: "matrices that can be multiplied, and leading dimensions that broadcast",
    received: `${listText(a)}${adjointA ? " adjoint" : ""}, ${listText(b)}${adjointB ? " adjoint" : ""}`,
  }));
  const products = elementCount(batch);
  constrain(
    node,
    "C7",
    products <= MOST_PRODUCTS,
    () => ({ expected: `at most ${MOST_PRODUCTS} products`, received: `${products}` }),
    "UNSUPPORTED",
  );
  return { m, k, n, batch };
}

/** Rows and columns. */
function lastTwo(shape: readonly number[], adjoint: boolean): readonly [number, number] {
  const [rows, columns] = dimensions(shape.slice(-2), 2);
  return adjoint ? [columns, rows] : [rows, columns];
}

/** Which of its own matrices an operand, of these leading dimensions, has in each product. */
export function matricesOf(own: readonly number[], batch: readonly number[]): readonly number[] {
  const strides = broadcastStrides(own, batch);
  return Array.from({ length: elementCount(batch) }, (_, i) => {
    let [rest, at] = [i, 0];
    for (let d = batch.length - 1; d >= 0; d--) {
      at += (rest % (batch[d] as number)) * (strides[d] as number);
      rest = Math.floor(rest / (batch[d] as number));
    }
    return at;
  });
}
