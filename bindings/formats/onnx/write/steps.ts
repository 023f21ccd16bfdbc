/** What writers of nodes share: real values in and out, activations, weights in another order. */
import type { Activation, AnyNode, Node, OpKind, Padding, TensorId } from "../../../graph.ts";
import { BITS, type Quantization, type Tensor } from "../../../tensor.ts";
import type { Emitter } from "./emit.ts";
import { DATA_TYPES, type OnnxAttribute } from "./model.ts";
import { reals } from "./values.ts";

/** Writes a node; false where ONNX has no form for it. */
export type Writer<K extends OpKind> = (node: Node<K>, to: Emitter) => boolean;

export const FIRST = [0, 3, 1, 2];
export const LAST = [0, 2, 3, 1];

/** What `Slice` takes for "to the very start", walking back. */
export const BEFORE_START = -(2 ** 31);

export const sizesOf = (node: AnyNode, to: Emitter) => to.tensor(output(node)).shape;
export const input = (node: AnyNode, i: number) => node.inputs[i] as TensorId;
/** Real values of the first input. */
export const given = (node: Pick<AnyNode, "inputs">, to: Emitter) => to.real(node.inputs[0] as TensorId);
export const output = (node: AnyNode) => node.outputs[0] as TensorId;

/** Sets the output, behind the node's own activation, with its dimensions in that order. */
export function finish(
  node: AnyNode,
  to: Emitter,
  real: string,
  activation: Activation = "none",
  perm?: readonly number[],
): true {
  const y = activated(to, real, activation);
  to.set(output(node), perm === undefined ? y : to.step("Transpose", [to.settled(y, output(node))], { perm }));
  return true;
}

export function activated(to: Emitter, real: string, activation: Activation): string {
  if (activation === "none") return real;
  if (activation === "relu") return to.step("Relu", [real]);
  const [low, high] = activation === "relu6" ? [0, 6] : [-1, 1];
  return clip(to, real, low as number, high as number);
}

export function clip(to: Emitter, real: string, low: number, high: number): string {
  const bound = (value: number) => to.constant(`${real}/bound`, "float32", [], Float32Array.of(value));
  return to.step("Clip", [real, bound(low), bound(high)]);
}

/** One input, one output, no more to say. */
export const unary =
  (type: string, attributes: Readonly<Record<string, OnnxAttribute>> = {}): Writer<OpKind> =>
  (node, to) =>
    finish(node as AnyNode, to, to.step(type, [given(node, to)], attributes));

/** One operator of all inputs, and the activation where the node has one. */
export const pairs =
  (type: string): Writer<OpKind> =>
  (node, to) => {
    const { activation } = node.attributes as { readonly activation?: Activation };
    const inputs = (node as AnyNode).inputs.map((id) => to.real(id));
    return finish(node as AnyNode, to, to.step(type, inputs), activation);
  };

/** One operator after the other, on the real values of all inputs. */
export const chain =
  (...types: readonly string[]): Writer<OpKind> =>
  (node, to) => {
    const [first = "Identity", ...more] = types;
    const ids = (node as AnyNode).inputs;
    const y = more.reduce(
      (x, type) => to.step(type, [x]),
      to.step(
        first,
        ids.map((id) => to.real(id)),
      ),
    );
    return finish(node as AnyNode, to, y);
  };

/** A reduction over constant axes, which are an attribute in older operators but for sums. */
export function reduction(to: Emitter, type: string, x: string, axes: readonly number[], keepdims: boolean): string {
  const keep = { keepdims: Number(keepdims) };
  return to.opset >= 18 || type === "ReduceSum"
    ? to.step(type, [x, to.integers("axes", axes)], keep)
    : to.step(type, [x], { axes, ...keep });
}

/** A node that is a reduction. */
export const reduced =
  (type: string): Writer<"mean" | "sum" | "reduceMax" | "reduceMin" | "reduceProd"> =>
  (node, to) => {
    const axes = to.numbers(node.inputs[1]);
    if (axes === undefined) return false;
    const x = given(node, to);
    // over no axes, which a reader would take for all
    if (axes.length === 0) return finish(node as AnyNode, to, to.step("Identity", [x]));
    return finish(node as AnyNode, to, reduction(to, type, x, axes, node.attributes.keepDims));
  };

/** Weights in another order of dimensions, a constant's quantization along, whose channels are then those of `axis`. */
export function reordered(
  to: Emitter,
  id: TensorId,
  order: readonly number[],
  shape: readonly number[],
  axis = 0,
): string {
  const tensor = to.tensor(id);
  const own = to.name(id);
  const source = to.constants.find(({ name }) => name === own);
  if (source === undefined) {
    const turned = to.step("Transpose", [to.real(id)], { perm: order });
    return shape.length > order.length || shape.some((size, i) => size !== tensor.shape[order[i] as number])
      ? reshaped(to, turned, shape)
      : turned;
  }
  const permuted = permute(source.data, source.shape, order, Math.ceil(BITS[source.dtype] / 8));
  const name = to.fresh(`${source.name}/${order.join("")}`);
  to.constants.push({ name, dtype: source.dtype, shape, data: permuted });
  if (tensor.quantization === undefined || source.dtype === "float32") return name;
  const quantization: Quantization = { ...tensor.quantization, axis };
  return to.dequantized(name, source.dtype, quantization, shape);
}

/** A constant's elements in another order of dimensions. */
export function permute(
  data: Uint8Array,
  shape: readonly number[],
  order: readonly number[],
  width: number,
): Uint8Array {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, width));
  const sizes = order.map((i) => shape[i] as number);
  const result = new Uint8Array(data.length);
  const at = new Array<number>(sizes.length).fill(0);
  for (let to = 0; to < data.length; to += width) {
    let from = 0;
    for (const [i, dimension] of order.entries()) from += (at[i] as number) * (strides[dimension] as number);
    result.set(data.subarray(from, from + width), to);
    for (let i = sizes.length - 1; i >= 0; i--) {
      at[i] = (at[i] as number) + 1;
      if ((at[i] as number) < (sizes[i] as number)) break;
      at[i] = 0;
    }
  }
  return result;
}

/** Paddings of a window as ONNX lists them: before each dimension, then after. */
export function pads(
  padding: Padding,
  size: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): readonly number[] {
  if (padding === "valid") return size.flatMap(() => [0, 0]);
  if (padding !== "same") return [padding.top, padding.left, padding.bottom, padding.right];
  const before: number[] = [];
  const after = size.map((n, i) => {
    const [k, s, d] = [kernel[i], stride[i], dilation[i]] as [number, number, number];
    const total = Math.max((Math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0);
    before.push(Math.floor(total / 2));
    return total - Math.floor(total / 2);
  });
  return [...before, ...after];
}

/** A dimension's number from the first. */
export const axisOf = (to: Emitter, source: TensorId, axis: number) =>
  axis < 0 ? axis + to.tensor(source).shape.length : axis;

/** A tensor of the graph, in the type that it has. */
export function cast(id: TensorId, to: Emitter, value: string): boolean {
  const type = DATA_TYPES[to.tensor(id).dtype];
  if (type === undefined) return false;
  to.add("Cast", [value], to.name(id), { to: type });
  return true;
}

/** A number. */
export const real = (to: Emitter, value: number, name = "factor") =>
  to.constant(name, "float32", [], Float32Array.of(value));

/** What is before each dimension, then what is after: of pairs. */
export const bothSides = (amounts: readonly number[]) =>
  [0, 1].flatMap((side) => amounts.filter((_, i) => i % 2 === side));

/** One element as a scalar. */
export const scalar = (to: Emitter, id: TensorId) =>
  to.tensor(id).shape.length === 0 ? to.real(id) : reshaped(to, to.real(id), []);

/** Axes turned round. */
export const reversed = (to: Emitter, x: string, axes: readonly number[]): string => {
  const each = (value: number) =>
    to.integers(
      "part",
      axes.map(() => value),
    );
  return to.step("Slice", [x, each(-1), each(BEFORE_START), to.integers("axes", axes), each(-1)]);
};

/** Indices as int64, which some operators ask for. */
export function longs(to: Emitter, id: TensorId): string {
  return to.tensor(id).dtype === "int64"
    ? to.name(id)
    : to.step("Cast", [to.name(id)], { to: DATA_TYPES.int64 as number });
}

export const spatial = ({ shape }: Tensor) => shape.slice(1, 3);

/** Real values of a product's bias: integers are steps of the product of its input's scale and its weights', whatever scale they tell. */
export function biasOf(to: Emitter, id: TensorId, x: TensorId, w: TensorId): string {
  const { dtype, quantization, shape, data } = to.tensor(id);
  const [scaleX = 1] = to.tensor(x).quantization?.scale ?? [];
  const scales = to.tensor(w).quantization?.scale;
  const isSum = scales !== undefined && to.tensor(x).quantization !== undefined;
  const scale = isSum ? scales.map((each) => Math.fround(each * scaleX)) : quantization?.scale;
  if (dtype === "float32" || scale === undefined) return to.real(id);
  const own: Quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  // The sums of int16 are int64, which nothing dequantizes.
  if (dtype === "int64" && data !== undefined) {
    const sums = new BigInt64Array(new Uint8Array(data).buffer);
    const isShort = sums.every((sum) => sum === BigInt.asIntN(32, sum));
    if (!isShort) return to.constant("bias", "float32", shape, reals(sums, scale));
    const name = to.constant("bias", "int32", shape, Int32Array.from(sums, Number));
    return to.dequantized(name, "int32", own, shape);
  }
  return to.dequantized(to.name(id), dtype, own, shape);
}

/** A value in another shape. */
export const reshaped = (to: Emitter, x: string, shape: readonly number[]) =>
  to.step("Reshape", [x, to.integers("shape", shape)], shape.includes(0) ? { allowzero: 1 } : {});

/** A part of a value: from where and to where, of which axes, in which steps; of the first axes where none are named. */
export const sliced = (to: Emitter, x: string, ...parts: readonly (readonly number[])[]) =>
  to.step("Slice", [x, ...parts.map((each) => to.integers("part", each))]);
