/**
 * uint8 → int8, where a graph has both: TensorFlow Lite multiplies bytes of one type alone. Importers of .onnx files make int8 of weights, whatever
 * their activations are.
 */
import { type AnyNode, type Graph, NONE, type Port, type TensorId } from "../../../graph.ts";
import type { Tensor } from "../../../tensor.ts";

/** Operators that see a tensor's integers, not the real values that these stand for. */
const RAW: readonly string[] = ["cast", "bitcast", "where", "nonZero", "unique", "if", "while"];
/** Operators that go from one type to another. */
const BETWEEN: readonly string[] = ["quantize", "dequantize"];

const isByte = (tensor: Tensor | undefined) => tensor?.dtype === "uint8" && tensor.quantization?.scale.length === 1;

/** Whether a node has bytes of both types, or of the one that its operator is not there for. */
function isMixed({ kind, inputs, outputs }: AnyNode, tensors: readonly Tensor[]): boolean {
  if (BETWEEN.includes(kind) || RAW.includes(kind)) return false;
  const all = [...inputs, ...outputs].map((id) => tensors[id]);
  if (!all.some(isByte)) return false;
  const isSigned = (tensor: Tensor | undefined) =>
    (tensor?.dtype === "int8" || tensor?.dtype === "int4") && tensor.quantization !== undefined;
  return kind === "batchMatMul" || all.some(isSigned);
}

const flipped = (data: Uint8Array) => data.map((byte) => byte ^ 0x80);

function signedOf({ data, quantization, ...tensor }: Tensor): Tensor {
  return {
    ...tensor,
    dtype: "int8",
    ...(quantization && { quantization: { ...quantization, zeroPoint: quantization.zeroPoint.map((z) => z - 128) } }),
    ...(data && { data: flipped(data) }),
  };
}

/** The graph in int8, behind QUANTIZE where its inputs are uint8 and before it where its outputs are; one of a single type as it is. */
export function signed(graph: Graph): Graph {
  if (!graph.nodes.some((node) => isMixed(node, graph.tensors))) return graph;
  const isOld = graph.tensors.map(isByte);
  const tensors = graph.tensors.map((tensor, i) => (isOld[i] ? signedOf(tensor) : tensor));
  const [first, last]: [AnyNode[], AnyNode[]] = [[], []];
  /** The tensor as it was, beside the one that has its place. */
  const former = (id: TensorId): TensorId => {
    const tensor = graph.tensors[id] as Tensor;
    tensors[id] = { ...(tensors[id] as Tensor), name: `${tensor.name}/signed` };
    return (tensors.push(tensor) - 1) as TensorId;
  };
  const between = (from: TensorId, to: TensorId, where: string): AnyNode => ({
    kind: "quantize",
    where,
    inputs: [from],
    outputs: [to],
    attributes: {},
  });
  const port = (nodes: AnyNode[], isInput: boolean) => {
    const known = new Map<TensorId, TensorId>();
    return ({ name, tensor: id }: Port): Port => {
      if (!isOld[id]) return { name, tensor: id };
      const other = known.get(id) ?? former(id);
      if (!known.has(id))
        nodes.push(isInput ? between(other, id, `input "${name}"`) : between(id, other, `output "${name}"`));
      known.set(id, other);
      return { name, tensor: other };
    };
  };
  const inputs = graph.inputs.map(port(first, true));
  const outputs = graph.outputs.map(port(last, false));
  const nodes = graph.nodes.flatMap((node): readonly AnyNode[] => {
    const isRaw = RAW.includes(node.kind);
    const [before, after]: [AnyNode[], AnyNode[]] = [[], []];
    const outer = (id: TensorId, isInput: boolean): TensorId => {
      if (id === NONE || !isOld[id] || !isRaw) return id;
      const other = former(id);
      if (isInput) before.push(between(id, other, node.where));
      else after.push(between(other, id, node.where));
      return other;
    };
    const own = {
      ...node,
      inputs: node.inputs.map((id, i) => padding(node, i, id) ?? outer(id, true)),
      outputs: node.outputs.map((id) => outer(id, false)),
    } as AnyNode;
    return [...before, own, ...after];
  });
  /** A constant that has the scale of what it is put around, and tells none. */
  function padding({ kind, inputs: given }: AnyNode, i: number, id: TensorId): TensorId | undefined {
    const tensor = graph.tensors[id];
    const isValue = (kind === "pad" || kind === "dilate") && i === 2 && isOld[given[0] as TensorId];
    if (!isValue || tensor?.dtype !== "uint8" || isOld[id]) return undefined;
    return (tensors.push(signedOf(tensor)) - 1) as TensorId;
  }
  return { ...graph, tensors, inputs, outputs, nodes: [...first, ...nodes, ...last] };
}
