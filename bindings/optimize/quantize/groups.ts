/** Tensors that must share one scale, and the range of each such group. */
import { type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import type { Affine } from "../../primitives/requantize/quantization.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import { fixedAffine, ruleOf } from "./operators.ts";
import { type Activations, affineOfRange } from "./scales.ts";

/** How each tensor of floats is quantized. */
export interface Affines {
  /** In that type; the same for all tensors of a group, a constant's own for a constant. */
  of(id: TensorId, type: Activations): Affine;
  /** One tensor that stands for its group. */
  group(id: TensorId): TensorId;
  /** The group's range. */
  range(id: TensorId): Range;
}

/** Operators whose constants bound the values of others. */
const BOUNDS: readonly string[] = ["maximum", "minimum"];

/**
 * Ties together what the quantized nodes tie, and takes the union of the ranges. A group all of whose values come from one function
 * of a fixed scale has that scale.
 */
export function affinesOf(
  graph: Graph,
  quantized: (node: number) => boolean,
  ranges: ReadonlyMap<TensorId, Range>,
): Affines {
  const parents = graph.tensors.map((_, id) => id);
  const find = (id: number): number => {
    let root = id;
    while (parents[root] !== root) root = parents[root] as number;
    parents[id] = root;
    return root;
  };
  const isFloat = (id: TensorId) => id !== NONE && tensorOf(graph, id).dtype === "float32";
  const made = new Map<TensorId, number>();
  for (const [i, node] of graph.nodes.entries()) {
    for (const id of node.outputs) made.set(id, i);
    if (!quantized(i) || ruleOf(node) !== "tied") continue;
    // Constants are copied into each group that reads them.
    const tied = [...node.inputs, ...node.outputs].filter((id) => isFloat(id) && !isFloatConstant(tensorOf(graph, id)));
    for (const id of tied) parents[find(id)] = find(tied[0] as TensorId);
  }

  const groups = new Map<number, { min: number; max: number }>();
  const include = (root: number, { min, max }: Range) => {
    const range = groups.get(root) ?? { min: 0, max: 0 };
    groups.set(root, { min: Math.min(range.min, min), max: Math.max(range.max, max) });
  };
  for (const [id, range] of ranges) include(find(id), range);
  /** What of a constant's range there is to see in outputs. */
  const clipped = ({ min, max }: Range, outputs: readonly TensorId[]) => {
    const seen = outputs.map((id) => ranges.get(id) ?? { min: -Infinity, max: Infinity });
    const [low, high] = [Math.min(...seen.map((each) => each.min)), Math.max(...seen.map((each) => each.max))];
    return { min: Math.max(min, Math.min(low, 0)), max: Math.min(max, Math.max(high, 0)) };
  };
  for (const [i, node] of graph.nodes.entries()) {
    // What bounds beyond the range do, the ends of the scale do.
    if (!quantized(i) || ruleOf(node) !== "tied" || BOUNDS.includes(node.kind)) continue;
    for (const id of node.inputs)
      if (id !== NONE && isFloatConstant(tensorOf(graph, id)))
        include(find(node.outputs[0] as TensorId), clipped(rangeOf(floatsOf(tensorOf(graph, id))), node.outputs));
  }

  /** The fixed scale of each group whose values come from such functions alone. */
  const sources = new Map<number, Set<string>>();
  const fixedOf = (id: TensorId, type: Activations) => {
    const node = made.get(id);
    return node !== undefined && quantized(node) ? fixedAffine(graph.nodes[node] as never, type) : undefined;
  };
  for (const id of [...made.keys(), ...graph.inputs.map(({ tensor }) => tensor)]) {
    const node = made.get(id);
    const moved = node !== undefined && quantized(node) && ruleOf(graph.nodes[node] as never) === "tied";
    if (!isFloat(id) || moved) continue;
    const kind = node === undefined ? "input" : fixedOf(id, "int8") ? (graph.nodes[node]?.kind ?? "") : "free";
    const root = find(id);
    sources.set(root, (sources.get(root) ?? new Set()).add(kind));
  }
  const fixed = new Map<number, TensorId>();
  for (const id of made.keys())
    if (isFloat(id) && fixedOf(id, "int8") && sources.get(find(id))?.size === 1) fixed.set(find(id), id);

  const range = (id: TensorId) => groups.get(find(id)) ?? { min: 0, max: 0 };
  return {
    group: (id) => find(id) as TensorId,
    range,
    of(id, type) {
      const tensor = tensorOf(graph, id);
      if (isFloatConstant(tensor)) return affineOfConstant(floatsOf(tensor), type);
      const source = fixed.get(find(id));
      const own = source === undefined ? undefined : fixedOf(source, type);
      return own ?? affineOfRange(range(id), type);
    },
  };
}

/** TFLite's comparisons end the process where a scale is 1 or more, as that of nothing but zeros would be. */
const affineOfConstant = (values: Float32Array, type: Activations): Affine =>
  values.some(Boolean) ? affineOfRange(rangeOf(values), type) : { scale: 0.5, zeroPoint: 0 };

/** The least and the largest value, 0 among them. */
export function rangeOf(values: Float32Array): Range {
  let [min, max] = [0, 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
