/** Divisors, which have to be exact beside their own size, of what one scale holds evenly: TFLite refuses a run where one comes to its zero point. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";
import type { Tensor } from "../../tensor.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";
import { rangeOf } from "./groups.ts";
import { areCoarse, BEFORE, isCoarse } from "./logarithms.ts";

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
  const writers = writersOf(graph);
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
    const [x, divisor] = inputs as readonly [TensorId, TensorId];
    if (kind === "rsqrt" && areCoarse(ranges.get(x), types[i])) keep(i);
    if (kind === "div" && isUnfit(tensorOf(graph, divisor), types[i])) keep(i);
  }
  return found;
}

/** Whether a divisor is computed, or constants of many sizes. */
function isUnfit(divisor: Tensor, type: NodeType | undefined): boolean {
  if (!isFloatConstant(divisor)) return true;
  const values = floatsOf(divisor);
  const least = values.reduce((size, value) => Math.min(size, Math.abs(value)), Infinity);
  return isCoarse(rangeOf(values), least, type);
}
