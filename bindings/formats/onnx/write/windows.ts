/** Transposed convolutions and roots of means of squares → ONNX operators. */
import { type AnyNode, NONE, type OpKind, type Padding, type TensorId } from "../../../graph.ts";
import { dimensions } from "../../../tensor.ts";
import type { Emitter } from "./emit.ts";
import { biasOf, FIRST, finish, input, LAST, output, pads, reordered, spatial, type Writer } from "./steps.ts";

/** What a transposed convolution is given. */
interface Given {
  /** `[outputs, height, width, inputs]`. */
  readonly w: TensorId;
  readonly x: TensorId;
  readonly bias: TensorId | undefined;
  readonly stride: readonly number[];
  readonly padding: Padding;
  /** Height and width of the output. */
  readonly made: readonly number[];
}

/** The convolution, channels first. */
function transposed(to: Emitter, { w, x, bias, stride, padding, made }: Given): string {
  const [outputs, kH, kW, inputs] = dimensions(to.tensor(w).shape, 4);
  const weights = reordered(to, w, [3, 0, 1, 2], [inputs, outputs, kH, kW], 1);
  const sides = spatial(to.tensor(x)).map((size, i) => {
    const over = (size - 1) * (stride[i] as number) + ([kH, kW][i] as number) - (made[i] as number);
    const own = typeof padding === "object" ? [padding.top, padding.left][i] : undefined;
    const before = own ?? Math.max(0, Math.floor(over / 2));
    return { before, after: Math.max(0, over - before), more: Math.max(0, before - over) };
  });
  const list = [to.step("Transpose", [to.real(x)], { perm: FIRST }), weights];
  if (bias !== undefined && bias !== NONE) list.push(biasOf(to, bias, x, w));
  return to.step("ConvTranspose", list, {
    kernel_shape: [kH, kW],
    strides: stride,
    pads: [...sides.map(({ before }) => before), ...sides.map(({ after }) => after)],
    output_padding: sides.map(({ more }) => more),
  });
}

/** Inputs: the output's shape, weights, the image, perhaps a bias. */
const transposeConv: Writer<"transposeConv"> = (node, to) => {
  const { stride, padding, activation } = node.attributes;
  const [w, x, bias] = [input(node, 1), input(node, 2), node.inputs[3]];
  const y = transposed(to, { w, x, bias, stride, padding, made: spatial(to.tensor(output(node))) });
  return finish(node, to, y, activation, LAST);
};

/** Inputs: the image, weights, a bias; the output is as many strides as the image is large, or what the outermost windows reach. */
const transposeConvBias: Writer<"transposeConvBias"> = (node, to) => {
  const { stride, padding } = node.attributes;
  const [x, w, bias] = [input(node, 0), input(node, 1), node.inputs[2]];
  const kernel = spatial(to.tensor(w));
  const made = spatial(to.tensor(x)).map((size, i) => {
    const [k, s] = [kernel[i], stride[i]] as [number, number];
    return padding === "same" ? size * s : (size - 1) * s + k;
  });
  return finish(node, to, transposed(to, { w, x, bias, stride, padding, made }), "none", LAST);
};

/** Padding does not count. */
const l2Pool2d: Writer<"l2Pool2d"> = (node, to) => {
  const { filter, stride, padding, activation } = node.attributes;
  const x = input(node as AnyNode, 0);
  const images = to.step("Transpose", [to.real(x)], { perm: FIRST });
  const mean = to.step("AveragePool", [to.step("Mul", [images, images])], {
    kernel_shape: filter,
    strides: stride,
    pads: pads(padding, spatial(to.tensor(x)), filter, stride, [1, 1]),
  });
  return finish(node, to, to.step("Sqrt", [mean]), activation, LAST);
};

/** Writers by kind. */
export const WINDOWS: { readonly [K in OpKind]?: Writer<K> } = { transposeConv, transposeConvBias, l2Pool2d };
