/** What is known of a graph's channels so far. */
import { type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { countReaders } from "../../../passes/view.ts";
import { createSets, type Sets } from "../../sets.ts";

export interface Walk {
  readonly graph: Graph;
  readonly sets: Sets;
  /** How many nodes and outputs read each tensor. */
  readonly readers: ArrayLike<number>;
  /** Classes of a tensor's channels, by tensors that have them. */
  readonly known: ReadonlyMap<TensorId, readonly number[]>;
  /** The classes of a tensor's channels; new ones where nothing was known of it. */
  of(id: TensorId): readonly number[];
  give(id: TensorId, classes: readonly number[]): void;
  /** All of a tensor's channels stay. */
  freeze(id: TensorId): void;
}

/** The channels of a tensor: its last dimension. */
export const widthOf = (graph: Graph, id: TensorId): number => tensorOf(graph, id).shape.at(-1) ?? 1;
export const isConstant = (graph: Graph, id: TensorId): boolean => tensorOf(graph, id).data !== undefined;

export function createWalk(graph: Graph): Walk {
  const sets = createSets();
  const known = new Map<TensorId, readonly number[]>();
  const give = (id: TensorId, classes: readonly number[]) => void known.set(id, classes);
  const of = (id: TensorId) => {
    if (!known.has(id)) give(id, sets.fresh(widthOf(graph, id)));
    return known.get(id) as readonly number[];
  };
  const freeze = (id: TensorId) => {
    if (id !== NONE && !isConstant(graph, id)) sets.freeze(of(id));
  };
  return { graph, sets, readers: countReaders(graph), known, of, give, freeze };
}
