/**
 * Operators on integers with scales beside them, by onnxruntime's own rules: `scale = f32(f32(xs·ws) / ys)`,
 * `y = sat(rint(f32(acc)·scale) + yz)`. Accumulators are summed in float32, which is exact below 2^24: layers whose sums
 * could be larger are refused.
 */
import type { TensorId } from "../../../graph.ts";
import { type DType, elementCount } from "../../../tensor.ts";
import { type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { permuted, type Value } from "../layout.ts";
import { rint } from "../rounding.ts";
import { convolved, setConvolved } from "./conv.ts";
import { product } from "./matmul.ts";
import { typeOf } from "./move.ts";
import { real, saturated, toFloat } from "./quantize.ts";

const float = [{ dtype: "float32" }] as const;
const EXACT = 2 ** 24;
const f32 = Math.fround;

/** The first number of a constant input. */
const number = (n: OnnxNode, i: number, otherwise = 0): number => n.numbers(i)?.[0] ?? otherwise;

/** x − zero point as float32, in the order in which x stands. */
function centred(n: OnnxNode, value: Value, zero: Value | undefined, axis = -1): Value {
  const { ids, isLast } = operands(n, [value]);
  let id = toFloat(n, ids[0] as TensorId);
  if (zero !== undefined) {
    const count = elementCount(zero.shape);
    const shape = count === 1 ? [] : value.shape.map((size, i) => (i === axis && size === count ? count : 1));
    const z = toFloat(n, n.plain(zero));
    id = real(n, "sub", id, n.b.add("reshape", n.where, [z, n.b.integers(shape)], {}, float)[0] as TensorId);
  }
  return { name: "", dtype: "float32", shape: value.shape, twins: isLast ? { last: id } : { plain: id } };
}

/** The largest distance of a value of this type from a zero point. */
function reach(dtype: DType, zero: number): number {
  const [lo, hi] = dtype === "uint8" ? [0, 255] : [-128, 127];
  return Math.max(hi - zero, zero - lo);
}

/** The largest sum of `perOutput` products with weights that may come out; constant weights are looked at. */
function mostOf(n: OnnxNode, x: Value, zero: number, weights: TensorId, perOutput: number): number {
  const { data, shape } = n.b.tensor(weights);
  let most = perOutput * 255;
  if (data !== undefined) {
    const values = new Float32Array(data.slice().buffer);
    const sums = new Float64Array(elementCount(shape) / perOutput);
    for (const [i, w] of values.entries())
      sums[Math.floor(i / perOutput)] = (sums[Math.floor(i / perOutput)] as number) + Math.abs(w);
    most = sums.reduce((a, b) => Math.max(a, b), 0);
  }
  return most * reach(x.dtype, zero);
}

/** Refuses sums of `perOutput` products that float32 cannot hold exactly. */
function requireExact(n: OnnxNode, x: Value, zero: number, weights: TensorId, perOutput: number): void {
  const most = mostOf(n, x, zero, weights, perOutput);
  if (most >= EXACT) n.refuse("sums of integer products below 2^24", `up to ${most}`);
}

/** f32(f32(xs·ws) / ys) of every output. */
function scalesOf(xs: number, ws: readonly number[], ys: number): Float32Array {
  return Float32Array.from(ws, (w) => f32(f32(f32(xs) * f32(w)) / f32(ys)));
}

/** The accumulators scaled, rounded and saturated: y of this scale and zero point. */
function requantized(n: OnnxNode, acc: TensorId, scales: Float32Array, zero: number, dtype: DType): TensorId {
  const shape = scales.length === 1 ? [] : [scales.length];
  const y = real(n, "mul", acc, n.b.constant("float32", shape, scales));
  return saturated(n, y, n.b.float(zero), dtype);
}

function qlinearConv(n: OnnxNode): void {
  const [x, w] = [n.input(0), n.input(3)];
  const weights = centred(n, w, n.inputs[5], 0);
  requireExact(n, x, number(n, 2), n.plain(weights), elementCount(w.shape.slice(1)));
  const bias = n.inputs[8] === undefined ? undefined : toFloat(n, n.plain(n.input(8)));
  const acc = convolved(n, centred(n, x, n.inputs[2]), weights, bias);
  const scales = scalesOf(number(n, 1), n.numbers(4) ?? [], number(n, 6));
  setConvolved(n, requantized(n, acc, scales, number(n, 7), n.inputs[7]?.dtype ?? "uint8"), x);
}

function convInteger(n: OnnxNode): void {
  const [x, w] = [n.input(0), n.input(1)];
  const weights = centred(n, w, n.inputs[3], 0);
  const zero = n.inputs[2] === undefined ? undefined : n.b.tensor(n.plain(n.input(2)));
  const known = zero?.data === undefined && zero !== undefined ? 0 : number(n, 2);
  const perOutput = elementCount(w.shape.slice(1));
  const sum = (part: Value): TensorId => {
    requireExact(n, x, known, n.plain(part), perOutput);
    const acc = convolved(n, centred(n, x, n.inputs[2]), part, undefined);
    return n.b.add("cast", n.where, [acc], {}, [{ dtype: "int32" }])[0] as TensorId;
  };
  const { data } = n.b.tensor(n.plain(weights));
  if (data === undefined || mostOf(n, x, known, n.plain(weights), perOutput) < EXACT)
    return setConvolved(n, sum(weights), x);
  setConvolved(n, inHalves(n, new Float32Array(data.slice().buffer), w.shape, sum), x);
}

/** Sums with weights of nine bits as sums with their low four bits, −8 to 7, and with the rest, which count sixteen. */
function inHalves(
  n: OnnxNode,
  values: Float32Array,
  shape: readonly number[],
  sum: (part: Value) => TensorId,
): TensorId {
  const low = values.map((w) => ((w + 264) & 15) - 8);
  const high = values.map((w, i) => (w - (low[i] as number)) / 16);
  const [lows, highs] = [low, high].map((part) => {
    const twins = { plain: n.b.constant("float32", shape, part) };
    return sum({ name: "", dtype: "float32", shape, twins });
  }) as [TensorId, TensorId];
  const [type, none] = [[{ dtype: "int32" }] as const, { activation: "none" } as const];
  const [scaled] = n.b.add("mul", n.where, [highs, n.b.integers([16], [])], none, type);
  return n.b.add("add", n.where, [lows, scaled], none, type)[0] as TensorId;
}

/** The exact product of two integer matrices less their zero points, as float32. */
function integerProduct(n: OnnxNode, a: Value, az: Value | undefined, b: Value, bz: Value | undefined): TensorId {
  const depth = b.shape.at(-2) ?? elementCount(b.shape);
  const right = centred(n, b, bz, b.shape.length - 1);
  const id = n.plain(right);
  const rows = n.b.isConstant(id) && b.shape.length === 2 ? permuted(n.b, n.where, id, b.shape, [1, 0]) : id;
  requireExact(n, a, a.dtype === "uint8" ? 0 : 127, rows, depth);
  const left = n.plain(centred(n, a, az, a.shape.length - 2));
  return product(n, left, a.shape, id, b.shape);
}

/** Sums in as many parts as float32 holds each exactly. */
function matMulInteger(n: OnnxNode): void {
  const [a, b] = [n.input(0), n.input(1)];
  const depth = b.shape.at(-2) ?? elementCount(b.shape);
  const each = Math.floor(EXACT / (255 * 255)) - 1;
  const type = [{ dtype: "int32" }] as const;
  const part = (x: Value, axis: number, from: number, size: number): Value => {
    if (size === depth) return x;
    const id = n.plain(x);
    const own = x.shape.map((all, i) => (i === axis ? size : all));
    const begins = n.b.integers(x.shape.map((_, i) => (i === axis ? from : 0)));
    const inputs = [id, begins, n.b.integers(own)];
    const [plain] = n.b.add("slice", n.where, inputs, {}, [typeOf(n, id)]) as [TensorId];
    return { name: "", dtype: x.dtype, shape: own, twins: { plain } };
  };
  const sum = (from: number, size: number): TensorId => {
    const parts = [part(a, a.shape.length - 1, from, size), part(b, b.shape.length - 2, from, size)] as const;
    const acc = integerProduct(n, parts[0], n.inputs[2], parts[1], n.inputs[3]);
    return n.b.add("cast", n.where, [acc], {}, type)[0] as TensorId;
  };
  const isWhole = depth <= each || isExact(n, a, b);
  const step = isWhole ? depth : each;
  let total = sum(0, step);
  for (let k = step; k < depth; k += step) {
    const more = sum(k, Math.min(step, depth - k));
    total = n.b.add("add", n.where, [total, more], { activation: "none" }, type)[0] as TensorId;
  }
  n.setPlain(0, total);
}

/** True where no sum with a constant b, whose zero points are 0 or unknown, can reach what float32 does not hold. */
function isExact(n: OnnxNode, a: Value, b: Value): boolean {
  const tensor = n.b.tensor(n.plain(b));
  if (tensor.data === undefined || b.shape.length !== 2) return false;
  const zeros = n.inputs[3] === undefined ? [0] : (n.b.tensor(n.plain(n.inputs[3])).data && n.numbers(3)) || [128];
  const columns = b.shape[1] as number;
  const sums = new Float64Array(columns);
  for (const [i, w] of numbersOf(tensor).entries()) {
    const c = i % columns;
    sums[c] = (sums[c] as number) + Math.abs(w - (zeros[zeros.length === 1 ? 0 : c] as number));
  }
  return sums.every((most) => most * reach(a.dtype, a.dtype === "uint8" ? 0 : 127) < EXACT);
}

function qlinearMatMul(n: OnnxNode): void {
  const acc = integerProduct(n, n.input(0), n.inputs[2], n.input(3), n.inputs[5]);
  const scales = scalesOf(number(n, 1), n.numbers(4) ?? [], number(n, 6));
  n.setPlain(0, requantized(n, acc, scales, number(n, 7), n.inputs[7]?.dtype ?? "uint8"));
}

/** (A·B + C)·scale, C of any shape. */
function qgemm(n: OnnxNode): void {
  const side = (i: number, name: string): Value => {
    const x = n.input(i);
    if (n.int(name, 0) === 0) return x;
    const plain = permuted(n.b, n.where, n.plain(x), x.shape, [1, 0]);
    return { ...x, shape: [...x.shape].reverse(), twins: { plain } };
  };
  let acc = integerProduct(n, side(0, "transA"), n.inputs[2], side(3, "transB"), n.inputs[5]);
  if (n.inputs[6] !== undefined) acc = real(n, "add", acc, toFloat(n, n.plain(n.input(6))));
  const xs = f32(f32(n.float("alpha", 1)) * f32(number(n, 1)));
  const scales = scalesOf(xs, n.numbers(4) ?? [], number(n, 7, 1));
  const isReal = n.inputs[7] === undefined;
  const shape = scales.length === 1 ? [] : [scales.length];
  if (isReal) n.setPlain(0, real(n, "mul", acc, n.b.constant("float32", shape, scales)));
  else n.setPlain(0, requantized(n, acc, scales, number(n, 8), n.inputs[8]?.dtype ?? "uint8"));
}

/** float(acc)·(as·bs) + bias. */
function matMulIntegerToFloat(n: OnnxNode): void {
  const acc = integerProduct(n, n.input(0), n.inputs[4], n.input(1), n.inputs[5]);
  const scale = real(n, "mul", n.plain(n.input(2)), n.plain(n.input(3)));
  const y = real(n, "mul", acc, scale);
  n.setPlain(0, n.inputs[6] === undefined ? y : real(n, "add", y, n.plain(n.input(6))));
}

/** Every pair of values of two 8-bit tensors, looked up: exact, whatever the formula. */
function pairs(n: OnnxNode, a: Value, b: Value, dtype: DType, compute: (a: number, b: number) => number): void {
  const { ids, isLast } = operands(n, [a, b]);
  const least = a.dtype === "int8" ? -128 : 0;
  const table = new Int16Array(65536);
  for (let i = 0; i < 256; i++) for (let j = 0; j < 256; j++) table[i * 256 + j] = compute(i + least, j + least);
  const bytes = dtype === "int8" ? Int8Array.from(table) : Uint8Array.from(table);
  const int = (id: TensorId) => n.b.add("cast", n.where, [id], {}, [{ dtype: "int32" }])[0] as TensorId;
  const none = { activation: "none" } as const;
  const type = [{ dtype: "int32" }] as const;
  const high = n.b.add("mul", n.where, [int(ids[0] as TensorId), n.b.integers([256], [])], none, type)[0] as TensorId;
  const sum = n.b.add("add", n.where, [high, int(ids[1] as TensorId)], none, type)[0] as TensorId;
  const index = n.b.add("add", n.where, [sum, n.b.integers([-least * 257], [])], none, type)[0] as TensorId;
  setIn(n, isLast, looked(n, n.b.constant(dtype, [65536], bytes), index, dtype));
}

function looked(n: OnnxNode, table: TensorId, index: TensorId, dtype: DType): TensorId {
  return n.b.add("gather", n.where, [table, index], { axis: 0, batchDims: 0 }, [{ dtype }])[0] as TensorId;
}

/** The integer that a number saturates to. */
function saturate(value: number, dtype: DType): number {
  const [lo, hi] = dtype === "int8" ? [-128, 127] : [0, 255];
  return Math.min(Math.max(value, lo), hi);
}

/** Scale and zero point of a, b and the result, as float32. */
function operandScales(n: OnnxNode) {
  const at = (i: number) => f32(number(n, i));
  return [at(1), at(2), at(4), at(5), at(6), at(7)] as const;
}

function qlinearAdd(n: OnnxNode): void {
  const [sa, za, sb, zb, sc, zc] = operandScales(n);
  const [ra, rb] = [f32(sa / sc), f32(sb / sc)];
  const k = f32(zc - f32(ra * za + f32(rb * zb)));
  const dtype = n.input(0).dtype;
  pairs(n, n.input(0), n.input(3), dtype, (a, b) => saturate(rint(f32(a * ra + f32(b * rb + k))), dtype));
}

function qlinearMul(n: OnnxNode): void {
  const [sa, za, sb, zb, sc, zc] = operandScales(n);
  const r = f32(f32(sa * sb) / sc);
  const dtype = n.input(0).dtype;
  pairs(n, n.input(0), n.input(3), dtype, (a, b) => saturate(rint(f32(f32((a - za) * (b - zb) * r) + zc)), dtype));
}

/** A function of one 8-bit value, looked up. */
function table(n: OnnxNode, x: Value, dtype: DType, compute: (x: number) => number): { id: TensorId; isLast: boolean } {
  const { ids, isLast } = operands(n, [x]);
  const least = x.dtype === "int8" ? -128 : 0;
  const values = Array.from({ length: 256 }, (_, i) => compute(i + least));
  const bytes = dtype === "int8" ? Int8Array.from(values) : Uint8Array.from(values);
  const type = [{ dtype: "int32" }] as const;
  const [index] = n.b.add("cast", n.where, [ids[0]], {}, type);
  const from0 =
    least === 0 ? index : n.b.add("add", n.where, [index, n.b.integers([128], [])], { activation: "none" }, type)[0];
  return { id: looked(n, n.b.constant(dtype, [256], bytes), from0 as TensorId, dtype), isLast };
}

/** x's meaning by f, quantized again: inputs x, its scale and zero point, and the output's. */
function byTable(f: (n: OnnxNode, x: number) => number) {
  return (n: OnnxNode): void => {
    const x = n.input(0);
    const [xs, xz, ys, yz] = [1, 2, 3, 4].map((i) => f32(number(n, i))) as [number, number, number, number];
    const { id, isLast } = table(n, x, x.dtype, (value) =>
      saturate(rint(f32(f32(f(n, f32(xs * (value - xz)))) / ys)) + yz, x.dtype),
    );
    setIn(n, isLast, id);
  };
}

function qlinearConcat(n: OnnxNode): void {
  const [ys, yz] = [f32(number(n, 0)), number(n, 1)];
  const dtype = n.inputs[1]?.dtype ?? "uint8";
  const parts = Array.from({ length: Math.floor((n.inputs.length - 2) / 3) }, (_, i) => {
    const [xs, xz] = [f32(number(n, 3 * i + 3)), number(n, 3 * i + 4)];
    const x = n.input(3 * i + 2);
    const { id, isLast } = table(n, x, dtype, (value) => saturate(rint(f32(f32(xs * (value - xz)) / ys)) + yz, dtype));
    const value: Value = { name: "", dtype, shape: x.shape, twins: isLast ? { last: id } : { plain: id } };
    return n.plain(value);
  });
  const axis = n.int("axis", 0);
  const [y] = n.b.add("concat", n.where, parts, { axis, activation: "none" }, [{ dtype }], n.outputs[0]);
  n.setPlain(0, y as TensorId);
}

export const INTEGERS: Conversions = {
  QLinearConv: qlinearConv,
  ConvInteger: convInteger,
  MatMulInteger: matMulInteger,
  QLinearMatMul: qlinearMatMul,
  "com.microsoft.MatMulIntegerToFloat": matMulIntegerToFloat,
  "com.microsoft.QGemm": qgemm,
  "com.microsoft.QLinearAdd": qlinearAdd,
  "com.microsoft.QLinearMul": qlinearMul,
  "com.microsoft.QLinearConcat": qlinearConcat,
  "com.microsoft.QLinearSigmoid": byTable((_, x) => 1 / (1 + Math.exp(-x))),
  "com.microsoft.QLinearLeakyRelu": byTable((n, x) => (x >= 0 ? x : f32(f32(n.float("alpha", 0.01)) * x))),
};
