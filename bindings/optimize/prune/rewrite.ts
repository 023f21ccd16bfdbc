/** Graphs with other weights. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { type Layer, usersOf } from "../linear/layers.ts";
import type { Solution } from "./systems.ts";

/** The graph with these weights and biases; layers without a bias get one where it is not zero. */
export function withSolutions(graph: Graph, solutions: readonly (readonly [Layer, Solution])[]): Graph {
  const tensors = [...graph.tensors];
  const nodes = [...graph.nodes];
  for (const [layer, { weights, bias }] of solutions) {
    const { outputs, inputs, outputStride, inputStride } = layer;
    const stored = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) stored[o * outputStride + i * inputStride] = weights[o * inputs + i] as number;
    tensors[layer.weights] = { ...tensorOf(graph, layer.weights), data: bytesOf(stored) };
    const data = bytesOf(Float32Array.from(bias));
    if (layer.bias === NONE && bias.every((b) => b === 0)) continue;
    const name = layer.bias === NONE ? `${tensorOf(graph, layer.y).name}/bias` : tensorOf(graph, layer.bias).name;
    const id = tensors.length as TensorId;
    tensors.push({ name, dtype: "float32", shape: [outputs], data });
    for (const { at } of usersOf(layer)) {
      const node = nodes[at] as AnyNode;
      nodes[at] = { ...node, inputs: [node.inputs[0], node.inputs[1], id] } as AnyNode;
    }
  }
  return { ...graph, tensors, nodes };
}

const bytesOf = ({ buffer }: Float32Array) => new Uint8Array(buffer as ArrayBuffer);
