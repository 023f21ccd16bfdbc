import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { byteLength } from "../tensor.ts";
import type { Block } from "./arena.ts";

/** Which tensors share which memory. */
export interface Storage {
  /** Arena blocks, one per group of tensors that share memory. */
  readonly blocks: readonly Block[];
  /** The arena block of a tensor; undefined for constants and variables. */
  blockOf(id: TensorId): number | undefined;
  /** The constant, variable or tensor of outside whose memory a tensor is: itself, or what an alias leads to. */
  sourceOf(id: TensorId): TensorId;
  /** The arena block in which the graphs that a node runs have theirs, by the node's number. */
  blockInside(node: number): number | undefined;
}

/** How a graph lies within another. */
interface Surroundings {
  /** Whether its inputs are the caller's: they have no place here, and nothing overwrites them. */
  readonly hasCaller: boolean;
  /** Whether it computes a loop's next state of the state: the last reader of a part may write the next of the same part over it. */
  readonly isTurn: boolean;
  /** Bytes of the arena that the graphs which a node runs take, by the node's number. */
  readonly bytesInside: ReadonlyMap<number, number>;
}

interface Group {
  bytes: number;
  first: number;
  last: number;
}

/**
 * Lifetimes, in node numbers: graph inputs live from −1 to their last reader, outputs to the end, the rest from writer
 * to last reader. An alias is its input; an operator that may run in place overwrites an input that dies there.
 */
export function assignStorage(
  graph: Graph,
  operators: Operators,
  { hasCaller, isTurn, bytesInside }: Surroundings = { hasCaller: false, isTurn: false, bytesInside: new Map() },
): Storage {
  const outside = new Set(hasCaller ? graph.inputs.map(({ tensor }) => tensor) : []);
  const inside = new Map<number, number>();
  const end = graph.nodes.length;
  const lastUse = lastUses(graph);
  const groups: Group[] = [];
  const groupOf = new Map<TensorId, number>();
  const source = new Map<TensorId, TensorId>();
  const sourceOf = (id: TensorId) => source.get(id) ?? id;
  const isFixed = (id: TensorId) => {
    const tensor = tensorOf(graph, sourceOf(id));
    return tensor.data !== undefined || tensor.variable === true || outside.has(sourceOf(id));
  };
  const last = (id: TensorId) => lastUse.get(id) ?? -1;

  const open = (id: TensorId, first: number) => {
    groupOf.set(id, groups.length);
    groups.push({ bytes: byteLength(tensorOf(graph, id)), first, last: Math.max(first, last(id)) });
  };
  const share = (id: TensorId, group: number) => {
    groupOf.set(id, group);
    const shared = groups[group] as Group;
    shared.last = Math.max(shared.last, last(id));
  };

  if (!hasCaller) for (const { tensor } of graph.inputs) open(tensor, -1);
  for (const [step, node] of graph.nodes.entries()) {
    const { operator, view } = bind(operators, node, graph.tensors);
    const bytes = bytesInside.get(step) ?? 0;
    if (bytes > 0) {
      inside.set(step, groups.length);
      groups.push({ bytes, first: step, last: step });
    }
    if (node.outputs.length === 0) continue;
    const [y, ...rest] = node.outputs as readonly [TensorId, ...TensorId[]];
    const x = node.inputs[0] as TensorId;
    if (operator.alias && isFixed(x)) lead(y, sourceOf(x));
    else if (operator.alias) share(y, groupOf.get(x) as number);
    else if (!isFixed(y)) {
      const places = operator.inPlace?.(view) ?? [];
      const state = isTurn ? places.find((i) => isNextState(node, i, step, y)) : undefined;
      const reusable = state ?? places.find((i) => mayOverwrite(node, i, step, y));
      if (reusable === undefined) open(y, step);
      else if (state !== undefined) lead(y, sourceOf(node.inputs[state] as TensorId));
      else share(y, groupOf.get(node.inputs[reusable] as TensorId) as number);
    }
    for (const id of rest) if (!isFixed(id)) open(id, step);
  }

  /** y lies where something fixed lies, which is read as long as y is. */
  function lead(y: TensorId, from: TensorId): void {
    source.set(y, from);
    if (last(y) > last(from)) lastUse.set(from, last(y));
  }

  function isNextState(node: AnyNode, index: number, step: number, y: TensorId): boolean {
    const from = sourceOf(node.inputs[index] as TensorId);
    const readers = node.inputs.filter((id) => id !== NONE && sourceOf(id) === from);
    const isSame = graph.outputs.some(({ tensor }, i) => tensor === y && graph.inputs[i]?.tensor === from);
    const fits = byteLength(tensorOf(graph, y)) === byteLength(tensorOf(graph, from));
    return isSame && fits && readers.length === 1 && last(from) === step;
  }

  function mayOverwrite(node: AnyNode, index: number, step: number, y: TensorId): boolean {
    const x = node.inputs[index];
    if (x === undefined || x === NONE || isFixed(x)) return false;
    const group = groupOf.get(x) as number;
    const { bytes, last } = groups[group] as Group;
    const others = node.inputs.filter((id, i) => i !== index && id !== x && id !== NONE && groupOf.get(id) === group);
    return others.length === 0 && last === step && byteLength(tensorOf(graph, y)) <= bytes;
  }

  function lastUses({ nodes, outputs }: Graph): Map<TensorId, number> {
    const uses = new Map<TensorId, number>();
    for (const [step, node] of nodes.entries()) for (const id of node.inputs) uses.set(id, step);
    for (const { tensor } of outputs) {
      uses.set(tensor, end);
      const { length } = tensorOf(graph, tensor);
      if (length !== undefined) uses.set(length as TensorId, end);
    }
    return uses;
  }

  return { blocks: groups, blockOf: (id) => groupOf.get(id), sourceOf, blockInside: (node) => inside.get(node) };
}
