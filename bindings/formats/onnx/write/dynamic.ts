/** Products of floats by int8 weights whose activations are quantized on the way: integers, as the files have them that they come from. */
import { type AnyNode, NONE, type Node, type Rounding, type TensorId } from "../../../graph.ts";
import { dimensions, sizeOf } from "../../../tensor.ts";
import type { Emitter } from "./emit.ts";
import { DATA_TYPES } from "./model.ts";
import { FIRST, input, pads, permute, spatial } from "./steps.ts";

type Product = Node<"conv2d" | "depthwiseConv2d" | "fullyConnected">;

/** Weights of such a product; undefined of another. TensorFlow Lite quantizes otherwise: its products stay those of real weights. */
function weightsOf(node: Product, to: Emitter): TensorId | undefined {
  const [x, w] = [input(node as AnyNode, 0), input(node as AnyNode, 1)];
  const { rounding } = node.attributes as { readonly rounding?: Rounding };
  const { dtype, data, quantization } = to.tensor(w);
  const isDynamic = rounding?.rule === "onnx" && to.tensor(x).dtype === "float32" && dtype === "int8";
  return isDynamic && data !== undefined && quantization !== undefined ? w : undefined;
}

/** Integers, scale and zero point of activations, by name. */
function quantized(to: Emitter, x: string): readonly [string, string, string] {
  const [values, scale, zero] = ["bytes", "scale", "zero"].map((part) => to.fresh(`${x}/${part}`)) as [
    string,
    string,
    string,
  ];
  to.add("DynamicQuantizeLinear", [x], values, {}, [scale, zero]);
  return [values, scale, zero];
}

/** Sums as real values, with the bias; one factor, or one for each channel in that shape. */
function realSums(to: Emitter, node: Product, sums: string, scale: string, shape: readonly number[]): string {
  const { quantization } = to.tensor(input(node as AnyNode, 1));
  const scales = Float32Array.from(quantization?.scale ?? []);
  const factors = to.constant("scales", "float32", scales.length === 1 ? [] : shape, scales);
  const real = to.step("Cast", [sums], { to: DATA_TYPES.float32 as number });
  const y = to.step("Mul", [real, to.step("Mul", [scale, factors])]);
  const bias = node.inputs[2];
  if (bias === undefined || bias === NONE) return y;
  const { data } = to.tensor(bias);
  const added = data === undefined ? to.name(bias) : to.constant("bias", "float32", shape, data);
  return to.step("Add", [y, added]);
}

/** Rows `[-1, K]` by weights `[N, K]`; undefined where the product is none of these. */
export function dynamicMatrix(node: Node<"fullyConnected">, to: Emitter, rows: string): string | undefined {
  const w = weightsOf(node, to);
  if (w === undefined) return undefined;
  const { data = new Uint8Array(0), shape, quantization } = to.tensor(w);
  const [n, k] = dimensions(shape, 2);
  const zeros = quantization?.zeroPoint ?? [];
  const isSingle = zeros.every((zero) => zero === zeros[0]);
  const matrix = to.constant("weights", "int8", [k, n], permute(data, shape, [1, 0], 1));
  const own = Int8Array.from(isSingle ? zeros.slice(0, 1) : zeros);
  const zero = to.constant("zeros", "int8", isSingle ? [] : [n], own);
  const [values, scale, least] = quantized(to, rows);
  return realSums(to, node, to.step("MatMulInteger", [values, matrix, least, zero]), scale, [n]);
}

/** A convolution, channels first; undefined where it is none of these, or has zero points of its own for channels. */
export function dynamicConvolution(node: Node<"conv2d" | "depthwiseConv2d">, to: Emitter): string | undefined {
  const w = weightsOf(node, to);
  const { data = new Uint8Array(0), shape, quantization } = to.tensor(w ?? input(node as AnyNode, 1));
  const zeros = quantization?.zeroPoint ?? [];
  const bias = node.inputs[2];
  const isComputed = bias !== undefined && bias !== NONE && to.tensor(bias).data === undefined;
  if (w === undefined || isComputed || zeros.some((zero) => zero !== zeros[0])) return undefined;
  const x = input(node as AnyNode, 0);
  const [o, kH, kW, last] = dimensions(shape, 4);
  const isDepthwise = node.kind === "depthwiseConv2d";
  const [sizes, order] = isDepthwise
    ? [
        [last, 1, kH, kW],
        [3, 0, 1, 2],
      ]
    : [[o, last, kH, kW], FIRST];
  const kernel = to.constant("weights", "int8", sizes, permute(data, shape, order, 1));
  const zero = to.constant("zero", "int8", [], Int8Array.from(zeros.slice(0, 1)));
  const [values, scale, least] = quantized(to, to.step("Transpose", [to.real(x)], { perm: FIRST }));
  const { stride, dilation, padding } = node.attributes;
  const channels = sizeOf(to.tensor(x), 3);
  const sums = to.step("ConvInteger", [values, kernel, least, zero], {
    kernel_shape: [kH, kW],
    strides: stride,
    dilations: dilation,
    pads: pads(padding, spatial(to.tensor(x)), [kH, kW], stride, dilation),
    group: isDepthwise ? channels : channels / last,
  });
  return realSums(to, node, sums, scale, [1, sizes[0] as number, 1, 1]);
}
