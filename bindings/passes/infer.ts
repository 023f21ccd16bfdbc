import { ensure } from "../errors.ts";
import type { AnyNode, Graph, TensorId } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { checkShape, type Tensor, type TensorType } from "../tensor.ts";
import { specialise } from "./bodies.ts";
import { foldingBudget, foldNode } from "./fold.ts";

/**
 * Recomputes every computed tensor's type from the inputs and constants: a file's own shapes are only a claim. Nodes whose
 * inputs are all constants are computed on the way, because the shapes of others may depend on their results.
 */
export function inferTypes(graph: Graph, operators: Operators): Graph {
  const { opening } = operators;
  const tensors: Tensor[] = [...graph.tensors];
  const budget = foldingBudget(tensors);
  const nodes: AnyNode[] = [];
  const writers = new Map<TensorId, AnyNode>();
  const queue = [...graph.nodes].reverse();
  const push = (node: AnyNode) => {
    nodes.push(node);
    for (const id of node.outputs) writers.set(id, node);
  };
  for (let raw = queue.pop(); raw !== undefined; raw = queue.pop()) {
    const given = raw;
    const typed = () =>
      specialise(given, tensors, (body) => {
        const inferred = inferTypes(body, operators);
        for (const { tensor } of inferred.outputs) refuseOpen(inferred.tensors[tensor] as Tensor, given.where);
        return inferred;
      });
    const special = opening ? opening.flattened(given, tensors, typed) : typed();
    if (!("node" in special)) {
      queue.push(...[...special].reverse());
      continue;
    }
    const { node, constants } = special;
    for (const [id, { dtype, shape, data }] of constants)
      tensors[id] = { ...(tensors[id] as Tensor), dtype, shape, ...(data && { data }) };
    const parts = opening?.withoutOpenSizes(node, tensors, writers);
    if (parts !== undefined) {
      queue.push(...[...parts].reverse());
      continue;
    }
    const { operator, view } = bind(operators, node, tensors);
    const rows = opening?.openRows(node, view, tensors);
    for (const each of rows?.before ?? []) push(each);
    const types = operator.infer(view);
    const lengths = types.some(isCounted) ? 1 : 0;
    const isKnown = node.outputs.length === types.length + lengths;
    ensure(types.length === node.outputs.length || isKnown, "INVALID_GRAPH", () => ({
      where: node.where,
      expected: `${types.length} outputs`,
      received: `${node.outputs.length}`,
    }));
    for (const [i, type] of types.entries()) {
      const id = node.outputs[i] as TensorId;
      checkShape(type.shape, type.dtype, `${node.where}, output ${i}`);
      tensors[id] = { ...(tensors[id] as Tensor), ...type };
    }
    const whole = lengths === 0 || isKnown ? node : withLength(node, types, tensors);
    if (!foldNode(whole, operators, tensors, budget) && !opening?.foldMoved(whole, tensors, writers)) push(whole);
    for (const each of rows?.mark() ?? []) push(each);
  }
  return { ...graph, tensors, nodes };
}

const isCounted = ({ open }: { readonly open?: TensorType["open"] | undefined }) =>
  open === "length" || open === "rows";

/** One more output: the number of elements of those whose length is open. */
function withLength(node: AnyNode, types: readonly TensorType[], tensors: Tensor[]): AnyNode {
  const length = (tensors.push({ name: "", dtype: "int32", shape: [] }) - 1) as TensorId;
  for (const [i, { open }] of types.entries()) {
    const id = node.outputs[i] as TensorId;
    if (isCounted({ open })) tensors[id] = { ...(tensors[id] as Tensor), length };
  }
  return { ...node, outputs: [...node.outputs, length] };
}

function refuseOpen({ open, name }: Tensor, where: string): void {
  ensure(open === undefined, "UNSUPPORTED", () => ({
    where,
    expected: "tensors whose shapes are known when planned",
    received: `"${name}", whose ${open === "shape" ? "shape" : "length"} only a run can tell`,
  }));
}
