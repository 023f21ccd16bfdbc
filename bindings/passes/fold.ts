import { type AnyNode, type Graph, NONE, tensorOf } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { byteLength, type Tensor } from "../tensor.ts";

/** A constant may grow by this much when folded; beyond it the node stays and computes at run time. */
const GROWTH = 4;
const ALWAYS_BYTES = 1 << 16;

/** Computes nodes whose inputs are all constants, once, here: de-quantized weights, reshaped and padded constants. */
export function foldConstants(graph: Graph, operators: Operators): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [];
  for (const node of graph.nodes) {
    const folded = fold(node, operators, tensors);
    if (folded === undefined) nodes.push(node);
    else
      for (const [i, id] of node.outputs.entries())
        tensors[id] = { ...(tensors[id] as Tensor), data: folded[i] as Uint8Array };
  }
  return nodes.length === graph.nodes.length ? graph : { ...graph, tensors, nodes };
}

function fold(node: AnyNode, operators: Operators, tensors: readonly Tensor[]): readonly Uint8Array[] | undefined {
  const constant = (tensor: Tensor | undefined) =>
    tensor === undefined || (tensor.data !== undefined && !tensor.variable);
  const { operator, view } = bind(operators, node, tensors);
  const inputs = view.inputs.filter((tensor) => tensor !== undefined);
  if (inputs.length === 0 || !view.inputs.every(constant)) return undefined;
  const bytes = (list: readonly Tensor[]) => list.reduce((sum, tensor) => sum + byteLength(tensor), 0);
  if (bytes(view.outputs) > Math.max(ALWAYS_BYTES, GROWTH * bytes(inputs))) return undefined;
  if (operator.alias) return [(view.inputs[0] as Tensor).data as Uint8Array];
  return operator.fold?.(view);
}

/** Removes nodes whose results nothing reads; nodes that write a variable stay. Tensor ids keep their meaning. */
export function dropDead(graph: Graph): Graph {
  const live = new Uint8Array(graph.tensors.length);
  for (const { tensor } of graph.outputs) live[tensor] = 1;
  const nodes: AnyNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const touchesState = [...node.inputs, ...node.outputs].some((id) => id !== NONE && tensorOf(graph, id).variable);
    if (!touchesState && !node.outputs.some((id) => live[id] === 1)) continue;
    for (const id of node.inputs) if (id !== NONE) live[id] = 1;
    nodes.push(node);
  }
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes: nodes.reverse() };
}
