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
  /** Sets them, along that dimension: the last when absent. */
  give(id: TensorId, classes: readonly number[], axis?: number): void;
  /** The dimension of a tensor that is its channels. */
  axisOf(id: TensorId): number;
  /** How many there are. */
  widthOf(id: TensorId): number;
  /** All of a tensor's channels stay. */
  freeze(id: TensorId): void;
}

export const isConstant = (graph: Graph, id: TensorId): boolean => tensorOf(graph, id).data !== undefined;

export function createWalk(graph: Graph): Walk {
  const sets = createSets();
  const known = new Map<TensorId, readonly number[]>();
  const axes = new Map<TensorId, number>();
  const axisOf = (id: TensorId) => axes.get(id) ?? tensorOf(graph, id).shape.length - 1;
  const widthOf = (id: TensorId) => tensorOf(graph, id).shape[axisOf(id)] ?? 1;
  const give = (id: TensorId, classes: readonly number[], axis?: number) => {
    known.set(id, classes);
    if (axis !== undefined) axes.set(id, axis);
  };
  const of = (id: TensorId) => {
    if (!known.has(id)) give(id, sets.fresh(widthOf(id)));
    return known.get(id) as readonly number[];
  };
  const freeze = (id: TensorId) => {
    if (id !== NONE && !isConstant(graph, id)) sets.freeze(of(id));
  };
  return { graph, sets, readers: countReaders(graph), known, of, give, axisOf, widthOf, freeze };
}
