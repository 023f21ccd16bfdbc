/** Networks that bring their inputs to one size themselves: features of many sizes would share one scale before it. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";

/** How much coarser a feature may be by the input's scale than by that of what normalization gives: one bit. */
const COARSER = 2;

const OF_CHANNELS: readonly string[] = ["add", "sub", "mul", "div"];

/** The types where sums and products with constants that come first stay float, if some feature would lose more than a bit by the one scale of the input. */
export function withFloatNormalization(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): readonly NodeType[] {
  const found = [...types];
  const width = (id: TensorId) => {
    const { min, max } = ranges.get(id) ?? { min: 0, max: 0 };
    return Math.max(max, 0) - Math.min(min, 0);
  };
  for (const { tensor } of graph.inputs) {
    let [x, gain] = [tensor, 1];
    const chain: number[] = [];
    for (;;) {
      const readers = [...graph.nodes.keys()].filter((i) => (graph.nodes[i] as AnyNode).inputs.includes(x));
      const [i = -1] = readers;
      const node = graph.nodes[i];
      if (readers.length !== 1 || node === undefined || types[i] === "float32" || !OF_CHANNELS.includes(node.kind))
        break;
      const constant = node.inputs.map((id) => tensorOf(graph, id)).find(isFloatConstant);
      if (constant === undefined || (node.kind === "div" && node.inputs[0] !== x)) break;
      const sizes = Array.from(floatsOf(constant), Math.abs);
      if (node.kind === "mul") gain *= Math.max(...sizes);
      if (node.kind === "div") gain /= Math.min(...sizes);
      chain.push(i);
      x = node.outputs[0] as TensorId;
      if (width(tensor) * gain > COARSER * width(x)) for (const each of chain) found[each] = "float32";
    }
  }
  return found;
}
