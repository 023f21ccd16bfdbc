import { type AnyNode, type Graph, NONE, type OpKind } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { NodeView, Operator, Operators } from "../ops/types.ts";
import { byteLength, type Tensor } from "../tensor.ts";
import { touchesState } from "./bodies.ts";

/** One node may grow its constants by this much when folded; beyond it the node stays and computes at run time. */
const GROWTH = 8;
const ALWAYS_BYTES = 1 << 16;
/** All nodes together may make this many bytes, and so many times the bytes of the constants that they begin with. */
const TOTAL_BYTES = 1 << 22;
const TOTAL_GROWTH = 16;

/** Bytes that folding may still make. */
interface Budget {
  left: number;
}

/** The budget for a graph: chains of constants, each a little larger than the one before, end there. */
export function foldingBudget(tensors: readonly Tensor[]): Budget {
  const constants = new Set(tensors.flatMap(({ data }) => (data === undefined ? [] : [data.buffer])));
  return { left: TOTAL_BYTES + TOTAL_GROWTH * [...constants].reduce((sum, { byteLength: n }) => sum + n, 0) };
}

/** Computes nodes whose inputs are all constants, once, here: what is left of them after types have been inferred. */
export function foldConstants(graph: Graph, operators: Operators): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const budget = foldingBudget(tensors);
  const nodes = graph.nodes.filter((node) => !foldNode(node, operators, tensors, budget));
  return nodes.length === graph.nodes.length ? graph : { ...graph, tensors, nodes };
}

/**
 * Puts the results of a node whose inputs are all constants into `tensors`; false where it has to run. Types are those that
 * `infer` returned.
 */
export function foldNode(node: AnyNode, operators: Operators, tensors: Tensor[], budget: Budget): boolean {
  const { operator, view } = bind(operators, node, tensors);
  const folded = fold(operator, view, budget);
  if (folded === undefined) return false;
  for (const [i, id] of node.outputs.entries())
    tensors[id] = { ...(tensors[id] as Tensor), data: folded[i] as Uint8Array };
  return true;
}

function fold({ alias, fromTypes, fold }: Operator<OpKind>, view: NodeView<OpKind>, budget: Budget) {
  const constant = (tensor: Tensor | undefined) =>
    tensor === undefined || (tensor.data !== undefined && !tensor.variable);
  const inputs = view.inputs.filter((tensor) => tensor !== undefined);
  if (inputs.length === 0 || view.outputs.some(({ variable }) => variable)) return undefined;
  if (fromTypes !== true && !view.inputs.every(constant)) return undefined;
  if (alias) return [(view.inputs[0] as Tensor).data as Uint8Array];
  const bytes = (list: readonly Tensor[]) => list.reduce((sum, tensor) => sum + byteLength(tensor), 0);
  const made = bytes(view.outputs);
  if (made > Math.max(ALWAYS_BYTES, GROWTH * bytes(inputs)) || made > budget.left) return undefined;
  const folded = fold?.(view);
  if (folded !== undefined) budget.left -= made;
  return folded;
}

/** Removes nodes whose results nothing reads; nodes that write a variable stay. Tensor ids keep their meaning. */
export function dropDead(graph: Graph): Graph {
  const live = new Uint8Array(graph.tensors.length);
  for (const { tensor } of graph.outputs) {
    live[tensor] = 1;
    const { length } = graph.tensors[tensor] as Tensor;
    if (length !== undefined) live[length] = 1;
  }
  const nodes: AnyNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => live[id] === 1) && !touchesState(graph, node)) continue;
    for (const id of node.inputs) if (id !== NONE) live[id] = 1;
    nodes.push(node);
  }
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes: nodes.reverse() };
}
