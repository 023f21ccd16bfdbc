import { type AnyNode, type Graph, NONE, type Port, type TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import type { Builder } from "./builder.ts";
import type { Rare } from "./convert.ts";
import { fuseIntegers } from "./integer/index.ts";

/**
 * The graph of what was built: nodes that belong together as one, those that the outputs need, and no tensors but theirs. Passes look
 * at every tensor, and most of those that importing makes are constants on the way to others.
 */
export function graphOf(
  b: Builder,
  name: string,
  inputs: readonly Port[],
  outputs: readonly Port[],
  rare: Rare | undefined,
): Graph {
  const ends = outputs.map(({ tensor }) => tensor);
  const built = rare?.fuseGelu(b.tensors, b.nodes, ends) ?? b.nodes;
  const { nodes, read } = needed(fuseIntegers(b.tensors, built, ends, b.origins, rare?.slopedOf), ends);
  for (const { tensor } of inputs) read.add(tensor);
  const places = new Int32Array(b.tensors.length).fill(NONE);
  const tensors: Tensor[] = [];
  for (let id = 0; id < places.length; id++)
    if (read.has(id as TensorId)) places[id] = tensors.push(b.tensors[id] as Tensor) - 1;
  const placed = (id: TensorId) => (id === NONE ? NONE : places[id]) as TensorId;
  const moved = (ports: readonly Port[]) => ports.map((port) => ({ ...port, tensor: placed(port.tensor) }));
  return {
    name,
    nodes: nodes.map(
      (node) => ({ ...node, inputs: node.inputs.map(placed), outputs: node.outputs.map(placed) }) as AnyNode,
    ),
    tensors,
    inputs: moved(inputs),
    outputs: moved(outputs),
    subgraphs: [],
  };
}

/** The nodes that these tensors need, and every tensor that they read or write. */
function needed(all: readonly AnyNode[], ends: readonly TensorId[]) {
  const read = new Set<TensorId>(ends);
  const nodes: AnyNode[] = [];
  for (let i = all.length - 1; i >= 0; i--) {
    const node = all[i] as AnyNode;
    if (!node.outputs.some((id) => read.has(id))) continue;
    for (const id of [...node.inputs, ...node.outputs]) read.add(id);
    nodes.push(node);
  }
  return { nodes: nodes.reverse(), read };
}
