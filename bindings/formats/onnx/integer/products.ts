/** Convolutions and matrix products of integers. */
import { type AnyNode, NONE, type OpKind, type Rounding, type TensorId } from "../../../graph.ts";
import { elementCount, type Quantization, scaleOf, sizeOf, type Tensor, typedCopy } from "../../../tensor.ts";
import { rint } from "../rounding.ts";
import { declare, emit, fits, isByte, type Network, type Target, targetOf, tensorAt } from "./network.ts";

/** Where x, weights and bias stand, and the weights' dimension of output channels. */
export const PRODUCTS = {
  conv2d: { x: 0, w: 1, bias: 2, axis: 0 },
  depthwiseConv2d: { x: 0, w: 1, bias: 2, axis: 3 },
  fullyConnected: { x: 0, w: 1, bias: 2, axis: 0 },
  transposeConv: { x: 2, w: 1, bias: 3, axis: 0 },
} as const satisfies { readonly [K in OpKind]?: object };
export type Product = keyof typeof PRODUCTS;

/** Products of 8 bits whose sums 32 bits hold. */
const MOST_PRODUCTS = 32768;

export const isProduct = (kind: OpKind): kind is Product => Object.hasOwn(PRODUCTS, kind);

/** The node on integers; `undefined` where its operands have none. */
export function productOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  if (node.kind === "batchMatMul") return matricesOf(net, node, target, rounding);
  if (!isProduct(node.kind) || !("activation" in node.attributes) || node.attributes.activation !== "none")
    return undefined;
  const at = PRODUCTS[node.kind];
  const x = bytesOf(net, node.inputs[at.x] as TensorId);
  const origin = net.origins.get(node.inputs[at.w] as TensorId);
  if (x === undefined || origin === undefined) return undefined;
  const channels = sizeOf(tensorAt(net, origin), at.axis);
  const w = weightsOf(tensorAt(net, origin), channels, at.axis);
  if (w === undefined || elementCount(w.shape) / channels > MOST_PRODUCTS) return undefined;
  const scales = accumulatorScales(targetOf(net, x) as Target, w);
  if (!scales.every((scale) => fits(scale, target))) return undefined;
  const bias = node.inputs[at.bias];
  const values = bias === undefined || bias === NONE ? undefined : biasOf(net, bias, scales, channels);
  if (values === undefined && bias !== undefined && bias !== NONE) return undefined;
  const offsets = values && bias !== undefined ? offsetsOf(net, bias, values, scales, target) : undefined;
  const inputs = [...node.inputs];
  inputs[at.x] = x;
  inputs[at.w] = declare(net, w);
  if (values !== undefined) {
    const data = new Uint8Array(values.buffer);
    inputs[at.bias] = declare(net, { name: "", dtype: "int32", shape: [channels], data });
  }
  return emitOn(net, node, inputs, target, offsets ? { ...rounding, offsets } : rounding);
}

/** A part of a step that nobody sees: int32 of the file come back as floats of this precision. */
const LEAST_PART = 2 ** -13;

/** Steps of y that whole biases leave of those in floats; `undefined` where they leave nothing. */
function offsetsOf(
  net: Network,
  id: TensorId,
  whole: Int32Array,
  scales: Float32Array,
  y: Target,
): Float32Array | undefined {
  const { data } = tensorAt(net, id);
  if (data === undefined) return undefined;
  const ys = Math.fround(y.quantization.scale[0] as number);
  const parts = typedCopy("float32", data) as Float32Array;
  let isSeen = false;
  for (let c = 0; c < parts.length; c++) {
    const scale = scales[scales.length === 1 ? 0 : c] as number;
    parts[c] = ((parts[c] as number) - (whole[c] as number) * scale) / ys;
    if (Math.abs(parts[c] as number) > LEAST_PART) isSeen = true;
  }
  return isSeen ? parts : undefined;
}

/** The integers behind a float tensor, of 8 bits. */
function bytesOf(net: Network, f: TensorId): TensorId | undefined {
  const id = net.meaning.get(f);
  return id !== undefined && isByte(tensorAt(net, id).dtype) && targetOf(net, id) ? id : undefined;
}

function emitOn(net: Network, node: AnyNode, inputs: readonly TensorId[], target: Target, rounding: Rounding) {
  const y = declare(net, { name: "", shape: tensorAt(net, node.outputs[0] as TensorId).shape, ...target });
  emit(net, { ...node, inputs, outputs: [y], attributes: { ...node.attributes, rounding } } as AnyNode);
  return y;
}

/** Weights as int8 with zero points of 0 where that holds them, which is the fastest; `undefined` for other types. */
function weightsOf(tensor: Tensor, channels: number, axis: number): Tensor | undefined {
  const { dtype, shape, quantization, data } = tensor;
  if (!isByte(dtype) || quantization === undefined || data === undefined) return undefined;
  const { scale, zeroPoint } = quantization;
  if (scale.length > 1 && (scale.length !== channels || quantization.axis !== axis)) return undefined;
  if (zeroPoint.every((each) => each === 0) && dtype === "int8")
    return { ...tensor, quantization: { ...quantization, axis } };
  const inner = elementCount(shape.slice(axis + 1));
  const zeroOf = (i: number) => zeroPoint[zeroPoint.length === 1 ? 0 : Math.floor(i / inner) % channels] as number;
  const centred = Int16Array.from(typedCopy(dtype, data) as Int8Array, (q, i) => q - zeroOf(i));
  if (centred.some((value) => value < -128 || value > 127))
    return { ...tensor, quantization: { ...quantization, axis } };
  const plain: Quantization = { scale, zeroPoint: [0], axis };
  return {
    name: tensor.name,
    dtype: "int8",
    shape,
    quantization: plain,
    data: new Uint8Array(Int8Array.from(centred).buffer),
  };
}

/** f32(xs·ws): what one unit of each accumulator is. */
function accumulatorScales({ quantization }: Target, w: Tensor): Float32Array {
  const xs = Math.fround(quantization.scale[0] as number);
  const scales = new Float32Array(w.quantization?.scale ?? []);
  for (let c = 0; c < scales.length; c++) scales[c] = xs * (scales[c] as number);
  return scales;
}

/** The bias as int32: its own integers, or floats at the accumulators' scales. */
function biasOf(net: Network, id: TensorId, scales: Float32Array, channels: number): Int32Array | undefined {
  const tensor = tensorAt(net, id);
  if (tensor.data === undefined || elementCount(tensor.shape) !== channels) return undefined;
  const scaleOf = (c: number) => scales[scales.length === 1 ? 0 : c] as number;
  const origin = net.origins.get(id);
  const integers = origin === undefined ? undefined : tensorAt(net, origin);
  if (integers?.dtype === "int32" && integers.data !== undefined) {
    const { scale = [], zeroPoint = [] } = integers.quantization ?? {};
    const fits = (c: number) => Math.abs((scale[scale.length === 1 ? 0 : c] as number) / scaleOf(c) - 1) < 1e-6;
    let same = true;
    for (let c = 0; c < channels && same; c++) same = fits(c);
    if (same && zeroPoint.every((each) => each === 0)) return typedCopy("int32", integers.data) as Int32Array;
  }
  if (tensor.dtype !== "float32") return undefined;
  const values = Array.from(typedCopy("float32", tensor.data) as Float32Array, (b, c) => rint(b / scaleOf(c)));
  return values.every((b) => Math.abs(b) < 2 ** 31) ? Int32Array.from(values) : undefined;
}

/** A product of two computed stacks of matrices. */
function matricesOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  const [a, b] = node.inputs.map((id) => bytesOf(net, id) ?? byteOrigin(net, id));
  if (a === undefined || b === undefined) return undefined;
  const depth = sizeOf(tensorAt(net, a), -1);
  const [s, t] = [a, b].map((id) => scaleOf(tensorAt(net, id))) as [number, number];
  return depth > MOST_PRODUCTS || !fits(s * t, target) ? undefined : emitOn(net, node, [a, b], target, rounding);
}

/** The integers of a constant of one scale. */
function byteOrigin(net: Network, id: TensorId): TensorId | undefined {
  const origin = net.origins.get(id);
  return origin !== undefined && isByte(tensorAt(net, origin).dtype) && targetOf(net, origin) ? origin : undefined;
}
