/** State that the file's operators keep to themselves: here it is a variable, which the node reads last. */
import type { AnyNode, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";

/** Nodes and tensors with a variable for each operator that has state of its own. */
export function withState(
  nodes: readonly AnyNode[],
  tensors: readonly Tensor[],
): { readonly nodes: readonly AnyNode[]; readonly tensors: readonly Tensor[] } {
  const all = [...tensors];
  const own = nodes.map((node): AnyNode => {
    const state = stateOf(node, tensors);
    if (state === undefined) return node;
    all.push(state);
    return { ...node, inputs: [...node.inputs, (all.length - 1) as TensorId] };
  });
  return { nodes: own, tensors: all };
}

function stateOf(node: AnyNode, tensors: readonly Tensor[]): Tensor | undefined {
  if (node.kind !== "signalSubtraction") return undefined;
  const shape = tensors[node.inputs[0] as TensorId]?.shape ?? [];
  return { name: `${node.where}, noise`, dtype: "uint32", shape, variable: true };
}
