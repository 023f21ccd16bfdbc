import { type AnyNode, NONE, type OpKind } from "../graph.ts";
import type { Tensor } from "../tensor.ts";
import type { Lowering, NodeView, Operator, Operators } from "./types.ts";

/** A node with its operator, for code that handles all kinds alike. */
interface Bound {
  readonly operator: Operator<OpKind>;
  readonly view: NodeView<OpKind>;
}

/**
 * The node's operator and its tensors, by id in `tensors`. The pairing of kind and attributes, which the union `AnyNode`
 * guarantees, is widened here and nowhere else.
 */
export function bind(operators: Operators, node: AnyNode, tensors: readonly Tensor[]): Bound {
  return {
    operator: operators[node.kind] as unknown as Operator<OpKind>,
    view: {
      where: node.where,
      attributes: node.attributes as NodeView<OpKind>["attributes"],
      inputs: node.inputs.map((id) => (id === NONE ? undefined : (tensors[id] as Tensor))),
      outputs: node.outputs.map((id) => tensors[id] as Tensor),
    },
  };
}

/** What `lower` knows of a node's placed tensors; a copy with other inputs or outputs speaks of those. */
export function endsOf({ inputs, outputs }: Pick<Lowering, "inputs" | "outputs">) {
  const ends: Pick<Lowering, "inputs" | "outputs" | "input" | "output"> = {
    inputs,
    outputs,
    input(i) {
      return this.inputs[i]?.address ?? 0;
    },
    output(i) {
      return this.outputs[i]?.address ?? 0;
    },
  };
  return ends;
}
