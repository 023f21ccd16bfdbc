/** POW is of floats alone: a number by itself is its second power on integers, too. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { tensorOf } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";

/** The graph with products of numbers by themselves in the place of POW by 2, as PyTorch writes squares. */
export function squaresAsProducts(graph: Graph): Graph {
  const isSquare = ({ kind, inputs: [x, exponent] }: AnyNode) => {
    if (kind !== "pow") return false;
    const [of, by] = [x, exponent].map((id) => tensorOf(graph, id as TensorId)) as [Tensor, Tensor];
    const isOne = by.shape.length <= of.shape.length && by.shape.every((size) => size === 1);
    return of.data === undefined && isOne && isFloatConstant(by) && floatsOf(by)[0] === 2;
  };
  if (!graph.nodes.some(isSquare)) return graph;
  const product = (node: AnyNode) =>
    ({
      ...node,
      kind: "mul",
      inputs: [node.inputs[0], node.inputs[0]],
      attributes: { activation: "none" },
    }) as AnyNode;
  return { ...graph, nodes: graph.nodes.map((node) => (isSquare(node) ? product(node) : node)) };
}
