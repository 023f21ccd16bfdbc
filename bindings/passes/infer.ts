import { ensure } from "../errors.ts";
import type { AnyNode, Graph } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { checkShape, type Tensor } from "../tensor.ts";
import { specialise } from "./bodies.ts";
import { foldingBudget, foldNode } from "./fold.ts";

/**
 * Recomputes every computed tensor's type from the inputs and constants: a file's own shapes are only a claim. Nodes whose
 * inputs are all constants are computed on the way, because the shapes of others may depend on their results.
 */
export function inferTypes(graph: Graph, operators: Operators): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const budget = foldingBudget(tensors);
  const nodes: AnyNode[] = [];
  for (const raw of graph.nodes) {
    const { node, constants } = specialise(raw, tensors, (body) => inferTypes(body, operators));
    for (const [id, { dtype, shape, data }] of constants)
      tensors[id] = { ...(tensors[id] as Tensor), dtype, shape, ...(data && { data }) };
    const { operator, view } = bind(operators, node, tensors);
    const types = operator.infer(view);
    ensure(types.length === node.outputs.length, "INVALID_GRAPH", () => ({
      where: node.where,
      expected: `${types.length} outputs`,
      received: `${node.outputs.length}`,
    }));
    for (const [i, id] of node.outputs.entries()) {
      const type = types[i] as (typeof types)[number];
      checkShape(type.shape, type.dtype, `${node.where}, output ${i}`);
      tensors[id] = { ...(tensors[id] as Tensor), dtype: type.dtype, shape: type.shape };
    }
    if (!foldNode(node, operators, tensors, budget)) nodes.push(node);
  }
  return { ...graph, tensors, nodes };
}
