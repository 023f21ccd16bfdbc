/** Examples in the middle of a network: what lies before runs once, and not again for each layer behind it. */
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { forEach, type Inputs } from "./systems.ts";

/** The nodes of a graph from one on, and what those before gave for each example. */
export interface Stage {
  readonly from: number;
  readonly ports: readonly TensorId[];
  readonly examples: Inputs;
}

/** Bytes of values of which a stage may have as many as the examples themselves have, or these. */
const LEAST_BYTES = 2 ** 26;

const bytesOf = (examples: Inputs) =>
  examples.length * (examples[0] ?? []).reduce((sum, { byteLength }) => sum + byteLength, 0);

export function firstStage(graph: Graph, examples: Inputs): Stage {
  return { from: 0, ports: graph.inputs.map(({ tensor }) => tensor), examples };
}

/** The graph that goes on from a stage. */
export function restOf(graph: Graph, { from, ports }: Stage): Graph {
  if (from === 0) return graph;
  return { ...graph, nodes: graph.nodes.slice(from), inputs: ports.map((tensor) => ({ name: `${tensor}`, tensor })) };
}

/** The stage before node `to`, of at most as many bytes; the one that was where its values are more, or are no samples of floats. */
export async function advanced(graph: Graph, stage: Stage, to: number, examples: Inputs): Promise<Stage> {
  const ports = liveAt(graph, to);
  const tensors = ports.map((id) => tensorOf(graph, id));
  const size = tensors.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const fits =
    to > stage.from &&
    size * examples.length <= Math.max(LEAST_BYTES, bytesOf(examples)) &&
    tensors.every(({ dtype, shape }) => dtype === "float32" && shape[0] === 1) &&
    !graph.tensors.some(({ variable }) => variable);
  if (!fits) return stage;
  const values: (readonly Float32Array[])[] = [];
  await forEach(restOf(graph, stage), ports, stage.examples, (all) => {
    values.push(ports.map((id) => all.get(id) as Float32Array));
  });
  return { from: to, ports, examples: values };
}

/** What nodes from `to` on read of those before, and of the inputs. */
function liveAt({ nodes, inputs }: Graph, to: number): readonly TensorId[] {
  const made = new Set([...inputs.map(({ tensor }) => tensor), ...nodes.slice(0, to).flatMap((node) => node.outputs)]);
  return [...new Set(nodes.slice(to).flatMap((node) => node.inputs))].filter((id) => made.has(id));
}
