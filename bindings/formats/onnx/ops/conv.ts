/** Convolutions of one and two spatial dimensions. */

import type { Activation, Padding, Rounding, TensorId } from "../../../graph.ts";
import { dimensions, elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted, type Value } from "../layout.ts";
import { isDequantized } from "../quantized.ts";
import { FLOAT, NONE } from "../types.ts";
import { imagePadding, pair, poolWindowsOf, type Windows, windowsOf } from "../window.ts";
import { channelled, entries, optional, sized, typeOf } from "./move.ts";

/** `[N,C,W]` as an image `[N,1,W,C]`, `[N,C,H,W]` as `[N,H,W,C]`. */
export function imageOf(n: OnnxNode, value: Value): TensorId {
  const id = n.last(value);
  if (value.shape.length === 4) return id;
  const [batch, channels, width] = sized(n, value.shape, 3);
  return reshaped(n, id, [batch, 1, width, channels]);
}

/** The tensor in another shape, its quantization kept. */
function reshaped(n: OnnxNode, id: TensorId, shape: readonly number[]): TensorId {
  const { dtype, quantization } = n.b.tensor(id);
  const type = { dtype, ...(quantization ? { quantization } : {}) };
  return n.add("reshape", [id, n.b.integers(shape)], {}, [type])[0] as TensorId;
}

/** Sets output 0 to an image, which has one spatial dimension where x has. */
export function setImage(n: OnnxNode, id: TensorId, x: Value): void {
  const [batch, height, width, channels] = dimensions(n.b.tensor(id).shape, 4);
  if (x.shape.length === 4) n.setLast(0, id, [batch, channels, height, width]);
  else n.setLast(0, reshaped(n, id, [batch, width, channels]), [batch, channels, width]);
}

/** Weights `[O,C/groups,kH,kW]` as `[O,kH,kW,C/groups]`, or `[1,kH,kW,O]` for one input channel a group. */
function convolutionWeights(n: OnnxNode, value: Value, isDepthwise: boolean): TensorId {
  const four = value.shape.length === 3 ? [value.shape[0], value.shape[1], 1, value.shape[2]] : value.shape;
  const shape = four as readonly number[];
  const id = value.shape.length === 3 ? reshaped(n, n.plain(value), shape) : n.plain(value);
  return permuted(n.b, n.where, id, shape, isDepthwise ? [1, 2, 3, 0] : [0, 2, 3, 1]);
}

/** The convolution of float32 values as an image; `rounding`: of weights that are quantized. */
export function convolved(n: OnnxNode, x: Value, w: Value, bias: TensorId | undefined, rounding?: Rounding): TensorId {
  const spatial = x.shape.length - 2;
  if (spatial !== 1 && spatial !== 2) n.refuse("one to three spatial dimensions", listText(x.shape));
  if (w.shape.length !== x.shape.length) n.refuse(`weights of ${x.shape.length} dimensions`, listText(w.shape));
  const groups = n.int("group", 1);
  const [outputs, perGroup, ...kernel] = channelled(n, w.shape);
  const channels = x.shape[1] as number;
  if (groups < 1 || perGroup * groups !== channels || outputs % groups !== 0)
    n.refuse(`weights of ${channels / groups} channels a group`, `${listText(w.shape)} with ${groups} groups`);
  const windows = windowsOf(n, x.shape.slice(2), kernel);
  const isDepthwise = perGroup === 1 && groups > 1;
  const attributes = {
    stride: pair(windows.stride),
    dilation: pair(windows.dilation),
    padding: imagePadding(windows),
    activation: "none" as Activation,
    ...(rounding && { rounding }),
  };
  const inputs = [imageOf(n, x), convolutionWeights(n, w, isDepthwise), ...(bias === undefined ? [] : [bias])];
  const kind = isDepthwise ? "depthwiseConv2d" : "conv2d";
  const name = rounding ? undefined : n.outputs[0];
  return n.add(kind, inputs, attributes, FLOAT, name)[0] as TensorId;
}

function conv(n: OnnxNode): void {
  const x = n.input(0);
  if (x.shape.length === 5) return n.rarely("volume", n);
  const bias = optional(n, 2);
  setImage(n, convolved(n, x, n.input(1), bias), x);
}

/** Windows of a pool on x. */
export function poolWindows(n: OnnxNode, x: Value) {
  const kernel = n.ints("kernel_shape") ?? n.refuse("a kernel_shape", "none");
  return poolWindowsOf(n, x.shape.slice(2), kernel);
}

/** True where the pool kernels have these windows: of one or two dimensions, no dilation. */
const isPlain = ({ kernel, dilation }: Windows): boolean =>
  kernel.length <= 2 && kernel.length >= 1 && dilation.every((step) => step === 1);

function maxPool(n: OnnxNode): void {
  const x = n.input(0);
  const windows = poolWindows(n, x);
  const isKernels = x.dtype === "float32" || n.b.tensor(n.last(x)).quantization !== undefined;
  if (n.outputs[1] || !isPlain(windows) || !isKernels) return n.rarely("maxima", n);
  const attributes = {
    filter: pair(windows.kernel),
    stride: pair(windows.stride),
    padding: imagePadding(windows),
    activation: "none" as const,
  };
  const image = imageOf(n, x);
  const [y] = n.add("maxPool2d", [image], attributes, [typeOf(n, image)], n.outputs[0]);
  setImage(n, y as TensorId, x);
}

/** True where onnxruntime adds the columns of windows up first, and then their sums: before opset 19, by vectors, and not beyond counted edges. */
const isByColumns = (n: OnnxNode, { shape }: Value, { kernel, stride, before, after }: Windows): boolean =>
  n.opset < 19 &&
  !(n.int("ceil_mode", 0) && n.int("count_include_pad", 0)) &&
  kernel.length === 2 &&
  kernel.every((size) => size > 1) &&
  (stride[1] as number) <= 2 &&
  (shape[3] as number) + (before[1] as number) + (after[1] as number) < MOST_COLUMNS;
const MOST_COLUMNS = 1984;

/** Means of windows: those that padding counts in are sums by a constant depthwise convolution. */
function averagePool(n: OnnxNode): void {
  const x = n.input(0);
  const windows = poolWindows(n, x);
  const isCounted = [...windows.before, ...windows.after].some((pad) => pad > 0) && n.int("count_include_pad", 0) !== 0;
  if (!isPlain(windows) || (isCounted && n.int("ceil_mode", 0) !== 0)) return n.rarely("means", n);
  let image = imageOf(n, x);
  const filter = pair(windows.kernel);
  const [kH, kW] = filter;
  const common = { stride: pair(windows.stride), activation: "none" as const };
  let padding: Padding = imagePadding(windows);
  // between quantizations ties fall as in onnxruntime
  const isTied = isDequantized(n, x);
  if (isTied && isCounted) {
    const { top, bottom, left, right } = padding;
    const pads = n.b.integers([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
    [image] = n.add("pad", [image, pads, n.b.float(0)], NONE, FLOAT) as [TensorId];
    padding = "valid";
  }
  if (!isCounted || isTied) {
    const attributes = {
      ...common,
      filter,
      padding,
      ...(isTied && isByColumns(n, x, windows) && { order: "columns" as const }),
    };
    return setImage(n, n.add("averagePool2d", [image], attributes, FLOAT)[0] as TensorId, x);
  }
  const channels = x.shape[1] as number;
  const weights = n.b.constant(
    "float32",
    [1, kH, kW, channels],
    new Float32Array(entries(n, kH * kW * channels)).fill(1 / (kH * kW)),
  );
  const attributes = { ...common, dilation: [1, 1] as const, padding };
  const [y] = n.add("depthwiseConv2d", [image, weights], attributes, FLOAT, n.outputs[0]);
  setImage(n, y as TensorId, x);
}

/** The largest window of the pools. */
const MOST_PIXELS = 65535;

/** The whole picture as one window; large ones by rows, then by what the rows come to. */
function globalPool(kind: "averagePool2d" | "maxPool2d") {
  return (n: OnnxNode): void => {
    const x = n.input(0);
    const [batch, channels, ...sizes] = channelled(n, x.shape);
    if (elementCount(sizes) > MOST_PIXELS) {
      const reduce = kind === "maxPool2d" ? "reduceMax" : "mean";
      const y = sizes.reduce<TensorId>(
        (id, _, d) =>
          n.add(reduce, [id, n.b.integers([sizes.length - d])], { keepDims: true }, [typeOf(n, id)])[0] as TensorId,
        n.last(x),
      );
      return n.setLast(0, y, [batch, channels, ...sizes.map(() => 1)]);
    }
    const image = reshaped(n, n.last(x), [batch, 1, elementCount(sizes), channels]);
    const attributes = {
      filter: [1, elementCount(sizes)] as const,
      stride: [1, 1] as const,
      padding: "valid" as const,
      activation: "none" as const,
    };
    const [y] = n.add(kind, [image], attributes, [{ dtype: x.dtype }]);
    const flat = [batch, ...sizes.map(() => 1), channels];
    n.setLast(0, reshaped(n, y as TensorId, flat), [batch, channels, ...sizes.map(() => 1)]);
  };
}

/** Whether a batch is normalized by its own numbers: before opset 14, where outputs beside y are asked for. */
export const isTraining = (n: OnnxNode): boolean =>
  n.opset < 14 ? n.int("is_test", 0) === 0 && n.outputs.slice(1).some(Boolean) : n.int("training_mode", 0) !== 0;

function batchNormalization(n: OnnxNode): void {
  const isKnown = [1, 2, 3, 4].every((i) => n.b.isConstant(n.plain(n.input(i))));
  if (!isKnown || isTraining(n) || n.int("spatial", 1) === 0) return n.rarely("computed normalization", n);
  if (n.b.origins.size > 0) return n.rarely("normalized product", n);
  behind(n);
}

/** What BatchNormalization by constants multiplies channels by, and adds to them. */
export function channelNumbers(n: OnnxNode) {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => n.numbers(i) ?? []);
  const epsilon = n.float("epsilon", 1e-5);
  const factor = Float32Array.from(scale ?? [], (s, c) => s / Math.sqrt((variance?.[c] as number) + epsilon));
  const offset = Float32Array.from(bias ?? [], (b, c) => b - (mean?.[c] as number) * (factor[c] as number));
  return { factor, offset };
}

/** x·a + b per channel. */
export function behind(n: OnnxNode): void {
  const x = n.input(0);
  const { factor, offset } = channelNumbers(n);
  const shape = [factor.length];
  const id = x.shape.length < 3 ? n.plain(x) : n.last(x);
  const [product] = n.add("mul", [id, n.b.constant("float32", shape, factor)], NONE, FLOAT);
  const [y] = n.add("add", [product, n.b.constant("float32", shape, offset)], NONE, FLOAT, n.outputs[0]);
  n.setLast(0, y as TensorId, x.shape);
}

export const CONVOLUTIONS = {
  Conv: conv,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: /* @__PURE__ */ globalPool("averagePool2d"),
  GlobalMaxPool: /* @__PURE__ */ globalPool("maxPool2d"),
  BatchNormalization: batchNormalization,
} satisfies Conversions;
