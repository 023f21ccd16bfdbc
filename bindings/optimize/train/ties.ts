/** Layers that share weights, as the steps of a recurrent network do: each has a copy while it is trained, and all copies move as one. */
import { type AnyNode, type Graph, NONE, type Node, type TensorId } from "../../graph.ts";
import { compact } from "../prepare/index.ts";
import { gradientOf } from "./gradients/index.ts";
import { type Layout, type Role, slotOf } from "./layout.ts";

/** By a copied parameter the one that it follows. */
export type Ties = ReadonlyMap<TensorId, TensorId>;

/** Which parameters of `own`, what `ownWeights` made of `given`, follow others: weights that were one, and biases of those that were one too, or absent. */
export function tiesOf(given: Graph, own: Graph): Ties {
  const ties = new Map<TensorId, TensorId>();
  const firsts = new Map<string, TensorId>();
  const follow = (key: string, id: TensorId) => {
    const first = firsts.get(key) ?? id;
    firsts.set(key, first);
    if (id !== first && id !== NONE) ties.set(id, first);
  };
  for (const [i, { inputs }] of own.nodes.entries()) {
    const node = given.nodes[i] as AnyNode;
    const places = gradientOf(node as Node)?.weights;
    const weight = node.inputs[places?.input ?? -1] ?? NONE;
    if (places === undefined || given.tensors[weight]?.data === undefined) continue;
    follow(`${weight}`, inputs[places.input] as TensorId);
    follow(`${weight} ${node.inputs[places.bias] ?? NONE}`, inputs[places.bias] ?? NONE);
  }
  return ties;
}

/** The graph where what follows another is that other again. */
export function tied(graph: Graph, ties: Ties): Graph {
  if (ties.size === 0) return graph;
  const nodes = graph.nodes.map(
    (node) => ({ ...node, inputs: node.inputs.map((id) => ties.get(id) ?? id) }) as AnyNode,
  );
  return compact({ ...graph, nodes });
}

/** Pairs of places in the arrays that are trained: of what follows and of what it follows. */
export interface Following {
  /** Adds the gradients of what follows to those of what it follows. */
  gather(gradients: Float32Array): void;
  /** Gives what follows the values of what it follows. */
  spread(weights: Float32Array): void;
}

const ROLES: readonly Role[] = ["weight", "bias"];

export function followingOf(layout: Layout, ties: Ties): Following {
  const pairs = [...ties].flatMap(([id, first]) =>
    ROLES.flatMap((role) => {
      const [from, to] = [slotOf(layout, role, id), slotOf(layout, role, first)];
      return from === undefined || to === undefined ? [] : [{ from: from.offset, to: to.offset, floats: to.floats }];
    }),
  );
  return {
    gather(gradients) {
      for (const { from, to, floats } of pairs)
        for (let i = 0; i < floats; i++)
          gradients[to + i] = (gradients[to + i] as number) + (gradients[from + i] as number);
    },
    spread(weights) {
      for (const { from, to, floats } of pairs) weights.copyWithin(from, to, to + floats);
    },
  };
}
