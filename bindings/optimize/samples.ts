/** Networks of one sample made ready for several, where they speak of the one: the same numbers for each. */
import { setBatch } from "../formats/batch.ts";
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../graph.ts";
import { runPasses } from "../passes/index.ts";
import { byteLength, type Tensor } from "../tensor.ts";
import { bytesOf, numbersOf } from "./constants.ts";
import { samplesFirst } from "./sequences.ts";

/**
 * `setBatch`, also of ranges and repetitions that name the one sample, sequences before it, dense layers that flatten it, and constants that are joined to it.
 *
 * Errors: those of `setBatch`.
 */
export function setSamples(graph: Graph, batch: number): Graph {
  const { tensors } = runPasses(graph, { only: "none", limits: { memory: 2 ** 32 } });
  const own = [...graph.tensors];
  const nodes = samplesFirst(graph, tensors).flatMap((node): readonly AnyNode[] => {
    if (PAIRS.includes(node.kind)) return withRank(node, tensors, own);
    if (tensors[node.inputs[0] ?? NONE]?.shape[0] !== 1) return [node];
    if (node.kind === "broadcastTo") return [repeating(node, tensors, own)];
    return [node.kind === "stridedSlice" ? wholeRange(node, own) : node];
  });
  return joined(setBatch({ ...graph, tensors: own, nodes }, batch), batch);
}

const PAIRS: readonly string[] = ["add", "sub", "mul", "div", "squaredDifference", "maximum", "minimum"];

/** Operands of which one has lost the sample's dimension, as dense layers flatten it, get it back. */
function withRank(node: AnyNode, typed: readonly Tensor[], tensors: Tensor[]): readonly AnyNode[] {
  const shapes = node.inputs.map((id) => typed[id]?.shape ?? []);
  const most = Math.max(...shapes.map((shape) => shape.length));
  const before: AnyNode[] = [];
  const inputs = node.inputs.map((id, i) => {
    const [shape, other] = [shapes[i] ?? [], shapes[1 - i] ?? []];
    const whole = [1, ...shape];
    if (shape.length !== most - 1 || typed[id]?.data !== undefined || other.join() !== whole.join()) return id;
    const data = bytesOf(Int32Array.from(whole));
    const target = tensors.push({ name: `samples_${tensors.length}`, dtype: "int32", shape: [whole.length], data }) - 1;
    const y = tensors.push({ ...(tensors[id] as Tensor), name: `samples_${tensors.length}`, shape: whole }) - 1;
    const ends = { inputs: [id, target as TensorId], outputs: [y as TensorId] };
    before.push({ kind: "reshape", where: node.where, ...ends, attributes: {} } as AnyNode);
    return y as TensorId;
  });
  return before.length === 0 ? [node] : [...before, { ...node, inputs } as AnyNode];
}

/** A range from 0 to 1 of the first dimension as all of it. */
function wholeRange(node: Extract<AnyNode, { kind: "stridedSlice" }>, tensors: readonly Tensor[]): AnyNode {
  const [begin, end, step] = [1, 2, 3].map((i) => numbersOf(tensors[node.inputs[i] as TensorId])[0]);
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset } = node.attributes;
  const plain = ((ellipsisMask | newAxisMask | shrinkAxisMask) & 1) === 0 && offset !== true && step === 1;
  const starts = (beginMask & 1) === 1 || begin === 0;
  const ends = (endMask & 1) === 1 || (end !== undefined && end >= 1);
  if (!plain || !starts || !ends) return node;
  return { ...node, attributes: { ...node.attributes, beginMask: beginMask | 1, endMask: endMask | 1 } };
}

/** A repetition to a shape by how often. */
function repeating(node: AnyNode, typed: readonly Tensor[], tensors: Tensor[]): AnyNode {
  const [x, y] = [node.inputs[0], node.outputs[0]].map((id) => typed[id ?? NONE]?.shape ?? []) as [number[], number[]];
  if (x.length !== y.length || y[0] !== 1) return node;
  const data = bytesOf(Int32Array.from(y, (size, d) => size / (x[d] as number)));
  const times = tensors.push({ name: `samples_${tensors.length}`, dtype: "int32", shape: [y.length], data }) - 1;
  return { ...node, kind: "tile", inputs: [node.inputs[0] as TensorId, times as TensorId], attributes: {} } as AnyNode;
}

/** Each sample is joined to constants of its own. */
function joined(graph: Graph, batch: number): Graph {
  if (graph.batch === undefined) return graph;
  const tensors = [...graph.tensors];
  const repeated = new Set<TensorId>();
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "concat" || node.inputs.every((id) => tensors[id]?.data !== undefined)) return node;
    const inputs = node.inputs.map((id) => {
      const tensor = tensorOf(graph, id);
      if (tensor.data === undefined || tensor.shape[0] !== 1 || node.attributes.axis === 0) return id;
      const data = new Uint8Array(byteLength(tensor) * batch);
      for (let i = 0; i < batch; i++) data.set(tensor.data, i * tensor.data.length);
      const copy = (tensors.push({ ...tensor, shape: [batch, ...tensor.shape.slice(1)], data }) - 1) as TensorId;
      repeated.add(copy);
      return copy;
    });
    return { ...node, inputs };
  });
  return { ...graph, tensors, nodes, batch: { ...graph.batch, inputs: [...graph.batch.inputs, ...repeated] } };
}
