/** Values that are quantized by constants: what DequantizeLinear and QuantizeLinear say, on tensors of the graph. */
import type { Rounding, TensorId } from "../../graph.ts";
import {
  BITS,
  type DType,
  elementCount,
  halfToFloat,
  type Quantization,
  type Tensor,
  typedCopy,
} from "../../tensor.ts";
import { numbersOf, type OnnxNode } from "./convert.ts";
import { operands, setIn } from "./elementwise.ts";
import type { Value } from "./layout.ts";
import { BOUNDS, rint } from "./rounding.ts";
import { FLOAT } from "./types.ts";

/** What every result of onnxruntime's rule that is not clamped further may be. */
export const FULL: Rounding = { rule: "onnx", lo: -65536, hi: 65536 };

/** Operators that keep the quantization of integers that they move; others are given integers without one. */
const MOVERS: ReadonlySet<string> = new Set([
  "DequantizeLinear",
  "Transpose",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Slice",
  "Split",
  "MaxPool",
  "Resize",
  "QGemm",
  "QLinearAdd",
  "QLinearAveragePool",
  "QLinearConcat",
  "QLinearConv",
  "QLinearGlobalAveragePool",
  "QLinearLeakyRelu",
  "QLinearMatMul",
  "QLinearMul",
  "QLinearSigmoid",
  "QLinearSoftmax",
  "QLinearWhere",
]);

/** Types whose quantized tensors have kernels. */
const KERNEL_TYPES: ReadonlySet<DType> = new Set<DType>(["int8", "uint8", "int16"]);
const hasKernels = (dtype: DType): boolean => KERNEL_TYPES.has(dtype);

/** Scales and zero points that are constants: finite and positive. */
export function knownQuantization(
  n: OnnxNode,
  scale: Value | undefined,
  zero: Value | undefined,
  axis: number,
): Quantization | undefined {
  const scales = scale && constantNumbers(n, scale);
  const zeros = zero === undefined ? [0] : constantNumbers(n, zero);
  if (scales === undefined || zeros === undefined) return undefined;
  if (scales.length === 0 || !arePositive(scales)) return undefined;
  if (zeros.length !== 1 && zeros.length !== scales.length) return undefined;
  const zeroPoint = areEqual(zeros) ? zeros.slice(0, 1) : zeros;
  return { scale: scales, zeroPoint, axis: scales.length === 1 ? 0 : axis };
}

function areEqual(numbers: readonly number[]): boolean {
  for (let i = 1; i < numbers.length; i++) if (numbers[i] !== numbers[0]) return false;
  return true;
}

/** True for finite numbers above 0: networks have tens of thousands of scales. */
function arePositive(scales: readonly number[]): boolean {
  for (let i = 0; i < scales.length; i++)
    if (!((scales[i] as number) > 0 && (scales[i] as number) < Infinity)) return false;
  return true;
}

function constantNumbers(n: OnnxNode, value: Value): readonly number[] | undefined {
  const tensor = n.b.tensor(n.plain(value));
  if (tensor.data === undefined) return undefined;
  return tensor.dtype === "float16"
    ? Array.from(typedCopy("float16", tensor.data) as Uint16Array, halfToFloat)
    : numbersOf(tensor);
}

/** The floats that integers stand for; `undefined` where only float operators can compute them. */
export function dequantized(n: OnnxNode, x: Value, quantization: Quantization): Value | undefined {
  const { scale, axis } = quantization;
  if (scale.length > 1 && scale.length !== x.shape[axis]) return undefined;
  const { ids, isLast } = operands(n, [x]);
  const id = ids[0] as TensorId;
  const { dtype, shape } = n.b.tensor(id);
  let y: TensorId;
  if (n.b.isConstant(id) && !isLast) y = dequantizedConstant(n, id, quantization);
  else {
    if (scale.length > 1 || !hasKernels(dtype)) return undefined;
    const others = n.scope.readers(x.name).some(({ operator }) => operator !== "DequantizeLinear");
    const own = n.b.quantized(id, quantization, n.where, others ? "shared" : "own");
    y = n.add("dequantize", [own], {}, FLOAT)[0] as TensorId;
  }
  const value = { name: "", dtype: "float32", shape: isLast ? x.shape : shape } as const;
  return { ...value, twins: isLast ? { last: y } : { plain: y } };
}

/** True where a value's floats are what integers stand for. */
export function isDequantized(n: OnnxNode, { twins }: Value): boolean {
  const id = twins.plain ?? twins.last;
  return n.b.nodes.some(({ kind, outputs }) => kind === "dequantize" && outputs[0] === id);
}

/** y = s·(q − z) from one index to another. */
function scaleRun(
  q: { readonly [i: number]: number },
  from: number,
  to: number,
  z: number,
  s: number,
  y: Float32Array,
): void {
  const { fround } = Math;
  for (let i = from; i < to; i++) y[i] = fround((q[i] as number) - z) * s;
}

/** s·(q − z) of a constant, which remembers its integers: most fused operators ask for those alone. */
function dequantizedConstant(n: OnnxNode, id: TensorId, quantization: Quantization): TensorId {
  const tensor = n.b.tensor(id);
  const float = n.b.later({ dtype: "float32", shape: tensor.shape }, () => scaled(tensor, quantization));
  n.b.origins.set(float, n.b.quantized(id, quantization, n.where, "shared"));
  return float;
}

/** The floats of a constant's integers. */
function scaled(tensor: Tensor, { scale, zeroPoint, axis }: Quantization): Uint8Array {
  const isOne = scale.length === 1 && zeroPoint.length === 1;
  const bytes = tensor.data ?? new Uint8Array(0);
  const q = BITS[tensor.dtype] > 32 ? Float64Array.from(numbersOf(tensor)) : typedCopy(tensor.dtype, bytes);
  const y = new Float32Array(q.length);
  const run = isOne ? q.length : elementCount(tensor.shape.slice(axis + 1));
  for (let i = 0, entry = 0; i < q.length; i += run, entry++) {
    const s = Math.fround(scale[entry % scale.length] as number);
    scaleRun(q as Float64Array, i, i + run, zeroPoint[entry % zeroPoint.length] as number, s, y);
  }
  return new Uint8Array(y.buffer);
}

/** sat(rint(x / s) + z) as a node that other passes know; a constant at once, and nothing else within bounds of its own. */
export function quantizedValue(
  n: OnnxNode,
  x: Value,
  quantization: Quantization,
  dtype: DType,
  rounding = FULL,
  bounds?: readonly [number, number],
): Value | undefined {
  const { scale, axis } = quantization;
  const { ids, isLast } = operands(n, [x]);
  const id = ids[0] as TensorId;
  const tensor = n.b.tensor(id);
  if (tensor.dtype !== "float32" || (scale.length > 1 && scale.length !== x.shape[axis])) return undefined;
  let y: TensorId;
  if (n.b.isConstant(id) && !isLast) y = quantizedConstant(n, id, quantization, dtype, bounds);
  else if (bounds || scale.length > 1 || !hasKernels(dtype)) return undefined;
  else y = n.add("quantize", [id], { rounding }, [{ dtype, quantization }])[0] as TensorId;
  return { name: "", dtype, shape: x.shape, twins: isLast ? { last: y } : { plain: y } };
}

function quantizedConstant(
  n: OnnxNode,
  id: TensorId,
  { scale, zeroPoint, axis }: Quantization,
  dtype: DType,
  bounds = BOUNDS[dtype],
): TensorId {
  const { fround } = Math;
  const tensor = n.b.tensor(id);
  const [lo, hi] = bounds ?? n.refuse("8- or 16-bit results", dtype);
  const inner = elementCount(tensor.shape.slice(axis + 1));
  const at = (list: readonly number[], i: number) =>
    list[list.length === 1 ? 0 : Math.floor(i / inner) % list.length] as number;
  const values = numbersOf(tensor).map((x, i) => {
    const q = rint(fround(x / at(scale, i))) + at(zeroPoint, i);
    return Number.isNaN(q) ? lo : Math.min(Math.max(q, lo), hi);
  });
  const wide = dtype === "int16" || dtype === "uint16";
  return n.b.constant(dtype, tensor.shape, wide ? Int16Array.from(values) : Uint8Array.from(values));
}

/** Sets output 0 to a quantized value: with its quantization where all that read it keep that. */
export function setQuantized(n: OnnxNode, value: Value): void {
  const isLast = value.twins.plain === undefined;
  const id = (value.twins.plain ?? value.twins.last) as TensorId;
  const readers = n.scope.readers(n.outputs[0] ?? "");
  const isKept = n.b.isConstant(id) || readers.every(({ operator }) => MOVERS.has(operator));
  if (isKept) return setIn(n, isLast, id);
  const { dtype } = n.b.tensor(id);
  setIn(n, isLast, n.add("cast", [id], {}, [{ dtype }])[0] as TensorId);
}
