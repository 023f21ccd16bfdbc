import type { Activation, AnyNode, Graph, TensorId } from "../graph.ts";
import { countReaders, sameQuantization } from "./view.ts";

/** Operators that clamp their own result, as the last thing they do. */
const CLAMPS = [
  "conv2d",
  "depthwiseConv2d",
  "fullyConnected",
  "add",
  "sub",
  "mul",
  "averagePool2d",
  "maxPool2d",
] as const;
type Clamping = Extract<AnyNode, { readonly kind: (typeof CLAMPS)[number] }>;

const isClamping = (node: AnyNode | undefined): node is Clamping =>
  node !== undefined && (CLAMPS as readonly string[]).includes(node.kind);

/** What two clamps in a row come to; undefined where no single activation says it. */
function both(first: Activation, second: Activation): Activation | undefined {
  if (first === "none" || first === second) return second;
  if ((first === "relu" && second === "relu6") || (first === "relu6" && second === "relu")) return "relu6";
  return undefined;
}

/**
 * Moves a stand-alone RELU, RELU6 or RELU_N1_TO_1 into the operator before it. Only where scale and zero point stay
 * the same, so that the activation is a clamp of the same integers, and nothing else reads the unclamped result.
 */
export function fuseActivations(graph: Graph): Graph {
  const readers = countReaders(graph);
  const nodes: (AnyNode | undefined)[] = [...graph.nodes];
  const writers = new Map<TensorId, number>();
  for (const [i, node] of graph.nodes.entries()) {
    for (const id of node.outputs) writers.set(id, i);
    if (node.kind !== "relu" && node.kind !== "relu6" && node.kind !== "reluN1To1") continue;
    const [x, y] = [node.inputs[0] as TensorId, node.outputs[0] as TensorId];
    const at = writers.get(x) ?? -1;
    const producer = nodes[at];
    if (!isClamping(producer) || readers[x] !== 1 || !sameQuantization(graph, x, y)) continue;
    const activation = both(producer.attributes.activation, node.kind);
    if (activation === undefined) continue;
    nodes[at] = { ...producer, outputs: [y], attributes: { ...producer.attributes, activation } } as Clamping;
    nodes[i] = undefined;
    writers.set(y, at);
  }
  return { ...graph, nodes: nodes.filter((node) => node !== undefined) };
}
