/** A graph in the making: tensors behind those that it has, and nodes. */
import type { AnyNode, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";

/** Nodes that one operator may become. */
export const MOST_NODES = 20_000;

export interface Draft {
  readonly tensors: Tensor[];
  readonly nodes: AnyNode[];
  append(tensor: Tensor): TensorId;
  /** What is in the place of results that nodes no longer give. */
  readonly renamed: Map<TensorId, TensorId>;
}

export function draftOf(given: readonly Tensor[]): Draft {
  const tensors = [...given];
  return { tensors, nodes: [], renamed: new Map(), append: (tensor) => (tensors.push(tensor) - 1) as TensorId };
}
