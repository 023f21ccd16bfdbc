/**
 * Operators on integers with constant scales beside them: dequantized, computed on, and quantized again, which become one
 * operator on integers (`../integer`), with onnxruntime's own rounding where that is another than between floats.
 */
import type { TensorId } from "../../../graph.ts";
import { elementCount, type Quantization } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { operands } from "../elementwise.ts";
import { permuted, type Value } from "../layout.ts";
import { dequantized } from "../quantized.ts";
import { FLOAT, NONE } from "../types.ts";
import { byteMaxima, qlinearGlobalAveragePool } from "./bytePools.ts";
import { CONVOLUTIONS, convolved, setImage } from "./conv.ts";
import { product } from "./matmul.ts";
import { captured, either, give, inOrder, isByte, operand, plainValue, QLINEAR, stated, typeOf } from "./stated.ts";

const f32 = Math.fround;
/** An int32 constant at the scales of the accumulators, as floats that remember it. */
function biasOf(n: OnnxNode, i: number, xs: number, w: Quantization): TensorId | undefined {
  const value = n.inputs[i];
  if (value === undefined) return undefined;
  const count = elementCount(value.shape);
  const scale = w.scale.map((ws) => f32(f32(xs) * f32(ws)));
  const flat = n.add("reshape", [n.plain(value), n.b.integers([count])], {}, [{ dtype: value.dtype }])[0];
  const floats = dequantized(n, plainValue(n, flat as TensorId), { scale, zeroPoint: scale.map(() => 0), axis: 0 });
  return floats?.twins.plain ?? n.refuse("a constant bias of whole numbers", "another");
}

const isConstant = (n: OnnxNode, i: number): boolean =>
  n.inputs[i] === undefined || n.b.tensor(n.plain(n.input(i))).data !== undefined;

function qlinearConv(n: OnnxNode): boolean {
  const [xq, wq, y] = [stated(n, 1, 2), stated(n, 4, 5), stated(n, 6, 7)];
  if (xq === undefined || wq === undefined || y === undefined || !isConstant(n, 3) || !isConstant(n, 8)) return false;
  const [x, w] = [operand(n, 0), operand(n, 3)];
  if (x === undefined || w === undefined || n.input(0).shape.length > 4) return false;
  const acc = convolved(n, x, w, biasOf(n, 8, xq.scale[0] as number, wq));
  return give(
    n,
    captured(n, (inner) => setImage(inner, acc, n.input(0))),
    y,
    typeOf(n, 7),
  );
}

function qlinearMatMul(n: OnnxNode): boolean {
  const b = n.input(3);
  const [x, w, y] = [operand(n, 0), operand(n, 3, b.shape.length - 1), stated(n, 6, 7)];
  if (x === undefined || w === undefined || y === undefined) return false;
  const acc = product(n, n.plain(x), x.shape, n.plain(w), b.shape);
  return give(n, plainValue(n, acc), y, typeOf(n, 7));
}

/** alpha·A·B + C, quantized or as floats. */
function qgemm(n: OnnxNode): boolean {
  const [a, b] = [n.input(0), n.input(3)];
  const transB = n.int("transB", 0) !== 0;
  const [xq, wq] = [stated(n, 1, 2), stated(n, 4, 5, transB ? 0 : 1)];
  const y = n.inputs[7] === undefined ? undefined : stated(n, 7, 8);
  if (xq === undefined || wq === undefined || (n.inputs[7] !== undefined && y === undefined)) return false;
  if (!isConstant(n, 3) || !isConstant(n, 6) || a.shape.length !== 2) return false;
  const scale = f32(f32(n.float("alpha", 1)) * f32(xq.scale[0] as number));
  const [x, w] = [dequantized(n, a, { ...xq, scale: [scale] }), dequantized(n, b, wq)];
  if (x === undefined || w === undefined) return false;
  const left = n.int("transA", 0) ? permuted(n.b, n.where, n.plain(x), a.shape, [1, 0]) : n.plain(x);
  const right = transB ? n.plain(w) : permuted(n.b, n.where, n.plain(w), b.shape, [1, 0]);
  const columns = n.b.tensor(right).shape[0] as number;
  const isRow = n.inputs[6] === undefined || isRowBias(n.input(6).shape, columns, wq);
  if (!isRow) return false;
  const bias = n.inputs[6] === undefined ? undefined : rowBias(n, 6, columns, scale, wq);
  const inputs = [left, right, ...(bias === undefined ? [] : [bias])];
  const acc = n.add("fullyConnected", inputs, { ...NONE, keepDims: false }, FLOAT)[0] as TensorId;
  if (y !== undefined) return give(n, plainValue(n, acc), y, typeOf(n, 8));
  n.setPlain(0, acc);
  return true;
}

/** True of C with one value a column, or one for all of one scale. */
const isRowBias = (shape: readonly number[], columns: number, { scale }: Quantization): boolean => {
  const count = elementCount(shape);
  return count === columns ? shape.at(-1) === columns : count === 1 && scale.length === 1;
};

/** C as one value a column. */
function rowBias(n: OnnxNode, i: number, columns: number, xs: number, w: Quantization): TensorId | undefined {
  const count = elementCount(n.input(i).shape);
  if (count === columns) return biasOf(n, i, xs, w);
  const value = n.number(i, 0);
  return n.b.constant(
    "float32",
    [columns],
    new Float32Array(columns).fill(value * f32(f32(xs) * f32(w.scale[0] as number))),
  );
}

/** Steps of y in one of an operand: results beyond int32 are another matter. */
const MOST_STEPS = 2 ** 22;

/** QLinearAdd and QLinearMul: their own rule where both are tensors of bytes, and not both constant. */
function pair(kind: "add" | "mul") {
  return (n: OnnxNode): boolean => {
    const [p, q, y] = [stated(n, 1, 2), stated(n, 4, 5), stated(n, 6, 7)];
    if (p === undefined || q === undefined || y === undefined || !isByte(n.input(0).dtype)) return false;
    const [s, t] = [p.scale[0] as number, q.scale[0] as number];
    if (!((kind === "add" ? Math.max(s, t) : s * t * 255) / (y.scale[0] as number) < MOST_STEPS)) return false;
    const [a, b] = [dequantized(n, n.input(0), p), dequantized(n, n.input(3), q)];
    if (a === undefined || b === undefined) return false;
    const { ids, isLast } = operands(n, [a, b]);
    if (ids.every((id) => n.b.isConstant(id))) return false;
    const id = n.add(kind, ids, NONE, FLOAT)[0] as TensorId;
    return give(n, inOrder(n, id, isLast), y, n.input(0).dtype, QLINEAR);
  };
}

/** A function of each byte. */
function byFunction(build: (n: OnnxNode, x: TensorId) => TensorId) {
  return (n: OnnxNode): boolean => {
    const [x, y] = [operand(n, 0), stated(n, 3, 4)];
    if (x === undefined || y === undefined || !isByte(n.input(0).dtype)) return false;
    const { ids, isLast } = operands(n, [x]);
    return give(n, inOrder(n, build(n, ids[0] as TensorId), isLast), y, n.input(0).dtype);
  };
}

function qlinearConcat(n: OnnxNode): boolean {
  const y = stated(n, 0, 1);
  const count = Math.floor((n.inputs.length - 2) / 3);
  const parts = Array.from({ length: count }, (_, i) => operand(n, 3 * i + 2));
  if (y === undefined || parts.includes(undefined) || count === 0) return false;
  const rank = n.input(2).shape.length;
  const own = n.int("axis", 0);
  const axis = own < 0 ? own + rank : own;
  const [id] = n.add(
    "concat",
    parts.map((part) => n.plain(part as Value)),
    { axis, activation: "none" },
    FLOAT,
  );
  return give(n, plainValue(n, id as TensorId), y, typeOf(n, 1));
}

/** Of scales that are computed, and in forms without kernels. */
const computed: Conversion = (n) => n.rarely("computed scales", n);

export const SCALED: Conversions = {
  MaxPool: either(byteMaxima(CONVOLUTIONS.MaxPool), CONVOLUTIONS.MaxPool),
  QLinearConv: either(qlinearConv, computed),
  QLinearMatMul: either(qlinearMatMul, computed),
  "com.microsoft.QGemm": either(qgemm, computed),
  "com.microsoft.QLinearAdd": either(pair("add"), computed),
  "com.microsoft.QLinearMul": either(pair("mul"), computed),
  "com.microsoft.QLinearConcat": either(qlinearConcat),
  "com.microsoft.QLinearGlobalAveragePool": either(qlinearGlobalAveragePool),
  "com.microsoft.QLinearSigmoid": either(byFunction((n, x) => n.add("logistic", [x], {}, FLOAT)[0] as TensorId)),
  "com.microsoft.QLinearLeakyRelu": either(
    byFunction((n, x) => n.add("leakyRelu", [x], { alpha: n.float("alpha", 0.01) }, FLOAT)[0] as TensorId),
  ),
};
