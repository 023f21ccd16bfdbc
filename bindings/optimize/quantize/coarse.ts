/**
 * Scales that do not go together: sums that are small beside what they are made of, as the variance of layer normalization written as a difference of
 * means of squares, or the cube in GELU, would be a few steps of their operands' scales.
 */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";
import type { Range } from "../calibrate/ranges.ts";
import type { NodeType } from "./build.ts";
import { type Affines, affinesOf } from "./groups.ts";
import { COMPARISONS, fixedAffine, ruleOf } from "./operators.ts";
import { affineOfRange } from "./scales.ts";
import { supports } from "./support.ts";
import { visibleRanges } from "./visible.ts";

/** Steps of a sum to one of its operands' at most, and of what a function gives to those of the scale that it fixes. */
const COARSER = 16;

/** Steps from end to end. */
const STEPS = { int8: 2 ** 8, int16: 2 ** 16 } as const;
/** Steps of a product's scale that products can be before they saturate: they are shifted in 32 bits. */
const MOST_STEPS = 2 ** 30;

/** Operators of single elements, and means of them, behind which such operands come to be. */
const BEFORE: readonly string[] = [
  ...["add", "sub", "mul", "div", "square", "sqrt", "rsqrt", "exp", "abs", "neg"],
  ...["mean", "sum", "reshape", "squeeze", "expandDims", "broadcastTo"],
];

/** Types with their scales, such nodes on floats with what computes their operands, up to layers. */
export function withFloatSums(
  graph: Graph,
  wished: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): { readonly types: readonly NodeType[]; readonly affines: Affines } {
  const types = wished.map((type, i) => (isCrowded(graph.nodes[i] as AnyNode, type, ranges) ? "float32" : type));
  const writers = writersOf(graph);
  const keep = (i: number): void => {
    if (types[i] === "float32") return;
    types[i] = "float32";
    for (const id of (graph.nodes[i] as AnyNode).inputs) {
      const before = writers.get(id);
      if (before !== undefined && BEFORE.includes((graph.nodes[before] as AnyNode).kind)) keep(before);
    }
  };
  for (;;) {
    const affines = affinesOf(graph, (i) => types[i] !== "float32", visibleRanges(graph, types, ranges));
    const unfit = [...graph.nodes.keys()].filter((i) => !fits(graph, i, types[i] as NodeType, affines));
    if (unfit.length === 0) return { types, affines };
    for (const i of unfit) keep(i);
  }
}

/** Whether what a function gives would be a few steps of the scale that it fixes: SOFTMAX over thousands, of which each has a small share. */
function isCrowded(node: AnyNode, type: NodeType, ranges: ReadonlyMap<TensorId, Range>): boolean {
  if (type === "float32") return false;
  const range = ranges.get(node.outputs[0] as TensorId);
  const fixed = fixedAffine(node, type);
  return fixed !== undefined && range !== undefined && fixed.scale > COARSER * affineOfRange(range, type).scale;
}

/** Whether a node on integers can make its output of operands of their scales. */
function fits(graph: Graph, i: number, type: NodeType, affines: Affines): boolean {
  const node = graph.nodes[i] as AnyNode;
  if (type === "float32" || ruleOf(node) !== "free") return true;
  const affineOf = (id: TensorId) => affines.of(id, type);
  const computed = node.inputs.filter((id) => id !== NONE && tensorOf(graph, id).dtype === "float32");
  const size = (id: TensorId) => affineOf(id).scale * STEPS[type];
  const y = affineOf(node.outputs[0] as TensorId).scale;
  if (["add", "sub"].includes(node.kind) && computed.some((id) => affineOf(id).scale > COARSER * y)) return false;
  // TFLite's kernels take scales below 1 alone: others end the process or compare something else
  if (COMPARISONS.includes(node.kind) && computed.some((id) => affineOf(id).scale >= 1)) return false;
  if (node.kind === "mul" && computed.reduce((product, id) => product * size(id), 1) > MOST_STEPS * y) return false;
  return supports(graph, node, type, affineOf);
}
