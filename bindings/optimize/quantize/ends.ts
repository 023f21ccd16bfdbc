/** Inputs that are taken apart, and outputs that are put together, of parts of many sizes, as a recurrent network's states in one tensor: one scale would tell little of the small ones. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";
import { rangeOf } from "./groups.ts";

/** How much coarser a part may be by the scale of all than by its own: one bit. */
const COARSER = 2;

/** What only moves numbers. */
export const MOVES: readonly string[] = [
  ...["reshape", "squeeze", "expandDims", "transpose", "slice", "stridedSlice", "split", "splitV", "concat"],
  ...["pack", "unpack", "gather"],
];

/** The types where what only moves numbers between the network's ends and such parts stays float. */
export function withFloatEnds(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): readonly NodeType[] {
  const found = [...types];
  const { nodes } = graph;
  const readers = new Map<TensorId, number[]>();
  const writers = new Map<TensorId, number>();
  for (const [i, { inputs, outputs }] of nodes.entries()) {
    for (const id of new Set(inputs)) readers.set(id, [...(readers.get(id) ?? []), i]);
    for (const id of outputs) writers.set(id, i);
  }
  const moves = (i: number | undefined): i is number =>
    i !== undefined && types[i] !== "float32" && MOVES.includes((nodes[i] as AnyNode).kind);
  const width = (id: TensorId) => {
    const tensor = tensorOf(graph, id);
    const { min, max } = isFloatConstant(tensor) ? rangeOf(floatsOf(tensor)) : (ranges.get(id) ?? { min: 0, max: 0 });
    return Math.max(max, 0) - Math.min(min, 0);
  };
  /** Marks the nodes if a part among these tensors is much smaller than the whole. */
  const mark = (whole: TensorId, chain: ReadonlySet<number>, parts: readonly TensorId[]) => {
    if (parts.some((id) => width(id) > 0 && COARSER * width(id) < width(whole)))
      for (const i of chain) found[i] = "float32";
  };
  const computed = (i: number) =>
    (nodes[i] as AnyNode).inputs.filter((id) => id !== NONE && tensorOf(graph, id).dtype === "float32");

  for (const { tensor } of graph.inputs) {
    const own = new Set([tensor]);
    const chain = new Set<number>();
    for (const id of own)
      for (const i of readers.get(id) ?? [])
        if (moves(i) && computed(i).every((each) => own.has(each))) {
          chain.add(i);
          for (const y of (nodes[i] as AnyNode).outputs) own.add(y);
        }
    mark(tensor, chain, [...own]);
  }
  const ends = new Set(graph.outputs.map(({ tensor }) => tensor));
  for (const { tensor } of graph.outputs) {
    const own = new Set([tensor]);
    const chain = new Set<number>();
    for (const id of own) {
      const i = writers.get(id);
      const inside = (readers.get(id) ?? []).every((reader) => chain.has(reader));
      if (!moves(i) || (id !== tensor && (ends.has(id) || !inside))) continue;
      chain.add(i);
      for (const x of computed(i)) own.add(x);
    }
    mark(tensor, chain, [...own]);
  }
  return found;
}
