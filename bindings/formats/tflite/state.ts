/** State that the file's operators keep to themselves: here it is a variable, which the node reads last. */
import type { AnyNode, Attributes, TensorId } from "../../graph.ts";
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
  const { dtype, shape } = tensors[node.inputs[0] as TensorId] ?? { dtype: "int16", shape: [] };
  const rows = shape.slice(0, -1);
  const state = (type: Tensor["dtype"], sizes: readonly number[]): Tensor => ({
    name: `${node.where}, state`,
    dtype: type,
    shape: sizes,
    variable: true,
  });
  switch (node.kind) {
    case "signalSubtraction":
      return state("uint32", shape);
    case "signalDelay":
      return state("int16", [...rows, Math.max(node.attributes.length, 1)]);
    case "signalFramer":
      return state("int16", [...rows, heldByFrames(node.attributes) + 1]);
    case "signalStacker":
      return state("int16", [channels(node.attributes) + 1]);
    case "signalOverlapAdd":
      return state(dtype, [...shape.slice(0, -2), shape.at(-1) ?? 0]);
    case "random":
      return state("int64", []);
    default:
      return undefined;
  }
}

/** Values that whole frames begin in. */
const heldByFrames = ({ size, step, prefill }: Attributes["signalFramer"]) =>
  prefill ? size : Math.ceil(size / step) * step;
/** Values of all rows that are stacked. */
const channels = (of: Attributes["signalStacker"]) => of.channels * (of.left + of.right + 1);

/** Kinds whose last input is such a variable. */
export const STATED: readonly AnyNode["kind"][] = [
  ...(["signalSubtraction", "signalDelay", "signalFramer", "signalStacker", "signalOverlapAdd", "random"] as const),
];
