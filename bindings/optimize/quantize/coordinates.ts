/** Coordinates: what is rounded to whole numbers says where something lies, to a pixel of hundreds, which no 256 steps do. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";
import type { NodeType } from "./build.ts";
import { COMPARISONS } from "./operators.ts";

const ROUNDED: readonly string[] = ["floor", "ceil", "round", "cast"];

/** Operators that compute coordinates from others, compare them, or move them. */
const OF_COORDINATES: readonly string[] = [
  ...["add", "sub", "mul", "div", "maximum", "minimum", "neg", "abs", "square", "relu", "relu6", "select", "selectV2"],
  ...["reshape", "squeeze", "expandDims", "transpose", "slice", "stridedSlice", "split", "splitV", "concat", "pack"],
  ...["unpack", "broadcastTo", "tile", ...ROUNDED],
  ...[...COMPARISONS, "logicalAnd", "logicalOr", "logicalNot"],
];

/** The types where what is rounded to whole numbers stays float, with all that it comes from, up to layers, and all that is computed from such numbers alone. */
export function withFloatCoordinates(graph: Graph, types: readonly NodeType[]): readonly NodeType[] {
  const writers = writersOf(graph);
  const found = [...types];
  const known = new Set<TensorId>();
  const computed = ({ inputs }: AnyNode) =>
    inputs.filter((id) => id !== NONE && tensorOf(graph, id).data === undefined);
  const stays = (i: number) => {
    found[i] = "float32";
    for (const id of (graph.nodes[i] as AnyNode).outputs) known.add(id);
  };
  const isFloat = (id: TensorId | undefined) =>
    id !== undefined && id !== NONE && tensorOf(graph, id).dtype === "float32";
  const waiting = graph.nodes.flatMap((node) =>
    ROUNDED.includes(node.kind) && isFloat(node.inputs[0]) && !(node.kind === "cast" && isFloat(node.outputs[0]))
      ? node.inputs.slice(0, 1)
      : [],
  );
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const i = writers.get(id);
    if (known.has(id)) continue;
    known.add(id);
    if (i === undefined || !OF_COORDINATES.includes((graph.nodes[i] as AnyNode).kind)) continue;
    stays(i);
    waiting.push(...computed(graph.nodes[i] as AnyNode));
  }
  for (const [i, node] of graph.nodes.entries()) {
    const from = computed(node);
    if (from.length > 0 && OF_COORDINATES.includes(node.kind) && from.every((id) => known.has(id))) stays(i);
  }
  return found;
}
