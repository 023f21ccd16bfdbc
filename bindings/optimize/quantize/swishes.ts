/** HARD_SWISH is of int8 and of floats alone: of int16 it is the steps that say the same. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";

/** The graph with x · ⅙ · RELU6(x + 3) in the place of HARD_SWISH of floats. */
export function swishesInSteps(graph: Graph): Graph {
  if (!graph.nodes.some(({ kind }) => kind === "hardSwish")) return graph;
  const tensors: Tensor[] = [...graph.tensors];
  const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const constant = (name: string, value: number) =>
    add({ name, dtype: "float32", shape: [], data: bytesOf(Float32Array.of(value)) });
  const [three, sixth] = [constant("three", 3), constant("a sixth", 1 / 6)];
  const nodes = graph.nodes.flatMap((node): readonly AnyNode[] => {
    if (node.kind !== "hardSwish") return [node];
    const [x, y] = [node.inputs[0] as TensorId, node.outputs[0] as TensorId];
    const { name, dtype, shape } = tensorOf(graph, y);
    const [gate, share] = ["gate", "share"].map((part) => add({ name: `${name}/${part}`, dtype, shape }));
    const step = (kind: "add" | "mul", inputs: readonly (TensorId | undefined)[], to: TensorId | undefined) =>
      ({ kind, where: node.where, inputs, outputs: [to], attributes: { activation: "none" } }) as AnyNode;
    const sum = { ...step("add", [x, three], gate), attributes: { activation: "relu6" } } as AnyNode;
    return [sum, step("mul", [gate, sixth], share), step("mul", [x, share], y)];
  });
  return { ...graph, tensors, nodes };
}
