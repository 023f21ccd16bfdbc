/** Values of a float graph in the types that a quantized one has them in: each is made once in each, and converted where it was made in another. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Affine } from "../../primitives/requantize/quantization.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf, floatsOf } from "../constants.ts";
import type { Affines } from "./groups.ts";
import type { Io } from "./options.ts";
import { type Activations, asQuantization, quantizeReals } from "./scales.ts";

/** The scale of a tensor in a type, uint8 being int8 moved up by 128. */
const shifted = ({ scale, zeroPoint }: Affine, dtype: Io): Affine =>
  dtype === "uint8" ? { scale, zeroPoint: zeroPoint + 128 } : { scale, zeroPoint };

/** A new graph that is empty yet, and what puts values of `graph` into it. */
export function createVersions(graph: Graph, affines: Affines) {
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  /** The tensor of the new graph that holds a value in a type. */
  const versions = new Map<string, TensorId>();
  /** The type in which each value of floats is made. */
  const made = new Map<TensorId, Io>();

  const add = (tensor: Tensor): TensorId => (tensors.push(tensor) - 1) as TensorId;
  const emit = (node: { readonly kind: string } & Omit<AnyNode, "kind">) => nodes.push(node as AnyNode);

  /** An empty tensor for a value in that type. */
  const declare = (id: TensorId, type: Io, affine?: Affine): TensorId => {
    const { quantization: _, ...tensor } = tensorOf(graph, id);
    if (type === "float32") return add(tensor);
    const own = affine ?? affines.of(id, type === "int16" ? "int16" : "int8");
    return add({ ...tensor, dtype: type, quantization: asQuantization(shifted(own, type)) });
  };
  /** Says which tensor holds a value in a type. */
  const put = (id: TensorId, type: Io, tensor: TensorId) => {
    versions.set(`${id} ${type}`, tensor);
    if (!made.has(id)) made.set(id, type);
    return tensor;
  };
  /** A node between two tensors of one value. */
  const convert = (from: TensorId, to: TensorId, where: string) => {
    const dtype = (tensors[to] as Tensor).dtype;
    emit({
      kind: dtype === "float32" ? "dequantize" : "quantize",
      where,
      inputs: [from],
      outputs: [to],
      attributes: {},
    });
    return to;
  };
  /** A value of the old graph in a type, converted where it was made in another. */
  const value = (id: TensorId, type: Io): TensorId => {
    const known = versions.get(`${id} ${type}`);
    if (known !== undefined) return known;
    const tensor = tensorOf(graph, id);
    const source = made.get(id);
    if (source === undefined) return put(id, type, add(tensor)); // a constant, or no float
    const from = versions.get(`${id} ${source}`) as TensorId;
    const to = declare(id, type);
    tensors[to] = { ...(tensors[to] as Tensor), name: `${tensor.name}/${type}` };
    return put(id, type, convert(from, to, `${tensor.name} as ${type}`));
  };
  /** A constant of floats for one node: at its group's scale where that is asked, otherwise at its own. */
  const constant = (id: TensorId, type: Activations, group: TensorId | undefined): TensorId => {
    const tensor = tensorOf(graph, id);
    const values = floatsOf(tensor);
    const affine = affines.of(group ?? id, type);
    const key = `${id} ${type} ${affine.scale} ${affine.zeroPoint}`;
    const known = versions.get(key);
    if (known !== undefined) return known;
    const data = bytesOf(quantizeReals(values, affine, type));
    const made = add({ ...tensor, dtype: type, data, quantization: asQuantization(affine) });
    versions.set(key, made);
    return made;
  };
  /** A constant that is stored as half-precision numbers, as floats. */
  const half = (id: TensorId, data: Uint8Array): TensorId => {
    const tensor = tensorOf(graph, id);
    const known = versions.get(`${id} float16`);
    if (known !== undefined) return known;
    const stored = add({ ...tensor, name: `${tensor.name}/float16`, dtype: "float16", data });
    const { data: _, ...computed } = tensor;
    const to = convert(stored, add(computed), `${tensor.name} as float32`);
    versions.set(`${id} float16`, to);
    return to;
  };

  /** A constant that is the same as one before, as the weights of a cell's steps are, is that one. */
  const alike = new Map<string, TensorId>();
  const share = (tensor: Tensor): TensorId => {
    const { name, dtype, shape, data = [], quantization } = tensor;
    const key = [name, dtype, shape, data.length, quantization?.scale.join()].join(" ");
    const known = alike.get(key);
    const before = known === undefined ? [] : (tensors[known]?.data ?? []);
    if (known !== undefined && data.every((byte, i) => byte === before[i])) return known;
    const id = add(tensor);
    alike.set(key, id);
    return id;
  };

  return { tensors, nodes, add, emit, declare, put, convert, value, constant, half, share };
}
