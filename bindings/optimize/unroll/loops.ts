/** Loops whose turns are known beforehand as the nodes of all turns, one behind the other, with one copy of their constants. */
import { type AnyNode, bodiesOf, type Graph, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { dropDead } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { setRows } from "../../passes/lists.ts";
import type { Tensor } from "../../tensor.ts";
import { numbersOf } from "../constants.ts";
import { type Draft, MOST_NODES } from "./draft.ts";

/** Where a node of a loop stands in a turn, which is how its layers are found again. */
export const whereInTurn = (loop: AnyNode, inner: AnyNode, turn: number) =>
  `${loop.where}, step ${turn}: ${inner.where}`;

/** Appends the nodes of all turns; false where it is not known how many there are. */
export function unrollLoop(loop: Node<"while">, draft: Draft): boolean {
  const [condition, given] = bodiesOf(loop as AnyNode) as readonly [Graph, Graph];
  const body = setRows(given);
  const shared = new Map<TensorId, TensorId>();
  const [start, startNodes] = [draft.tensors.length, draft.nodes.length];
  let state = loop.inputs;
  // What each turn's counting goes through, and its nodes, of which a body may have none.
  const constants = (condition.tensors.length + body.tensors.length) >> 3;
  const size = Math.max(1, body.nodes.length, condition.nodes.length, constants);
  for (let turn = 0; ; turn++) {
    const known = state.map((id) => (isCount(draft.tensors[id]) ? draft.tensors[id] : undefined));
    const [goes] = counted(condition, known, [0]);
    if (goes === undefined || (turn + 1) * size > MOST_NODES) {
      draft.tensors.length = start;
      draft.nodes.length = startNodes;
      return false;
    }
    if (numbersOf(goes)[0] !== 1) break;
    const counts = body.outputs.flatMap((_, i) => (known[i] === undefined ? [] : [i]));
    const next = counted(body, known, counts);
    const after = inline(loop, body, state, turn, shared, draft);
    state = after.map((id, i) => {
      const count = next[counts.indexOf(i)];
      return count === undefined ? id : draft.append(count);
    });
  }
  for (const [i, id] of loop.outputs.entries()) draft.renamed.set(id, state[i] as TensorId);
  return true;
}

/** Numbers that a count may be: each turn has its own. */
const MOST_COUNTS = 64;

const isCount = (tensor: Tensor | undefined) =>
  tensor?.data !== undefined && tensor.dtype !== "float32" && tensor.data.length <= 8 * MOST_COUNTS;

/** Those outputs of a graph, where counts among its inputs are all that they take; undefined ones are computed. */
function counted(
  graph: Graph,
  known: readonly (Tensor | undefined)[],
  which: readonly number[],
): readonly (Tensor | undefined)[] {
  const tensors = [...graph.tensors];
  for (const [i, { tensor }] of graph.inputs.entries()) {
    const { data, shape, dtype } = known[i] ?? {};
    if (data !== undefined)
      tensors[tensor] = { ...tensorOf(graph, tensor), data, ...(shape && { shape }), ...(dtype && { dtype }) };
  }
  const outputs = which.map((i) => graph.outputs[i] as Graph["outputs"][number]);
  const inputs = graph.inputs.filter((_, i) => known[i] === undefined);
  const ready = runPasses(dropDead({ ...graph, tensors, inputs, outputs }));
  return ready.outputs.map(({ tensor }) => (isCount(ready.tensors[tensor]) ? ready.tensors[tensor] : undefined));
}

/** Appends one turn; returns what its outputs are. */
function inline(
  loop: Node<"while">,
  body: Graph,
  state: readonly TensorId[],
  turn: number,
  shared: Map<TensorId, TensorId>,
  draft: Draft,
): readonly TensorId[] {
  const ids = new Map<TensorId, TensorId>(body.inputs.map(({ tensor }, i) => [tensor, state[i] as TensorId] as const));
  const own = (id: TensorId): TensorId => {
    if (id < 0) return id;
    const known = ids.get(id) ?? shared.get(id);
    if (known !== undefined) return known;
    const tensor = tensorOf(body, id);
    const constant = tensor.data !== undefined;
    const made = draft.append({ ...tensor, name: `${loop.where} ${constant ? "" : `${turn} `}${tensor.name}` });
    (constant ? shared : ids).set(id, made);
    return made;
  };
  for (const node of body.nodes) {
    const where = whereInTurn(loop as AnyNode, node, turn);
    draft.nodes.push({ ...node, where, inputs: node.inputs.map(own), outputs: node.outputs.map(own) } as AnyNode);
  }
  return body.outputs.map(({ tensor }) => own(tensor));
}

/** Lists whose rows are set one after the other, all of them, are their rows side by side. */
export function joinRows(graph: Graph): Graph {
  const sets = new Map<TensorId, AnyNode>();
  for (const node of graph.nodes) if (node.kind === "dynamicUpdateSlice") sets.set(node.outputs[0] as TensorId, node);
  if (sets.size === 0) return graph;
  const nodes = graph.nodes.map((node): AnyNode => {
    const [y] = node.outputs as [TensorId];
    if (!sets.has(y)) return node;
    const rows = new Map<number, TensorId>();
    for (let at: AnyNode | undefined = node; at !== undefined; at = sets.get(at.inputs[0] as TensorId)) {
      const [, row, begins] = at.inputs as [TensorId, TensorId, TensorId];
      const [first, ...others] = numbersOf(graph.tensors[begins]);
      if (first === undefined || others.some((begin) => begin !== 0) || tensorOf(graph, row).shape[0] !== 1)
        return node;
      if (!rows.has(first)) rows.set(first, row);
    }
    const [count = 0] = tensorOf(graph, y).shape;
    if (rows.size !== count) return node;
    const inputs = Array.from({ length: count }, (_, i) => rows.get(i) as TensorId);
    return { kind: "concat", where: node.where, inputs, outputs: [y], attributes: { axis: 0, activation: "none" } };
  });
  return dropDead({ ...graph, nodes });
}
