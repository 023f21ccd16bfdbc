/**
 * Operators on integers with scales beside them, by onnxruntime's own rules: `scale = f32(f32(xs·ws) / ys)`,
 * `y = sat(rint(f32(acc)·scale) + yz)`. Accumulators are summed in float32, which is exact below 2^24: matrices whose sums
 * could be larger are summed in parts, convolutions by weights' halves or refused.
 */
import type { TensorId } from "../../../graph.ts";
import { type DType, elementCount, floatsOf } from "../../../tensor.ts";
import { type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { operands } from "../elementwise.ts";
import { permuted, type Value } from "../layout.ts";
import { FLOAT as float, INT32, NONE } from "../types.ts";
import { real, toFloat } from "./cast.ts";
import { product } from "./matmul.ts";
import { typeOf } from "./move.ts";
import { pairsAny } from "./pairs.ts";
import { saturated } from "./saturated.ts";
import { convolvedAny, setConvolved } from "./volumes.ts";

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
    id = real(n, "sub", id, n.add("reshape", [z, n.b.integers(shape)], {}, float)[0] as TensorId);
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
    const values = floatsOf({ data });
    most = 0;
    for (let from = 0; from < elementCount(shape); from += perOutput)
      most = Math.max(most, sizesOf(values, from, from + perOutput));
  }
  return most * reach(x.dtype, zero);
}

/** The sum of the sizes of one output's weights. */
function sizesOf(values: Float32Array, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) sum += Math.abs(values[i] as number);
  return sum;
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
  const acc = convolvedAny(n, centred(n, x, n.inputs[2]), weights, bias);
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
    const acc = convolvedAny(n, centred(n, x, n.inputs[2]), part, undefined);
    return n.add("cast", [acc], {}, INT32)[0] as TensorId;
  };
  const { data } = n.b.tensor(n.plain(weights));
  if (data === undefined || mostOf(n, x, known, n.plain(weights), perOutput) < EXACT)
    return setConvolved(n, sum(weights), x);
  setConvolved(n, inHalves(n, floatsOf({ data }), w.shape, sum), x);
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
  const [type, none] = [INT32, NONE];
  const [scaled] = n.add("mul", [highs, n.b.integers([16], [])], none, type);
  return n.add("add", [lows, scaled], none, type)[0] as TensorId;
}

/** The sums of two integer matrices' products, less their zero points, as float32; those of 2^24 and more as int32 rounds to it. */
function integerProduct(n: OnnxNode, a: Value, az: Value | undefined, b: Value, bz: Value | undefined): TensorId {
  return isExact(n, a, b, bz) ? exactProduct(n, a, az, b, bz) : toFloat(n, splitProduct(n, a, az, b, bz));
}

/** Sums that float32 holds exactly. */
function exactProduct(n: OnnxNode, a: Value, az: Value | undefined, b: Value, bz: Value | undefined): TensorId {
  const right = n.plain(centred(n, b, bz, b.shape.length - 1));
  const left = n.plain(centred(n, a, az, a.shape.length - 2));
  return product(n, left, a.shape, right, b.shape);
}

/** Products of which any sum is exact in float32. */
const EACH = Math.floor(EXACT / (255 * 255)) - 1;

/** Sums as int32, in as many parts as float32 holds each exactly. */
function splitProduct(n: OnnxNode, a: Value, az: Value | undefined, b: Value, bz: Value | undefined): TensorId {
  const depth = depthOf(b);
  const part = (x: Value, axis: number, from: number, size: number): Value => {
    const id = n.plain(x);
    const own = x.shape.map((all, i) => (i === axis ? size : all));
    const begins = n.b.integers(x.shape.map((_, i) => (i === axis ? from : 0)));
    const inputs = [id, begins, n.b.integers(own)];
    const [plain] = n.add("slice", inputs, {}, [typeOf(n, id)]) as [TensorId];
    return { name: "", dtype: x.dtype, shape: own, twins: { plain } };
  };
  const bAxis = Math.max(0, b.shape.length - 2);
  let total: TensorId | undefined;
  for (let k = 0; k < depth; k += EACH) {
    const size = Math.min(EACH, depth - k);
    const parts = [part(a, a.shape.length - 1, k, size), part(b, bAxis, k, size)] as const;
    const [sum] = n.add("cast", [exactProduct(n, parts[0], az, parts[1], bz)], {}, INT32) as [TensorId];
    total = total === undefined ? sum : (n.add("add", [total, sum], NONE, INT32)[0] as TensorId);
  }
  return total as TensorId;
}

function matMulInteger(n: OnnxNode): void {
  const [a, b, az, bz] = [n.input(0), n.input(1), n.inputs[2], n.inputs[3]];
  const whole = isExact(n, a, b, bz) ? n.add("cast", [exactProduct(n, a, az, b, bz)], {}, INT32)[0] : undefined;
  n.setPlain(0, whole ?? splitProduct(n, a, az, b, bz));
}

/** The products of a sum. */
const depthOf = ({ shape }: Value): number => shape.at(-2) ?? elementCount(shape);

/** True where no sum can reach what float32 does not hold: few products, or those with a constant b, of whatever zero points. */
function isExact(n: OnnxNode, a: Value, b: Value, bz: Value | undefined): boolean {
  if (depthOf(b) <= EACH) return true;
  const tensor = n.b.tensor(n.plain(b));
  if (tensor.data === undefined || b.shape.length !== 2) return false;
  const known = bz && n.b.tensor(n.plain(bz));
  const zeros = known === undefined ? [0] : known.data ? numbersOf(known) : [128];
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
export function matMulIntegerToFloat(n: OnnxNode): void {
  const acc = integerProduct(n, n.input(0), n.inputs[4], n.input(1), n.inputs[5]);
  const scale = real(n, "mul", n.plain(n.input(2)), n.plain(n.input(3)));
  const y = real(n, "mul", acc, scale);
  n.setPlain(0, n.inputs[6] === undefined ? y : real(n, "add", y, n.plain(n.input(6))));
}

/** What is computed in float32 where scales are computed, or types have no kernels. */
const COMPUTED: Conversions = {
  QLinearConv: qlinearConv,
  QLinearMatMul: qlinearMatMul,
  QGemm: qgemm,
  MatMulInteger: matMulInteger,
  ConvInteger: convInteger,
  QLinearAdd: pairsAny,
  QLinearMul: pairsAny,
};

/** Operators of any scales. */
export const scalesAny = (n: OnnxNode): void => COMPUTED[n.operator]?.(n);
