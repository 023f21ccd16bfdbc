/** Networks without some of their channels: what they give, and the same where nothing reads these. */
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { tensorOf } from "../../../bindings/graph.ts";
import type { Sample } from "../../../bindings/optimize/data/types.ts";
import { floatsOf } from "../../../bindings/optimize/linear/layers.ts";
import { channelsOf } from "../../../bindings/optimize/prune/channels/classes.ts";
import { tapGraph } from "../../../bindings/optimize/tap.ts";

/** The first output for each of the samples, one after the other. */
export async function outputs(graph: Graph, samples: readonly Sample[]): Promise<readonly number[]> {
  const tap = await tapGraph(graph, [graph.outputs[0]?.tensor as TensorId]);
  const all = samples.flatMap(({ inputs }) => [...(tap.run(inputs)[0] as Float32Array)]);
  tap.close();
  return all;
}

/** The graph whose layers do not read the channels of these classes. */
export function deaf(graph: Graph, gone: ReadonlySet<number>): Graph {
  const channels = channelsOf(graph);
  const tensors = [...graph.tensors];
  for (const layer of channels.layers) {
    const columns = channels.columns(layer);
    if (columns === undefined) continue;
    const w = floatsOf(graph, layer.weights);
    const data = new Uint8Array(
      w.map((value, i) => (gone.has(columns[i % layer.inputs] as number) ? 0 : value)).buffer,
    );
    tensors[layer.weights] = { ...tensorOf(graph, layer.weights), data };
  }
  return { ...graph, tensors };
}
