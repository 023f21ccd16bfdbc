/** NEG of integers changes the signs of the numbers as they are, whatever their zero points: of quantized values a product does what it says. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { tensorOf } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";

/** The graph with products by −1 in the place of NEG of floats. */
export function signsAsProducts(graph: Graph): Graph {
  const isNegation = ({ kind, inputs: [x] }: AnyNode) =>
    kind === "neg" && tensorOf(graph, x as TensorId).dtype === "float32";
  if (!graph.nodes.some(isNegation)) return graph;
  const tensors: Tensor[] = [...graph.tensors];
  const data = bytesOf(Float32Array.of(-1));
  const minus = (tensors.push({ name: "minus one", dtype: "float32", shape: [], data }) - 1) as TensorId;
  const product = (node: AnyNode) =>
    ({ ...node, kind: "mul", inputs: [...node.inputs, minus], attributes: { activation: "none" } }) as AnyNode;
  return { ...graph, tensors, nodes: graph.nodes.map((node) => (isNegation(node) ? product(node) : node)) };
}
