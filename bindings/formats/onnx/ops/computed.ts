/**
 * Quantization by scales that are computed, node by node in float32 by onnxruntime's rules: dividing, rounding half to even,
 * saturating.
 */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, permuted, toLast, type Value } from "../layout.ts";
import { fewBounds, SMALL_FLOATS } from "../small.ts";
import { FLOAT } from "../types.ts";
import { real, toFloat } from "./cast.ts";
import { castTo } from "./few.ts";
import { axisIn, entries } from "./move.ts";
import { axisOfScales, codeOf } from "./quantize.ts";
import { saturated } from "./saturated.ts";

/** Scales or zero points as they broadcast against x: one, or one a slice along an axis. */
function along(n: OnnxNode, value: Value, x: Value, axis: number, isLast: boolean): TensorId {
  const id = toFloat(n, n.plain(value));
  const count = elementCount(value.shape);
  if (count === 1) return n.add("reshape", [id, n.b.integers([])], {}, FLOAT)[0] as TensorId;
  const rank = x.shape.length;
  const block = n.int("block_size", 0);
  if (block > 0 && value.shape.length === rank) {
    const places = Array.from({ length: entries(n, x.shape[axis] as number) }, (_, i) => Math.floor(i / block));
    const inputs = [id, n.b.integers(places)];
    const [all] = n.add("gather", inputs, { axis, batchDims: 0 }, FLOAT);
    return isLast ? permuted(n.b, n.where, all as TensorId, x.shape, toLast(rank)) : (all as TensorId);
  }
  if (value.shape.length !== 1 || count !== x.shape[axis])
    n.refuse(`1 or ${x.shape[axis]} scales, or blocks of a constant`, listText(value.shape));
  const own = isLast ? lastAxis(axis, rank) : axis;
  const shape = Array.from({ length: rank }, (_, i) => (i === own ? count : 1));
  return n.add("reshape", [id, n.b.integers(shape)], {}, FLOAT)[0] as TensorId;
}

/** By scales that are computed, or one a channel. */
function quantizeComputed(n: OnnxNode, x: Value): void {
  const { ids, isLast } = operands(n, [x]);
  const axis = axisOfScales(n, x);
  const scale = along(n, n.input(1), x, axis, isLast);
  const zero = n.inputs[2] === undefined ? undefined : along(n, n.input(2), x, axis, isLast);
  const code = codeOf(n);
  const ratio = real(n, "div", toFloat(n, ids[0] as TensorId), scale);
  if (SMALL_FLOATS[code]) return setIn(n, isLast, castTo(n, ratio, code));
  const dtype = n.inputs[2]?.dtype ?? (code === 0 ? "uint8" : n.typeOf(code));
  setIn(n, isLast, saturated(n, ratio, zero, dtype, fewBounds(code)));
}

/** By scales that are computed, or of types without kernels. */
function dequantizeComputed(n: OnnxNode, x: Value): void {
  const { ids, isLast } = operands(n, [x]);
  const axis = axisOfScales(n, x);
  const scale = along(n, n.input(1), x, axis, isLast);
  let y = toFloat(n, ids[0] as TensorId);
  if (n.inputs[2] !== undefined) y = real(n, "sub", y, along(n, n.input(2), x, axis, isLast));
  setIn(n, isLast, real(n, "mul", y, scale));
}

/** Constants with a scale for every block along an axis. */
function dequantizeBlocks(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisIn(n, 1, x.shape.length);
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

/** QuantizeLinear and DequantizeLinear of any scales. */
export function quantizationAny(n: OnnxNode): void {
  const x = n.input(0);
  if (n.operator === "QuantizeLinear") return quantizeComputed(n, x);
  const isKnown = n.inputs.every((value) => value === undefined || n.b.isConstant(n.plain(value)));
  if (isKnown && n.int("block_size", 0) !== 0) dequantizeBlocks(n);
  else dequantizeComputed(n, x);
}
