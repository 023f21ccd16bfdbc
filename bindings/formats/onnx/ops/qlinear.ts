/**
 * Operators on integers with scales beside them that are no products, by onnxruntime's own rules: pools and softmax, which
 * are computed in float32.
 */
import type { TensorId } from "../../../graph.ts";
import { type DType, elementCount, GREATEST_FLOAT, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted, toLast, toPlain, type Value } from "../layout.ts";
import { FLOAT as float, INT32, NONE } from "../types.ts";
import { imagePadding, outputSizes, pair, poolWindowsOf } from "../window.ts";
import { real, toFloat } from "./cast.ts";
import { channelled, reshapedTo } from "./move.ts";
import { saturated } from "./saturated.ts";
import { meansOf } from "./windows.ts";

const f32 = Math.fround;

/** x with its channels last, whichever way the node has them, and its shape in ONNX's order. */
function imageOf(n: OnnxNode, x: Value): { readonly id: TensorId; readonly shape: readonly number[] } {
  if (n.int("channels_last", 0) === 0) return { id: n.last(x), shape: x.shape };
  return { id: n.plain(x), shape: toPlain(x.shape.length).map((d) => x.shape[d] as number) };
}

function setImage(n: OnnxNode, y: TensorId, shape: readonly number[]): void {
  if (n.int("channels_last", 0) === 0) return n.setLast(0, y, shape);
  n.setPlain(
    0,
    reshapedTo(
      n,
      y,
      toLast(shape.length).map((d) => shape[d] as number),
    ),
  );
}

/** (x − zero point)·scale. */
function dequantized(n: OnnxNode, id: TensorId, scale: number, zero: number): TensorId {
  return real(n, "mul", real(n, "sub", toFloat(n, id), n.b.float(zero)), n.b.float(scale));
}

/** sat(rint(x / scale + zero)): the zero point is inside the rounding. */
function requantized(n: OnnxNode, x: TensorId, scale: number, zero: number, dtype: DType): TensorId {
  const y = real(n, "add", real(n, "div", x, n.b.float(scale)), n.b.float(zero));
  return saturated(n, y, undefined, dtype);
}

/** Means of float32, quantized with the zero point inside the rounding. */
function averagePool(n: OnnxNode): void {
  const x = n.input(0);
  const { id, shape } = imageOf(n, x);
  const sizes = shape.slice(2);
  if (sizes.length < 1 || sizes.length > 3) n.refuse("one to three spatial dimensions", listText(shape));
  const windows = poolWindowsOf(n, sizes, n.ints("kernel_shape") ?? sizes);
  if (sizes.length === 3) {
    const isCounted = n.int("count_include_pad", 0) !== 0;
    const volume = dequantized(n, id, n.number(1, 0), n.number(2, 0));
    const y = meansOf(n, { shape }, volume, true, windows, isCounted);
    const [batch, channels] = channelled(n, shape);
    const to = [batch, channels, ...outputSizes(sizes, windows)];
    return setImage(n, requantized(n, y, n.number(3, 0), n.number(4, 0), x.dtype), to);
  }
  const isPadded = [...windows.before, ...windows.after].some((size) => size > 0);
  const [batch, channels] = channelled(n, shape);
  const [height, width] = pair(sizes);
  let image = reshapedTo(n, dequantized(n, id, n.number(1, 0), n.number(2, 0)), [batch, height, width, channels]);
  let padding = imagePadding(windows);
  if (isPadded && n.int("count_include_pad", 0) !== 0) {
    const pads = [0, 0, padding.top, padding.bottom, padding.left, padding.right, 0, 0];
    [image] = n.add("pad", [image, n.b.integers(pads, [4, 2]), n.b.float(0)], {}, float) as [TensorId];
    padding = { top: 0, bottom: 0, left: 0, right: 0 };
  }
  const attributes = {
    filter: pair(windows.kernel),
    stride: pair(windows.stride),
    padding,
    activation: "none" as const,
  };
  const [mean] = n.add("averagePool2d", [image], attributes, float);
  const y = requantized(n, mean as TensorId, n.number(3, 0), n.number(4, 0), x.dtype);
  const outputs = outputSizes(sizes, windows);
  setImage(n, reshapedTo(n, y, [batch, ...outputs, channels]), [batch, channels, ...outputs]);
}

/** exp(i·scale) of the 256 distances from the greatest, as large as their sum may be. */
function exponentials(scale: number, depth: number): Float32Array {
  const shift = (f32(Math.log(f32(GREATEST_FLOAT / depth))) - 5) / f32(scale);
  return Float32Array.from({ length: 256 }, (_, i) => Math.exp((i - 255 + shift) * f32(scale)));
}

/** So many times the row is the factor that leaves its exponentials finite: they are e⁵ away from what is not. */
const LARGE = 128;

/** p·⌊1 / ys⌋ rounded, p from a table of exponentials; the sums are of float32, one after another. */
function softmax(n: OnnxNode): void {
  const x = n.input(0);
  // sums that are no numbers are 0 in any type
  if (n.number(1, 0) === Infinity)
    return n.setPlain(0, n.b.constant(x.dtype, x.shape, new Uint8Array(elementCount(x.shape))));
  const rank = x.shape.length;
  const isOld = n.int("opset", 13) < 13;
  const given = n.int("axis", isOld ? 1 : -1);
  const axis = given < 0 ? given + rank : given;
  const order = x.shape.map((_, d) => (d === axis ? rank - 1 : d === rank - 1 ? axis : d));
  const [rows, depth] = isOld
    ? [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))]
    : [elementCount(x.shape) / (x.shape[axis] as number), x.shape[axis] as number];
  const from = isOld ? n.plain(x) : permuted(n.b, n.where, n.plain(x), x.shape, order);
  const between = n.b.tensor(from).shape;
  const int32 = INT32;
  const [whole] = n.add("cast", [reshapedTo(n, from, [rows, depth])], {}, int32);
  const axes = n.b.integers([1]);
  const [greatest] = n.add("reduceMax", [whole, axes], { keepDims: true }, int32);
  const [below] = n.add("sub", [whole, greatest], NONE, int32);
  const [places] = n.add("add", [below, n.b.integers([255], [])], NONE, int32);
  const table = n.b.constant("float32", [256], exponentials(n.number(1, 0), depth));
  const [parts] = n.add("gather", [table, places], { axis: 0, batchDims: 0 }, float);
  const [sums] = n.add("cumsum", [parts, n.b.integers([1], [])], { exclusive: false, reverse: false }, float);
  const [total] = n.add("slice", [sums, n.b.integers([0, depth - 1]), n.b.integers([rows, 1])], {}, float);
  // Of a large factor the exponentials, which are as large as they may be, are divided first.
  const times = Math.floor(f32(1 / f32(n.number(3, 0))));
  const factor = n.b.float(times);
  const [t, s] = [parts, total] as [TensorId, TensorId];
  const p =
    times > LARGE * depth ? real(n, "mul", real(n, "div", t, s), factor) : real(n, "div", real(n, "mul", t, factor), s);
  const y = saturated(n, p, n.b.float(n.number(4, 0)), x.dtype);
  const back = reshapedTo(n, y, between);
  n.setPlain(0, isOld ? back : permuted(n.b, n.where, back, between, order));
}

export const QLINEAR: Conversions = {
  "com.microsoft.QLinearAveragePool": averagePool,
  "com.microsoft.QLinearSoftmax": softmax,
};
