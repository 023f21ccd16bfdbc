/** IF and WHILE: what they say of the graphs that they run. */
import type { Graph } from "../../graph.ts";
import { elementCount, type Tensor, type TensorType, typeText } from "../../tensor.ts";
import { constrain } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** condition, then the inputs of both bodies. Bodies: then, else. */
    readonly if: Bodies;
    /** The state, which is the inputs of both bodies. Bodies: the condition, and what computes the next state. */
    readonly while: Bodies;
    /** Sets variables to their starts; gone once passes have run. Body: what is done once. */
    readonly callOnce: Bodies;
  }

  interface Bodies {
    /** The file's numbers of the subgraphs. */
    readonly subgraphs: readonly number[];
    /** The subgraphs themselves, once they are linked; each use has its own. */
    readonly bodies: readonly Graph[];
  }
}

const typesOf = (graph: Graph, side: "inputs" | "outputs") =>
  graph[side].map(({ tensor }) => graph.tensors[tensor] as Tensor);

function requireSame(
  node: { readonly where: string },
  number: string,
  what: string,
  expected: readonly TensorType[],
  received: readonly (TensorType | undefined)[],
): void {
  const text = (types: readonly (TensorType | undefined)[]) =>
    types.map((type) => (type === undefined ? "nothing" : typeText(type))).join(", ");
  constrain(node, number, text(expected) === text(received), () => ({
    expected: `${what} ${text(expected) || "none"}`,
    received: text(received) || "none",
  }));
}

function requireCondition(node: { readonly where: string }, type: TensorType | undefined): void {
  constrain(node, "C2", type?.dtype === "bool" && elementCount(type.shape) === 1, () => ({
    expected: "a condition of one bool",
    received: typeText(type),
  }));
}

function requireBodies(node: { readonly where: string; readonly attributes: { readonly bodies: readonly Graph[] } }) {
  const { bodies } = node.attributes;
  constrain(node, "C1", bodies.length === 2, () => ({ expected: "2 subgraphs", received: `${bodies.length}` }));
  return bodies as readonly [Graph, Graph];
}

/**
 * Runs one of two subgraphs. C1: both are there. C2: the condition is one bool. C3: both take the inputs after it. C4: both
 * give outputs of the same types.
 */
export const ifOperator: Operator<"if"> = {
  infer(node: NodeView<"if">) {
    const [yes, no] = requireBodies(node);
    const [condition, ...inputs] = node.inputs;
    requireCondition(node, condition);
    requireSame(node, "C3", "inputs of the first subgraph", typesOf(yes, "inputs"), inputs);
    requireSame(node, "C3", "inputs of the second subgraph", typesOf(no, "inputs"), inputs);
    const types = typesOf(yes, "outputs");
    requireSame(node, "C4", "outputs of both subgraphs as the first's", types, typesOf(no, "outputs"));
    return types.map(({ dtype, shape }) => ({ dtype, shape }));
  },
};

/**
 * Runs its second subgraph on the state as long as the first, which it runs before every turn, says so. C1: both are there.
 * C2: the condition is one bool. C3: both take the state. C4: the next state has the types of the state.
 */
export const whileOperator: Operator<"while"> = {
  infer(node: NodeView<"while">) {
    const [condition, body] = requireBodies(node);
    const state = typesOf(body, "inputs");
    requireSame(node, "C3", "the inputs of the first subgraph", typesOf(condition, "inputs"), state);
    requireSame(node, "C3", "the inputs of the second subgraph", state, node.inputs);
    constrain(node, "C2", condition.outputs.length === 1, () => ({
      expected: "one condition",
      received: `${condition.outputs.length} outputs`,
    }));
    requireCondition(node, typesOf(condition, "outputs")[0]);
    requireSame(node, "C4", "a next state of the state's types,", state, typesOf(body, "outputs"));
    return state.map(({ dtype, shape }) => ({ dtype, shape }));
  },
};

/** Sets variables to their starts, when the model is loaded. C1: it has no inputs or outputs. */
export const callOnce: Operator<"callOnce"> = {
  infer(node) {
    constrain(node, "C1", node.inputs.length === 0 && node.outputs.length === 0, () => ({
      expected: "no inputs and no outputs",
      received: `${node.inputs.length} and ${node.outputs.length}`,
    }));
    return [];
  },
};
