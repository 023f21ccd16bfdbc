/** ONNX's Max and Min of computed numbers give NaN where the first is, which integers have not and examples may not give. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";

/** MAXIMUM and MINIMUM without a SELECT_V2 behind them that takes their first operand where it is NaN. */
export function dropGuards(graph: Graph): Graph {
  const writers = writersOf(graph);
  const writer = (id: TensorId | undefined): AnyNode | undefined => graph.nodes[writers.get(id as TensorId) ?? -1];
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "selectV2") return node;
    const [condition, x, y] = node.inputs;
    const [isNan, extreme] = [writer(condition), writer(y)];
    const guards = isNan?.kind === "notEqual" && isNan.inputs.every((id) => id === x);
    const found = extreme?.kind === "maximum" || extreme?.kind === "minimum" ? extreme : undefined;
    return guards && found?.inputs.some((id) => id === x) ? { ...found, outputs: node.outputs } : node;
  });
  return { ...graph, nodes };
}
