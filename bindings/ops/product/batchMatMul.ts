import type { Rounding } from "../../graph.ts";
import { elementCount, type Tensor, typedCopy, zeroOf } from "../../tensor.ts";
import {
  type Constrained,
  inputOf,
  outputOf,
  requireAffine,
  requireDType,
  requireInputs,
  requireRatio,
} from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { lowerBatchMatMulF32, requireFloatMatrices } from "./batchMatMulF32.ts";
import { rowsAsPixels } from "./fullyConnectedWide.ts";
import { matricesOf, requireSizes } from "./matrices.ts";
import { inputZeroPoint, reals } from "./weights.ts";
import { dense, lowerWide, type WideProduct } from "./wide.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** a `[…,M,K]` (or `[…,K,M]` with adjointA), b `[…,K,N]` (or `[…,N,K]` with adjointB). */
    readonly batchMatMul: {
      readonly adjointA: boolean;
      readonly adjointB: boolean;
      /** Float32 rows of int8 weights are quantized with a zero point; absent: without. */
      readonly asymmetric?: boolean;
      readonly rounding?: Rounding;
    };
  }
}

/**
 * Matrix products y `[…,M,N]` = a · b of stacks of matrices, whose leading dimensions broadcast.
 *
 * C1: two inputs, one output. C2: a, b and y all int8 or all int16, per tensor; b of int16 a may be constant
 * int8, with a scale for each column and zero points 0; or see `requireFloatMatrices`. C5: two to eight dimensions, M, K and N
 * not 0. C6: the same K, and leading dimensions that broadcast. C7: at most 4096 products.
 */
export const batchMatMul: Operator<"batchMatMul"> = {
  infer(node) {
    requireInputs(node, 2);
    const [a, b, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)];
    if (a.dtype === "float32") {
      const sizes = requireSizes(node);
      requireFloatMatrices(node);
      return [{ dtype: "float32", shape: [...sizes.batch, sizes.m, sizes.n] }];
    }
    const dtype = requireDType(node, "C2", a, "int8", "int16");
    requireDType(node, "C2", y, dtype);
    const isNarrow = dtype === "int16" && b.dtype === "int8" && b.data !== undefined;
    if (!isNarrow) requireDType(node, "C2", b, dtype);
    for (const tensor of [a, y]) requireAffine(node, "C2", tensor);
    const { m, n, batch } = requireSizes(node);
    const columns = node.attributes.adjointB ? -2 : -1;
    if (!(isNarrow && isPerColumn(b, columns))) requireAffine(node, "C2", b);
    for (const ratio of reals(node)) requireRatio(node, "C2", ratio);
    return [{ dtype, shape: [...batch, m, n] }];
  },
  macs(node) {
    const { m, k, n, batch } = requireSizes(node);
    return elementCount(batch) * m * k * n;
  },
  lower(node, to) {
    if (inputOf(node, 0).dtype === "float32") lowerBatchMatMulF32(node, to);
    else lowerProducts(node, to);
  },
};

/** True of a constant with a scale for each column, and zero points 0. */
function isPerColumn({ quantization, shape }: Tensor, columns: number): boolean {
  if (quantization === undefined || quantization.scale.length !== shape.at(columns)) return false;
  const { axis, scale, zeroPoint } = quantization;
  return axis === shape.length + columns && scale.every((each) => each > 0) && zeroPoint.every((each) => each === 0);
}

function lowerProducts(node: NodeView<"batchMatMul">, to: Lowering): void {
  const { m, k, n, batch } = requireSizes(node);
  const count = elementCount(batch);
  if (count === 0) return;
  const { adjointA, adjointB } = node.attributes;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  // the first element of the operand's matrix in each product
  const at = ({ shape }: Tensor, matrix: number) => matricesOf(shape.slice(0, -2), batch).map((i) => i * matrix);
  const [aFirst, bFirst] = [at(a, m * k), at(b, k * n)];
  // a stack of rows with one b is one product
  const shared =
    !adjointA && bFirst.every((first) => first === bFirst[0]) && aFirst.every((first, i) => first === i * m * k);
  const rows = shared ? count * m : m;
  const patches = rowsAsPixels(rows, k, inputZeroPoint(node));
  let previous: number | undefined;
  for (let i = 0; i < (shared ? 1 : count); i++) {
    const first = bFirst[i] as number;
    lowerWide(view(node), to, {
      first: 0,
      firstInput: aFirst[i] as number,
      m: rows,
      n,
      patches,
      reals: reals(node),
      activation: "none",
      ...(adjointA ? { xPixel: 1, xStep: m } : { xPixel: k }),
      y: dense(patches, n, i * m * n),
      w: weights(node, to, first, { k, n, adjoint: adjointB }, previous === first),
    });
    previous = first;
  }
}

/** The node without what products take for a bias. */
const view = (node: Constrained): Constrained => ({
  where: node.where,
  inputs: node.inputs.slice(0, 2),
  outputs: node.outputs,
  ...(node.attributes ? { attributes: node.attributes } : {}),
});

/** The matrix of b that begins at `first`, by columns. */
function weights(
  node: Constrained,
  to: Lowering,
  first: number,
  { k, n, adjoint }: { readonly k: number; readonly n: number; readonly adjoint: boolean },
  packed: boolean,
): WideProduct["w"] {
  const b = inputOf(node, 1);
  const zeroPoint = zeroOf(b);
  const bytes = b.dtype === "int16" ? 2 : 1;
  const [columnStep, step] = adjoint ? [k, 1] : [1, n];
  if (b.data === undefined || bytes === 2) {
    const address = to.input(1) + first * bytes;
    return { address, k, columnStep, step, bytes, zeroPoint, ...(packed ? { packed } : {}) };
  }
  const values = typedCopy("int8", b.data);
  const w = new Int16Array(n * k);
  for (let c = 0; c < n; c++)
    for (let i = 0; i < k; i++) w[c * k + i] = Number(values[first + c * columnStep + i * step]) - zeroPoint;
  return w;
}
