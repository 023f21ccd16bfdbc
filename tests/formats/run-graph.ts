/** Runs graphs as they are, and models of .onnx. */
import type { Graph } from "../../bindings/graph.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { TypedArray } from "../../bindings/tensor.ts";
import { buildOnnx, type GraphSpec } from "./build-onnx.ts";

/** The first output of one run of a graph of one input. */
export async function runGraph(graph: Graph, input: TypedArray): Promise<TypedArray> {
  const session = await openGraph(graph, { module: "simd" });
  const [output] = Object.values(session.run([input] as never)) as unknown as readonly TypedArray[];
  session.close();
  return output as TypedArray;
}

export type Values = readonly (readonly number[])[];

/** All outputs of a model of floats, cut to what counts. */
export async function runOnnx(graph: GraphSpec, inputs: Values, opset = 17): Promise<Values> {
  const model = await loadModel(buildOnnx(graph, opset), { module: "simd" });
  const outputs = Object.values(model.run(inputs.map((values) => Float32Array.from(values))));
  model.close();
  return outputs.map((values) => Array.from(values as ArrayLike<number | bigint>, Number));
}
