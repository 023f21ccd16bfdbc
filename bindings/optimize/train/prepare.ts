/** A graph made ready to be trained and put together again: each layer with weights of its own, and what has no gradient refused. */
import { Pint8Error } from "../../errors.ts";
import { type AnyNode, type Graph, NONE, type Node, type OpKind, type TensorId, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import type { Tensor } from "../../tensor.ts";
import { trainedPart } from "./front.ts";
import { gradientOf, TRAINABLE } from "./gradients/index.ts";
import type { Gradient } from "./gradients/types.ts";
import { layersOf } from "./layout.ts";
import { endAt } from "./objective.ts";

/**
 * The graph where no two layers share a weight or a bias, those of which share one have copies; and where the layers that will be normalized have a bias
 * to fold normalization into. Ids of tensors stay; new ones come after them.
 */
export function ownWeights(graph: Graph, needsBias: boolean): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const used = new Set<TensorId>();
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const own = (id: TensorId) => {
    if (id === NONE || tensors[id]?.data === undefined) return id;
    if (!used.has(id)) {
      used.add(id);
      return id;
    }
    const { name, ...rest } = tensors[id] as Tensor;
    return append({ ...rest, name: `${name}_${tensors.length}` });
  };
  const layers = new Map(layersOf(graph).map((layer) => [layer.node as AnyNode, layer] as const));
  const nodes = graph.nodes.map((node): AnyNode => {
    const layer = layers.get(node);
    const places = gradientOf(node as Node)?.weights;
    if (layer === undefined || places === undefined) return node;
    const inputs = [...node.inputs];
    inputs[places.input] = own(layer.weight);
    const { channels } = layer;
    if (layer.bias !== NONE) inputs[places.bias] = own(layer.bias);
    else if (needsBias)
      inputs[places.bias] = append({
        name: `${tensorOf(graph, layer.weight).name}_bias`,
        dtype: "float32",
        shape: [channels],
        data: new Uint8Array(channels * 4),
      });
    return { ...node, inputs } as AnyNode;
  });
  return { ...graph, tensors, nodes };
}

/** The steps of a node's gradient. Errors: UNSUPPORTED for operators that cannot be trained. */
export function requireGradient(node: AnyNode): Gradient<OpKind> {
  const gradient = gradientOf(node as Node);
  if (gradient !== undefined) return gradient;
  throw new Pint8Error("UNSUPPORTED", {
    where: node.where,
    expected: `an operator that can be trained (${TRAINABLE.join(", ")})`,
    received: node.kind,
    hint: "quantize and prune take this network all the same; training, --tune and distilling into it do not.",
  });
}

/** Refuses a network that cannot be trained before there is any work. Errors: UNSUPPORTED. */
export function requireTrainable(graph: Graph): void {
  for (const node of trainedNodes(trainedPart(graph))) requireGradient(node);
}

/** Whether every operator has a gradient. */
export function canBeTrained(graph: Graph): boolean {
  return trainedNodes(graph).every((node) => gradientOf(node as Node) !== undefined);
}

/** What is left where shapes are computed before. */
const trainedNodes = (graph: Graph) => runPasses(graph.outputs.length > 1 ? graph : endAt(graph)).nodes;
