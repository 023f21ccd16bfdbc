/** Graphs made and run as they are, and models of .onnx. */
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Tensor, TypedArray } from "../../bindings/tensor.ts";
import { buildOnnx, type GraphSpec } from "./build-onnx.ts";

/** A node: inputs and outputs by their places among the tensors. */
type Step = readonly [kind: string, inputs: readonly number[], outputs: readonly number[], attributes?: object];

/** A graph of these tensors and nodes. */
export function graphOf(
  tensors: readonly Tensor[],
  inputs: number[],
  outputs: number[],
  steps: readonly Step[],
): Graph {
  const port = (id: number) => ({ name: tensors[id]?.name ?? "", tensor: id as TensorId });
  const nodes = steps.map(
    ([kind, from, to, attributes = {}], i) =>
      ({ kind, where: `node ${i}`, inputs: from, outputs: to, attributes }) as unknown as AnyNode,
  );
  return { name: "main", tensors, nodes, inputs: inputs.map(port), outputs: outputs.map(port), subgraphs: [] };
}

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
