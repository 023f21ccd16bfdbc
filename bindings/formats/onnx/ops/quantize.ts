/**
 * Quantization as ONNX writes it down, node by node in float32 by onnxruntime's rules: dividing, rounding half to even,
 * saturating. Products of integers are summed in float32 where every sum must be a whole number below 2^24, which is exact.
 */
import type { TensorId } from "../../../graph.ts";
import { type DType, elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, permuted, toLast, type Value } from "../layout.ts";
import { dequantized, FULL, knownQuantization, quantizedValue, setQuantized } from "../quantized.ts";
import { BOUNDS } from "../rounding.ts";
import { SMALL_FLOATS } from "../small.ts";
import { castTo, fewBounds, real, toFloat } from "./cast.ts";
import { axisOf, entries } from "./move.ts";

export { real, toFloat };

/** Scales or zero points as they broadcast against x: one, or one a slice along an axis. */
function along(n: OnnxNode, value: Value, x: Value, axis: number, isLast: boolean): TensorId {
  const id = toFloat(n, n.plain(value));
  const count = elementCount(value.shape);
  if (count === 1)
    return n.b.add("reshape", n.where, [id, n.b.integers([])], {}, [{ dtype: "float32" }])[0] as TensorId;
  const rank = x.shape.length;
  const block = n.int("block_size", 0);
  if (block > 0 && value.shape.length === rank) {
    const places = Array.from({ length: entries(n, x.shape[axis] as number) }, (_, i) => Math.floor(i / block));
    const inputs = [id, n.b.integers(places)];
    const [all] = n.b.add("gather", n.where, inputs, { axis, batchDims: 0 }, [{ dtype: "float32" }]);
    return isLast ? permuted(n.b, n.where, all as TensorId, x.shape, toLast(rank)) : (all as TensorId);
  }
  if (value.shape.length !== 1 || count !== x.shape[axis])
    n.refuse(`1 or ${x.shape[axis]} scales, or blocks of a constant`, listText(value.shape));
  const own = isLast ? lastAxis(axis, rank) : axis;
  const shape = Array.from({ length: rank }, (_, i) => (i === own ? count : 1));
  return n.b.add("reshape", n.where, [id, n.b.integers(shape)], {}, [{ dtype: "float32" }])[0] as TensorId;
}

/** sat(rint(x / s) + z). */
function quantized(n: OnnxNode, x: TensorId, s: TensorId, z: TensorId | undefined, dtype: DType): TensorId {
  return saturated(n, real(n, "div", x, s), z, dtype);
}

/** sat(rint(x) + z), within other bounds than the type's where they are given. */
export function saturated(
  n: OnnxNode,
  x: TensorId,
  z: TensorId | undefined,
  dtype: DType,
  bounds: readonly [number, number] | undefined = BOUNDS[dtype],
): TensorId {
  const float = [{ dtype: "float32" }] as const;
  let y = n.b.add("round", n.where, [x], {}, float)[0] as TensorId;
  if (z !== undefined) y = real(n, "add", y, z);
  const [lo, hi] = bounds ?? n.refuse("8- or 16-bit results", dtype);
  y = n.b.add("maximum", n.where, [y, n.b.float(lo)], {}, float)[0] as TensorId;
  y = n.b.add("minimum", n.where, [y, n.b.float(hi)], {}, float)[0] as TensorId;
  return n.b.add("cast", n.where, [y], {}, [{ dtype }])[0] as TensorId;
}

const axisOfScales = (n: OnnxNode, x: Value): number => axisOf(n, n.int("axis", 1), Math.max(x.shape.length, 2));

/** The type of the result, by ONNX's number: the zero point's, or stated. */
const codeOf = (n: OnnxNode): number => n.inputs[2]?.code ?? n.int("output_dtype", 0);

function quantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const code = codeOf(n);
  const isWhole = SMALL_FLOATS[code] === undefined && n.int("block_size", 0) === 0;
  const known = isWhole && knownQuantization(n, n.inputs[1], n.inputs[2], axisOfScales(n, x));
  const dtype = n.inputs[2]?.dtype ?? (code === 0 ? "uint8" : n.typeOf(code));
  const value = known && quantizedValue(n, x, known, dtype, FULL, fewBounds(code));
  if (value) return setQuantized(n, value);
  quantizeComputed(n, x);
}

/** By scales that are computed, or one a channel. */
function quantizeComputed(n: OnnxNode, x: Value): void {
  const { ids, isLast } = operands(n, [x]);
  const axis = x.shape.length === 0 ? 0 : axisOf(n, n.int("axis", 1), Math.max(x.shape.length, 2));
  const scale = along(n, n.input(1), x, axis, isLast);
  const zero = n.inputs[2] === undefined ? undefined : along(n, n.input(2), x, axis, isLast);
  const code = codeOf(n);
  const ratio = real(n, "div", toFloat(n, ids[0] as TensorId), scale);
  if (SMALL_FLOATS[code]) return setIn(n, isLast, castTo(n, ratio, code));
  const dtype = n.inputs[2]?.dtype ?? (code === 0 ? "uint8" : n.typeOf(code));
  setIn(n, isLast, saturated(n, ratio, zero, dtype, fewBounds(code)));
}

function dequantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const isBlocked = n.int("block_size", 0) !== 0;
  if (isBlocked && n.inputs.every((value) => value === undefined || n.b.isConstant(n.plain(value))))
    return dequantizeBlocks(n);
  const known = isBlocked ? undefined : knownQuantization(n, n.inputs[1], n.inputs[2], axisOfScales(n, x));
  const value = known && dequantized(n, x, known);
  if (value) return n.set(0, value);
  dequantizeComputed(n, x);
}

/** By scales that are computed, or of types without kernels. */
function dequantizeComputed(n: OnnxNode, x: Value): void {
  const { ids, isLast } = operands(n, [x]);
  const axis = x.shape.length === 0 ? 0 : axisOf(n, n.int("axis", 1), Math.max(x.shape.length, 2));
  const scale = along(n, n.input(1), x, axis, isLast);
  let y = toFloat(n, ids[0] as TensorId);
  if (n.inputs[2] !== undefined) y = real(n, "sub", y, along(n, n.input(2), x, axis, isLast));
  setIn(n, isLast, real(n, "mul", y, scale));
}

/** Constants with a scale for every block along an axis. */
function dequantizeBlocks(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisOf(n, n.int("axis", 1), x.shape.length);
  const block = n.int("block_size", 0);
  const values = n.numbers(0) ?? [];
  const scales = n.numbers(1) ?? [];
  const zeros = n.numbers(2);
  const size = x.shape[axis] as number;
  const inner = elementCount(x.shape.slice(axis + 1));
  const blocks = Math.ceil(size / block);
  const y = Float32Array.from(values, (value, i) => {
    const at = Math.floor(i / inner) % size;
    const from = (Math.floor(i / inner / size) * blocks + Math.floor(at / block)) * inner + (i % inner);
    return Math.fround((value - (zeros?.[from] ?? 0)) * (scales[from] as number));
  });
  n.setPlain(0, n.b.constant("float32", x.shape, y));
}

/** Scale and zero point at the range of x, which holds 0. */
function dynamicQuantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const { ids, isLast } = operands(n, [x]);
  const float = [{ dtype: "float32" }] as const;
  const one = <K extends "reduceMax" | "reduceMin">(kind: K): TensorId =>
    n.b.add(
      kind,
      n.where,
      [ids[0], n.b.integers(x.shape.map((_, i) => i))],
      { keepDims: false } as never,
      float,
    )[0] as TensorId;
  const zero = n.b.float(0);
  const hi = n.b.add("maximum", n.where, [one("reduceMax"), zero], {}, float)[0] as TensorId;
  const lo = n.b.add("minimum", n.where, [one("reduceMin"), zero], {}, float)[0] as TensorId;
  const raw = real(n, "div", real(n, "sub", hi, lo), n.b.float(255));
  // all zeros have the scale 1
  const isZero = n.b.add("equal", n.where, [raw, zero], {}, [{ dtype: "bool" }])[0] as TensorId;
  const scale = n.b.add("selectV2", n.where, [isZero, n.b.float(1), raw], {}, float)[0] as TensorId;
  const z = saturated(n, real(n, "div", real(n, "sub", zero, lo), scale), undefined, "uint8");
  setIn(n, isLast, quantized(n, ids[0] as TensorId, scale, toFloat(n, z), "uint8"));
  n.setPlain(1, scale);
  n.setPlain(2, z);
}

export const QUANTIZATIONS: Conversions = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
};
