/** Small sequences, and what networks give for them. */
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";

/** Steps, samples, inputs and units. */
export const [T, B, I, H] = [5, 2, 3, 4];
/** The same numbers for the same seed. */
export const noise = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(0.8 * Math.sin((i + seed) * (seed + 1.7))));

export const operatorsOf = (bytes: Uint8Array) => (readModel(bytes).graph?.nodes ?? []).map(({ operator }) => operator);

/** All outputs of one run. */
export async function outputsOf(graph: Graph, seed = 7): Promise<readonly (readonly number[])[]> {
  const session = await openGraph(graph, { module: "simd" });
  const inputs = session.inputs.map(({ shape }, i) =>
    Float32Array.from(
      noise(
        shape.reduce((a, b) => a * b, 1),
        seed + i,
      ),
    ),
  );
  const outputs = session.run(inputs as never);
  const found = session.outputs.map(({ name }) => Array.from(outputs[name] as ArrayLike<number>, Number));
  session.close();
  return found;
}
