/** Divisors, which have to be exact beside their own size, of what one scale holds evenly: TFLite refuses a run where one comes to its zero point. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";
import { rangeOf } from "./groups.ts";

/** Operators of single elements, sums of them and moves, behind which numerators and divisors come to be. */
const BEFORE: readonly string[] = [
  ...["add", "sub", "mul", "div", "neg", "abs", "square", "sqrt", "exp", "relu", "pow", "maximum", "sum", "mean"],
  ...["reshape", "squeeze", "expandDims", "transpose", "slice", "stridedSlice", "split", "splitV", "broadcastTo"],
];
/** Steps of a scale, and the error of half a step that the least divisor may have. */
const STEPS = { int8: 255, int16: 32767 } as const;
const MOST_ERROR = 0.1;

/**
 * The types where quotients stay float whose divisor is computed, with what computes both operands, up to layers: the sums of products that
 * attention without softmax divides one by the other are floats too. So do those by constants of many sizes, and by roots of numbers (RSQRT) of many.
 */
export function withFloatQuotients(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): readonly NodeType[] {
  const found = [...types];
  const writers = new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((id) => [id, i] as const)));
  const keep = (i: number): void => {
    if (found[i] === "float32") return;
    found[i] = "float32";
    for (const id of (graph.nodes[i] as AnyNode).inputs) {
      const last = writers.get(id);
      if (last === undefined) continue;
      const { kind } = graph.nodes[last] as AnyNode;
      if (BEFORE.includes(kind)) keep(last);
      else if (kind === "batchMatMul") found[last] = "float32";
    }
  };
  /** Whether half a step of the scale that holds numbers between these is too much for the least. */
  const coarse = ({ min, max }: Range, least: number, i: number) =>
    (max - min) / STEPS[types[i] === "int16" ? "int16" : "int8"] / 2 > MOST_ERROR * least;
  for (const [i, { kind, inputs }] of graph.nodes.entries()) {
    if (kind === "rsqrt") {
      const { min, max } = ranges.get(inputs[0] as TensorId) ?? { min: 0, max: 1 };
      if (coarse({ min: 0, max }, min, i)) keep(i);
    } else if (kind === "div") {
      const divisor = tensorOf(graph, inputs[1] as TensorId);
      if (!isFloatConstant(divisor)) keep(i);
      else if (coarse(rangeOf(floatsOf(divisor)), leastOf(floatsOf(divisor)), i)) keep(i);
    }
  }
  return found;
}

const leastOf = (values: Float32Array) => values.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
