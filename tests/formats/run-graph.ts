/** Runs a graph as it is. */
import type { Graph } from "../../bindings/graph.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import type { TypedArray } from "../../bindings/tensor.ts";

/** The first output of one run of a graph of one input. */
export async function runGraph(graph: Graph, input: TypedArray): Promise<TypedArray> {
  const session = await openGraph(graph, { module: "simd" });
  const [output] = Object.values(session.run([input] as never)) as unknown as readonly TypedArray[];
  session.close();
  return output as TypedArray;
}
