/** Layers that share weights, as the steps of a recurrent network do: each has a tensor of its own while it is trained, and all have one place in memory. */
import { type AnyNode, type Graph, NONE, type Node, type TensorId } from "../../graph.ts";
import { compact } from "../prepare/index.ts";
import { gradientOf } from "./gradients/index.ts";
import { NO_SUMS } from "./gradients/pair.ts";
import type { Slot, Ties } from "./layout.ts";
import type { Program } from "./program.ts";

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

/** Where gradients of parameters go: of layers that share one the first in its place, the others beside it, from where they are added. */
export function sharesOf(program: Program, gradients: number) {
  const written = new Set<Slot>();
  let own: Map<Slot, number> | undefined;
  return {
    gradient(slot: Slot): number {
      const place = gradients + slot.offset * 4;
      if (own === undefined) return place;
      const address = own.get(slot) ?? (written.has(slot) ? program.borrow(slot.floats) : place);
      own.set(slot, address);
      return address;
    },
    /** Before a layer's way back. */
    open(): void {
      own = new Map();
    },
    add({ where }: AnyNode): void {
      for (const [slot, x] of own ?? []) {
        const y = gradients + slot.offset * 4;
        const bytes = slot.floats * 4;
        if (x === y) written.add(slot);
        else {
          const row = { ...NO_SUMS, rows: 1, bytes, xStride: bytes, yStride: bytes, accumulate: 1 };
          program.call({ kernel: "copyRowsF32", params: { ...row, x, y } }, { where, elements: slot.floats });
          program.release(x);
        }
      }
      own = undefined;
    },
  };
}
