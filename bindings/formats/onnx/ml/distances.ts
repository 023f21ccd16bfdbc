/** How far rows are from each other. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { entries, reshapedTo, sized } from "../ops/move.ts";
import { fits, kitOf } from "./kit.ts";

/** Sums of squares of what rows `[M,D]` differ in from others `[N,D]`, `[M,N]`. Memory is M·N·D floats. */
export function squaredDistances(n: OnnxNode, a: TensorId, b: TensorId): TensorId {
  const { add, sum } = kitOf(n);
  const [rows, width] = sized(n, n.b.tensor(a).shape, 2);
  const [others, same] = sized(n, n.b.tensor(b).shape, 2);
  fits(n, "columns", same, width);
  entries(n, rows * others * width);
  const sides = [reshapedTo(n, a, [rows, 1, width]), reshapedTo(n, b, [1, others, width])];
  return sum(add("squaredDifference", sides, {}), 2);
}

function distances(n: OnnxNode): void {
  const metric = n.string("metric", "sqeuclidean");
  if (!/^(sq)?euclidean$/.test(metric)) n.refuse("a known metric", metric);
  const squares = squaredDistances(n, n.plain(n.input(0)), n.plain(n.input(1)));
  n.setPlain(0, metric === "euclidean" ? kitOf(n).of("sqrt", squares) : squares);
}

export const DISTANCES: Conversions = { "com.microsoft.CDist": distances };
