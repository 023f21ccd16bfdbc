/** Nodes → ONNX operators. Images keep their channels last in the file; convolutions and pools stand between transposes. */
import { type AnyNode, type Attributes, NONE, type Node, type OpKind, type TensorId } from "../../../graph.ts";
import { dimensions, type Quantization, sameScales, sizeOf } from "../../../tensor.ts";
import { MOVED } from "../../roundings.ts";
import { whole } from "../../spelled.ts";
import { CELLS } from "./cells.ts";
import { DETECTED } from "./detected.ts";
import { dynamicConvolution, dynamicMatrix } from "./dynamic.ts";
import type { Emitter } from "./emit.ts";
import { FOUND } from "./found.ts";
import { MORE } from "./more.ts";
import { MOVES } from "./moves.ts";
import { PLACED } from "./placed.ts";
import { ROWS } from "./rows.ts";
import {
  activated,
  axisOf,
  biasOf,
  bothSides,
  clip,
  FIRST,
  finish,
  given,
  input,
  LAST,
  longs,
  output,
  pads,
  pairs,
  reduced,
  reordered,
  reshaped,
  scalar,
  spatial,
  unary,
  type Writer,
} from "./steps.ts";
import { VARIABLES } from "./variables.ts";
import { WINDOWS } from "./windows.ts";

const convolution: Writer<"conv2d" | "depthwiseConv2d"> = (node, to) => {
  const sums = dynamicConvolution(node, to);
  if (sums !== undefined) return finish(node as AnyNode, to, sums, node.attributes.activation, LAST);
  const [x, w] = [input(node as AnyNode, 0), input(node as AnyNode, 1)];
  const [o, kH, kW, last] = dimensions(to.tensor(w).shape, 4);
  const channels = sizeOf(to.tensor(x), 3);
  const isDepthwise = node.kind === "depthwiseConv2d";
  const weights = isDepthwise
    ? reordered(to, w, [3, 0, 1, 2], [last, 1, kH, kW])
    : reordered(to, w, FIRST, [o, last, kH, kW]);
  const { stride, dilation, padding, activation } = node.attributes;
  const bias = node.inputs[2];
  const inputs = [to.step("Transpose", [to.real(x)], { perm: FIRST }), weights];
  if (bias !== undefined && bias !== NONE) inputs.push(biasOf(to, bias, x, w));
  const y = to.step("Conv", inputs, {
    kernel_shape: [kH, kW],
    strides: stride,
    dilations: dilation,
    pads: pads(padding, spatial(to.tensor(x)), [kH, kW], stride, dilation),
    group: isDepthwise ? channels : channels / last,
  });
  return finish(node as AnyNode, to, y, activation, LAST);
};

const pool =
  (type: "MaxPool" | "AveragePool"): Writer<"maxPool2d" | "averagePool2d"> =>
  (node, to) => {
    const { filter, stride, padding, activation } = node.attributes;
    const x = input(node as AnyNode, 0);
    const y = to.step(type, [to.step("Transpose", [to.real(x)], { perm: FIRST })], {
      kernel_shape: filter,
      strides: stride,
      pads: pads(padding, spatial(to.tensor(x)), filter, stride, [1, 1]),
    });
    return finish(node as AnyNode, to, y, activation, LAST);
  };

const dense: Writer<"fullyConnected"> = (node, to) => {
  const [x, w, bias] = node.inputs as readonly [TensorId, TensorId, TensorId?];
  const [, k] = dimensions(to.tensor(w).shape, 2);
  const shape = to.tensor(x).shape;
  const flat = shape.length === 2 && shape[1] === k;
  const matrix = flat ? to.real(x) : reshaped(to, to.real(x), [-1, k]);
  const inputs = [matrix, to.real(w), ...(bias === undefined || bias === NONE ? [] : [biasOf(to, bias, x, w)])];
  const y = dynamicMatrix(node, to, matrix) ?? to.step("Gemm", inputs, { transB: 1 });
  const sizes = to.tensor(output(node)).shape;
  const rows = activated(to, y, node.attributes.activation);
  if (sizes.length === 2) return finish(node, to, rows);
  return finish(node, to, reshaped(to, to.settled(rows, output(node)), sizes));
};

const reshape: Writer<"reshape"> = (node, to) => {
  const { shape } = to.tensor(output(node));
  const sizes = node.inputs[1];
  const isComputed = sizes !== undefined && sizes !== NONE && to.tensor(sizes).data === undefined;
  return finish(
    node,
    to,
    isComputed ? to.step("Reshape", [given(node, to), longs(to, sizes)]) : reshaped(to, given(node, to), shape),
  );
};

/** Axes of size 1 gone, or put in: those that are named, whatever the sizes of a run are. */
const single =
  (
    type: "Squeeze" | "Unsqueeze",
    axesOf: (node: AnyNode, to: Emitter) => readonly number[] | undefined,
  ): Writer<OpKind> =>
  (node, to) => {
    const axes = axesOf(node as AnyNode, to);
    const x = given(node, to);
    if (axes === undefined || axes.length === 0)
      return finish(node as AnyNode, to, reshaped(to, x, to.tensor(output(node as AnyNode)).shape));
    return finish(node as AnyNode, to, to.step(type, [x, to.integers("axes", axes)]));
  };

/** Writers by kind. */
const WRITERS: { readonly [K in OpKind]?: Writer<K> } = {
  conv2d: convolution,
  depthwiseConv2d: convolution,
  fullyConnected: dense,
  maxPool2d: pool("MaxPool"),
  averagePool2d: pool("AveragePool"),
  add: pairs("Add"),
  sub: pairs("Sub"),
  mul: pairs("Mul"),
  div: pairs("Div"),
  maximum: pairs("Max"),
  minimum: pairs("Min"),
  relu: unary("Relu"),
  relu6: (node, to) => finish(node, to, activated(to, given(node, to), "relu6")),
  reluN1To1: (node, to) => finish(node, to, activated(to, given(node, to), "reluN1To1")),
  relu0To1: (node, to) => finish(node, to, clip(to, given(node, to), 0, 1)),
  leakyRelu: (node, to) =>
    finish(node, to, to.step("LeakyRelu", [given(node, to)], { alpha: { real: node.attributes.alpha } })),
  prelu: pairs("PRelu"),
  elu: unary("Elu"),
  hardSwish: unary("HardSwish"),
  logistic: unary("Sigmoid"),
  tanh: unary("Tanh"),
  abs: unary("Abs"),
  neg: unary("Neg"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  softmax: (node, to) => {
    const { beta } = node.attributes;
    const x = given(node, to);
    const scaled = beta === 1 ? x : to.step("Mul", [x, to.constant("beta", "float32", [], Float32Array.of(beta))]);
    return finish(node, to, to.step("Softmax", [scaled], { axis: -1 }));
  },
  logSoftmax: unary("LogSoftmax", { axis: -1 }),
  concat: (node, to) =>
    finish(
      node,
      to,
      to.step(
        "Concat",
        node.inputs.map((id) => to.real(id)),
        { axis: node.attributes.axis },
      ),
      node.attributes.activation,
    ),
  reshape,
  squeeze: single("Squeeze", ({ attributes }) => (attributes as Attributes["squeeze"]).axes),
  expandDims: single("Unsqueeze", ({ inputs: [, axis] }, to) => to.numbers(axis)),
  transpose: (node, to) => {
    const perm = to.numbers(node.inputs[1])?.map((axis) => axisOf(to, input(node, 0), axis));
    return perm !== undefined && finish(node, to, to.step("Transpose", [given(node, to)], { perm }));
  },
  pad: (node, to) => {
    const amounts = to.numbers(node.inputs[1]);
    const sides = () => reshaped(to, to.step("Transpose", [longs(to, input(node, 1))], { perm: [1, 0] }), [-1]);
    const list = amounts === undefined ? sides() : to.integers("pads", bothSides(amounts));
    if (amounts === undefined) to.loose.add(output(node));
    const value = node.inputs[2];
    const more = value === undefined || value === NONE ? [] : [scalar(to, value)];
    return finish(node, to, to.step("Pad", [given(node, to), list, ...more]));
  },
  mean: reduced("ReduceMean"),
  reduceMax: reduced("ReduceMax"),
  reduceMin: reduced("ReduceMin"),
  batchMatMul: (node, to) => {
    const turned = (id: TensorId, isTurned: boolean) => {
      const { length } = to.tensor(id).shape;
      const perm = Array.from({ length }, (_, i) => (i < length - 2 ? i : 2 * length - 3 - i));
      return isTurned ? to.step("Transpose", [to.real(id)], { perm }) : to.real(id);
    };
    const { adjointA, adjointB } = node.attributes;
    return finish(node, to, to.step("MatMul", [turned(input(node, 0), adjointA), turned(input(node, 1), adjointB)]));
  },
  quantize: (node, to) => finish(node, to, given(node, to)),
  dequantize: (node, to) => {
    const x = input(node, 0);
    const half = to.tensor(x).dtype === "float16";
    return finish(node, to, half ? to.step("Cast", [to.name(x)], { to: 1 }) : to.real(x));
  },
  densify: (node, to) => {
    to.add("Identity", [to.name(input(node, 0))], to.name(output(node)));
    return true;
  },
};

const ALL: readonly { readonly [K in OpKind]?: Writer<K> }[] = [
  WRITERS,
  MORE,
  WINDOWS,
  MOVES,
  ROWS,
  CELLS,
  VARIABLES,
  FOUND,
  PLACED,
  DETECTED,
];

/** How a node takes bytes that it moves as they are, where its result has another scale than what it is given. */
function copiedBy(node: AnyNode, to: Emitter): Quantization | undefined {
  const [y] = node.outputs.map((id) => to.tensor(id));
  if (y?.quantization === undefined || ![...MOVED, "resizeBilinear"].includes(node.kind)) return undefined;
  const differs = node.inputs.some((id) => {
    const { dtype, quantization } = id === NONE ? y : to.tensor(id);
    return dtype === y.dtype && quantization !== undefined && !sameScales(quantization, y.quantization);
  });
  return differs ? y.quantization : undefined;
}

/** Writes a node; false where ONNX has no form for it. */
export function writeNode(node: AnyNode, to: Emitter): boolean {
  to.where = node.where;
  const [y] = node.outputs.map((id) => to.tensor(id));
  to.isRaw =
    y !== undefined &&
    y.dtype !== "float32" &&
    y.quantization === undefined &&
    node.inputs.some((id) => id !== NONE && to.tensor(id).dtype === y.dtype);
  to.copied = copiedBy(node, to);
  const writer = ALL.map((writers) => writers[node.kind]).find((each) => each !== undefined) as
    | Writer<OpKind>
    | undefined;
  return whole(node, () => writer?.(node as Node<OpKind>, to) === true);
}
