/** Node after node over some examples: what a network quantized as far as this node makes of them, beside the float one. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount, type Tensor, type TypedArray } from "../../tensor.ts";
import { spread } from "../data/some.ts";
import type { Dataset, Sample } from "../data/types.ts";
import { openRunner } from "../run.ts";
import { inputsOf } from "./inputs.ts";

/** Bytes of values that are kept at once. */
const MEMORY = 2 ** 28;
/** Examples that streams take at most. */
const MOST = 128;

/** How many examples a stream of this graph can keep, twice: the float network's values and the quantized one's. */
export function streamLength(graph: Graph): number {
  const bytes = (ids: readonly TensorId[]) =>
    ids.reduce(
      (sum, id) => (id === NONE || tensorOf(graph, id).data ? sum : sum + 4 * elementCount(tensorOf(graph, id).shape)),
      0,
    );
  const last = lastReaders(graph);
  let [live, most] = [bytes(graph.inputs.map(({ tensor }) => tensor)), 0];
  for (const [i, node] of graph.nodes.entries()) {
    live += bytes(node.outputs);
    most = Math.max(most, live);
    live -= bytes([...new Set(node.inputs)].filter((id) => last.get(id) === i));
  }
  return Math.max(1, Math.min(MOST, Math.floor(MEMORY / (2 * Math.max(most, 1)))));
}

/** The examples as they pass by, some of them kept in copies. */
export async function* remember(data: Dataset, kept: Sample[], most: number): AsyncGenerator<Sample, void, undefined> {
  const wanted = spread(data, most);
  let i = 0;
  for await (const sample of data) {
    if (wanted(i++)) kept.push({ ...sample, inputs: sample.inputs.map((values) => values.slice()) });
    yield sample;
  }
}

function lastReaders(graph: Graph): ReadonlyMap<TensorId, number> {
  const last = new Map<TensorId, number>();
  for (const [i, { inputs }] of graph.nodes.entries()) for (const id of inputs) last.set(id, i);
  for (const { tensor } of graph.outputs) last.set(tensor, graph.nodes.length);
  return last;
}

/** Values of all examples, by tensor: reals, also of quantized tensors, which stand on their grid. */
export class Stream {
  readonly #graph: Graph;
  readonly #last: ReadonlyMap<TensorId, number>;
  readonly #values = new Map<TensorId, readonly TypedArray[]>();
  readonly length: number;

  constructor(graph: Graph, samples: readonly Sample[]) {
    this.#graph = graph;
    this.#last = lastReaders(graph);
    this.length = samples.length;
    const ports = graph.inputs.map(({ name, tensor }) => {
      const { dtype, shape } = tensorOf(graph, tensor);
      return { name, dtype, shape, scale: 0, zeroPoint: 0 };
    });
    const inputs = samples.map((sample, i) => inputsOf(ports, sample, sample.name ?? `example ${i}`));
    for (const [i, { tensor }] of graph.inputs.entries())
      this.#values.set(
        tensor,
        inputs.map((each) => each[i] as TypedArray),
      );
  }

  /** The tensor's values in each example. */
  of(id: TensorId): readonly TypedArray[] {
    return this.#values.get(id) ?? [];
  }

  /** Runs a graph of a node's inputs and outputs, as `single` makes it, over all examples and returns the outputs. */
  async run(part: Graph, ids: readonly TensorId[]): Promise<readonly (readonly TypedArray[])[]> {
    const runner = await openRunner(part);
    try {
      const results = part.outputs.map((): TypedArray[] => []);
      for (let i = 0; i < this.length; i++) {
        const outputs = runner.run(ids.map((id) => this.of(id)[i] as TypedArray));
        for (const [k, values] of outputs.entries()) results[k]?.push(values.slice());
      }
      return results;
    } finally {
      runner.close();
    }
  }

  /** Keeps what node `index` gave and forgets what nothing after it reads. */
  advance(index: number, outputs: readonly (readonly TypedArray[])[]): void {
    const node = this.#graph.nodes[index] as AnyNode;
    for (const [k, id] of node.outputs.entries()) this.#values.set(id, outputs[k] ?? []);
    for (const id of [...node.inputs, ...node.outputs])
      if ((this.#last.get(id) ?? -1) <= index) this.#values.delete(id);
  }
}

/** The graph of one node alone; its computed inputs and its outputs are the graph's. What it keeps from run to run it keeps. */
export function single(graph: Graph, node: AnyNode): { readonly part: Graph; readonly ids: readonly TensorId[] } {
  const given = ({ data, variable }: Tensor) => data === undefined && variable !== true;
  const ids = [...new Set(node.inputs)].filter((id) => id !== NONE && given(tensorOf(graph, id)));
  const port = (tensor: TensorId, i: number) => ({ name: `t${i}`, tensor });
  const { batch: _, ...rest } = graph;
  const part = { ...rest, nodes: [node], inputs: ids.map(port), outputs: node.outputs.map(port) };
  return { part, ids };
}
