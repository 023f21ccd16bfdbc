/** A graph that is being rewritten node by node: what its tensors mean, and who wrote them. */
import { type AnyNode, NONE, type Rounding, type TensorId } from "../../../graph.ts";
import { type DType, type Quantization, scaleOf, type Tensor, zeroOf } from "../../../tensor.ts";

export interface Network {
  readonly tensors: Tensor[];
  /** The nodes so far, in an order in which they run. */
  readonly nodes: AnyNode[];
  /** The integers that a float tensor was dequantized from. */
  readonly meaning: Map<TensorId, TensorId>;
  /** The quantized tensor whose bytes a tensor of plain integers has. */
  readonly raw: Map<TensorId, TensorId>;
  /** The integers of constants. */
  readonly origins: ReadonlyMap<TensorId, TensorId>;
  /** How often the file's nodes and the caller read each tensor. */
  readonly readers: Uint32Array;
  readonly producers: Map<TensorId, AnyNode>;
  /** PRelu on integers, where a file has it. */
  readonly slopedOf: Integers | undefined;
}

/** A node on integers; `undefined` where there is none. */
export type Integers = (net: Network, node: AnyNode, target: Target, rounding: Rounding) => TensorId | undefined;

/** The tensor with this id. */
export const tensorAt = (net: Network, id: TensorId): Tensor => net.tensors[id] as Tensor;

/** A new tensor. */
export function declare(net: Network, tensor: Tensor): TensorId {
  net.tensors.push(tensor);
  return (net.tensors.length - 1) as TensorId;
}

/** Appends a node. */
export function emit(net: Network, node: AnyNode): void {
  net.nodes.push(node);
  for (const id of node.outputs) if (id !== NONE) net.producers.set(id, node);
}

/** The quantization of a tensor of one scale. */
export interface Target {
  readonly dtype: DType;
  readonly quantization: Quantization;
}

/** True for types that the int8 kernels take. */
export const isByte = (dtype: DType): boolean => dtype === "int8" || dtype === "uint8";

export const sameTarget = (a: Target, b: Target): boolean =>
  a.dtype === b.dtype && scaleOf(a) === scaleOf(b) && zeroOf(a) === zeroOf(b);

/** What a tensor of one scale is quantized to; `undefined` for others. */
export function targetOf(net: Network, id: TensorId): Target | undefined {
  const { dtype, quantization } = tensorAt(net, id);
  return quantization?.scale.length === 1 ? { dtype, quantization } : undefined;
}

/** True where steps of y are not too many in one of this scale for kernels of integers. */
export const fits = (scale: number, y: Target): boolean => scale / scaleOf(y) < 2 ** 29;

/** The one number of a constant. */
export function scalarOf(net: Network, id: TensorId): number | undefined {
  const { dtype, shape, data } = tensorAt(net, id);
  if (data === undefined || dtype !== "float32" || shape.some((size) => size !== 1)) return undefined;
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getFloat32(0, true);
}
