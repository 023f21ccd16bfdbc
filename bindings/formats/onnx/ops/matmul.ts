/** Matrix products. */

import type { TensorId } from "../../../graph.ts";
import { listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { numbersOf } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT, NONE } from "../types.ts";
import { optional } from "./move.ts";
import { isWhole } from "./wholes.ts";

/** alpha·A·B + beta·C, of matrices. */
export function gemmOf(n: OnnxNode): TensorId {
  const [a, b] = [n.input(0), n.input(1)];
  if (a.shape.length !== 2 || b.shape.length !== 2)
    n.refuse("two matrices", `${listText(a.shape)} and ${listText(b.shape)}`);
  const alpha = n.float("alpha", 1);
  const beta = n.float("beta", 1);
  const x = n.int("transA", 0) ? permuted(n.b, n.where, n.plain(a), a.shape, [1, 0]) : n.plain(a);
  let w = n.int("transB", 0) ? n.plain(b) : permuted(n.b, n.where, n.plain(b), b.shape, [1, 0]);
  if (alpha !== 1) w = n.add("mul", [w, n.b.float(alpha)], NONE, FLOAT)[0] as TensorId;
  const c = optional(n, 2);
  const bias = c === undefined ? undefined : biasOf(n, c, beta, n.b.tensor(w).shape[0] as number);
  const inputs = [x, w, ...(bias === undefined ? [] : [bias])];
  const attributes = { activation: "none", keepDims: false } as const;
  const [y] = n.add("fullyConnected", inputs, attributes, FLOAT, n.outputs[0]);
  if (c === undefined || bias !== undefined) return y as TensorId;
  const scaled = beta === 1 ? c : (n.add("mul", [c, n.b.float(beta)], NONE, FLOAT)[0] as TensorId);
  return n.add("add", [y, scaled], NONE, FLOAT)[0] as TensorId;
}

/** C as a bias of one value per column, where it is a constant that is one. */
function biasOf(n: OnnxNode, c: TensorId, beta: number, columns: number): TensorId | undefined {
  const tensor = n.b.tensor(c);
  const count = tensor.shape.reduce((all, size) => all * size, 1);
  const isRow = (tensor.shape.at(-1) ?? 1) === count;
  if (!n.b.isConstant(c) || !isRow || (count !== columns && count !== 1)) return undefined;
  const values = numbersOf(tensor);
  const row = Float32Array.from({ length: columns }, (_, i) => beta * (values[count === 1 ? 0 : i] as number));
  return n.b.constant("float32", [columns], row);
}

/** A·B; a constant matrix on the right is a fully-connected layer's weights. */
function matmul(n: OnnxNode): void {
  const [a, b] = [n.input(0), n.input(1)];
  if (isWhole(a.dtype)) return n.rarely("whole product", n);
  n.setPlain(0, product(n, n.plain(a), a.shape, n.plain(b), b.shape));
}

/** The product of float32 tensors of any rank, as numpy's matmul. */
export function product(
  n: OnnxNode,
  a: TensorId,
  aShape: readonly number[],
  b: TensorId,
  bShape: readonly number[],
): TensorId {
  const reshaped = (id: TensorId, shape: readonly number[]) =>
    n.add("reshape", [id, n.b.integers(shape)], {}, FLOAT)[0] as TensorId;
  const [left, right] = [aShape.length === 1 ? [1, ...aShape] : aShape, bShape.length === 1 ? [...bShape, 1] : bShape];
  const x = aShape.length === 1 ? reshaped(a, left) : a;
  const w = bShape.length === 1 ? reshaped(b, right) : b;
  let y: TensorId;
  if (right.length === 2 && n.b.isConstant(w)) {
    const weights = permuted(n.b, n.where, w, right, [1, 0]);
    const attributes = { activation: "none", keepDims: true } as const;
    y = n.add("fullyConnected", [x, weights], attributes, FLOAT, n.outputs[0])[0] as TensorId;
  } else {
    const attributes = { adjointA: false, adjointB: false };
    y = n.add("batchMatMul", [x, w], attributes, FLOAT, n.outputs[0])[0] as TensorId;
  }
  if (aShape.length > 1 && bShape.length > 1) return y;
  const full = n.b.tensor(y).shape;
  const shape = full.filter(
    (_, i) => !(aShape.length === 1 && i === full.length - 2) && !(bShape.length === 1 && i === full.length - 1),
  );
  return reshaped(y, shape);
}

export const PRODUCTS: Conversions = { Gemm: (n) => n.setPlain(0, gemmOf(n)), MatMul: matmul };
