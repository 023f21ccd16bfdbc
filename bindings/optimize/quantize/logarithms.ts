/** Logarithms, which ask how large numbers are beside each other, of what one scale holds evenly: SOFTPLUS as converters write it. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import type { NodeType } from "./build.ts";

/** Operators of one computed tensor, behind which such numbers come to be: of each number, of sums as those of powers are, or moved. */
const BEFORE: readonly string[] = [
  ...["exp", "add", "sub", "mul", "div", "neg", "abs", "square", "sqrt", "relu", "pow", "maximum", "sum", "mean"],
  ...["reshape", "squeeze", "expandDims", "transpose", "slice", "stridedSlice"],
];
/** Steps of a scale, and the error of half a step that a logarithm may have of its least operand. */
const STEPS = { int8: 255, int16: 32767 } as const;
const MOST_ERROR = 0.1;

/**
 * The types where logarithms stay float, with what their operand is computed by, up to layers, if half a step would be more than a
 * tenth of the least number that they were given.
 */
export function withFloatLogarithms(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): readonly NodeType[] {
  const writers = new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((id) => [id, i] as const)));
  const found = [...types];
  const computedOf = (i: number) =>
    [...new Set((graph.nodes[i] as AnyNode).inputs)].filter(
      (id) => id !== NONE && tensorOf(graph, id).data === undefined,
    );
  const keep = (i: number): void => {
    found[i] = "float32";
    const before = writers.get(computedOf(i)[0] as TensorId);
    if (before === undefined) return;
    if (BEFORE.includes((graph.nodes[before] as AnyNode).kind) && computedOf(before).length === 1) keep(before);
  };
  for (const [i, { kind, inputs }] of graph.nodes.entries()) {
    const type = types[i] as NodeType;
    if (kind !== "log" || type === "float32") continue;
    const { min, max } = ranges.get(inputs[0] as TensorId) ?? { min: 1, max: 1 };
    if (max / STEPS[type] / 2 > MOST_ERROR * min) keep(i);
  }
  return found;
}
