/** Divisors, which have to be exact beside their own size, of what one scale holds evenly: TFLite refuses a run where one comes to its zero point. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";
import { rangeOf } from "./groups.ts";
import { BEFORE, isCoarse } from "./logarithms.ts";

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
  const kept = new Set<number>();
  const keep = (i: number): void => {
    if (kept.has(i)) return;
    kept.add(i);
    found[i] = "float32";
    for (const id of (graph.nodes[i] as AnyNode).inputs) {
      const last = writers.get(id);
      if (last === undefined) continue;
      const { kind } = graph.nodes[last] as AnyNode;
      if (BEFORE.includes(kind)) keep(last);
      else if (kind === "batchMatMul") found[last] = "float32";
    }
  };
  for (const [i, { kind, inputs }] of graph.nodes.entries()) {
    if (kind === "rsqrt") {
      const { min, max } = ranges.get(inputs[0] as TensorId) ?? { min: 0, max: 1 };
      if (isCoarse({ min: 0, max }, min, types[i])) keep(i);
    } else if (kind === "div") {
      const divisor = tensorOf(graph, inputs[1] as TensorId);
      if (!isFloatConstant(divisor)) keep(i);
      else if (isCoarse(rangeOf(floatsOf(divisor)), leastOf(floatsOf(divisor)), types[i])) keep(i);
    }
  }
  return found;
}

const leastOf = (values: Float32Array) => values.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
