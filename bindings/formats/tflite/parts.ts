/** Operators of the file that are several nodes of the graph. */
import type { AnyNode, TensorId } from "../../graph.ts";
import { byteLength, elementCount, type Quantization, type Tensor } from "../../tensor.ts";

/** The node, or what it is made of; new tensors go into the list. */
export function partsOf(node: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  if (node.kind === "concat") return joined(node, tensors);
  if (node.kind === "softmax") return softened(node, tensors);
  if (/^(add|sub|mul|fullyConnected)$/.test(node.kind)) return [withoutNoWidth(node, tensors)];
  return [node];
}

/**
 * Operands of scale 0, which ranges of no width give and which stand for zeros: zeros in the other operand's scale, or of a ratio of 1.
 * Not only constants: the zeros that a recurrent layer begins with are a FILL.
 * Products of them are zeros, whatever the bias, as TFLite multiplies their sums by 0.
 */
function withoutNoWidth(node: AnyNode, tensors: Tensor[]): AnyNode {
  const scaleOf = (id: TensorId | undefined) => tensors[id as number]?.quantization?.scale;
  const isProduct = node.kind === "fullyConnected";
  const inputs = node.inputs.map((id, i) => {
    const tensor = tensors[id];
    const scales = scaleOf(node.inputs[1 - i]) ?? [];
    const other = scales.length === 1 || isProduct ? Math.max(...scales) : 0;
    const scale = scaleOf(id);
    if (tensor === undefined || scale?.length !== 1 || scale[0] !== 0 || !(other > 0)) return id;
    if (tensor.data === undefined && !isSmall(tensor)) return id;
    const [y = 1] = scaleOf(node.outputs[0]) ?? [];
    const own = node.kind === "mul" || isProduct ? y / other : other;
    const quantization: Quantization = { scale: [own], zeroPoint: [0], axis: 0 };
    const data = new Uint8Array(tensor.data?.length ?? byteLength(tensor));
    return (tensors.push({ ...tensor, data, quantization }) - 1) as TensorId;
  });
  const isZero = isProduct && inputs.some((id, i) => id !== node.inputs[i]);
  return { ...node, inputs: isZero ? inputs.slice(0, 2) : inputs };
}

/** Known, and small enough to be a constant that the file does not hold. */
const isSmall = ({ shape }: Tensor) => shape.every((n) => n > 0) && elementCount(shape) <= 1 << 16;

/** Joins that clamp: a step of its own, on integers of the same scale. */
function joined(node: AnyNode & { readonly kind: "concat" }, tensors: Tensor[]): readonly AnyNode[] {
  const { activation } = node.attributes;
  const [y] = node.outputs;
  if (activation === "none" || y === undefined) return [node];
  const { data: _, ...type } = tensors[y] as Tensor;
  const whole = (tensors.push({ ...type, name: `${type.name}/joined` }) - 1) as TensorId;
  return [
    { ...node, outputs: [whole], attributes: { ...node.attributes, activation: "none" } },
    { kind: activation, where: node.where, inputs: [whole], outputs: [y], attributes: {} },
  ];
}

/** Scale and zero point of softmax's outputs that its integer kernels have, by the types of input and output. */
const FIXED: { readonly [types: string]: readonly [number, number] } = {
  "int8 int8": [2 ** -8, -128],
  "int8 int16": [2 ** -16, -32768],
  "int16 int16": [2 ** -15, 0],
};

/** A softmax of integers whose output has another scale than its kernels: in float32, as TFLite's optimized kernels do. */
function softened(node: AnyNode & { readonly kind: "softmax" }, tensors: Tensor[]): readonly AnyNode[] {
  const [x, y] = [tensors[node.inputs[0] as number], tensors[node.outputs[0] as number]];
  const fixed = FIXED[`${x?.dtype} ${y?.dtype}`];
  if (x === undefined || fixed === undefined || isNear(y?.quantization, fixed)) return [node];
  const { where } = node;
  const real = (name: string) =>
    (tensors.push({ name: `${x.name}/${name}`, dtype: "float32", shape: x.shape }) - 1) as TensorId;
  const [from, to] = [real("real"), real("softmax")];
  return [
    { kind: "dequantize", where, inputs: node.inputs, outputs: [from], attributes: {} },
    { ...node, inputs: [from], outputs: [to] },
    { kind: "quantize", where, inputs: [to], outputs: node.outputs, attributes: {} },
  ];
}

/** True without scales, which the operator refuses itself, and within a thousandth. */
function isNear(quantization: Quantization | undefined, [scale, zeroPoint]: readonly [number, number]): boolean {
  const [own, zero] = [quantization?.scale[0], quantization?.zeroPoint[0]];
  return own === undefined || (Math.abs(own - scale) <= scale / 1000 && zero === zeroPoint);
}
