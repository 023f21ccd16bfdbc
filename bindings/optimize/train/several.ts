/** Networks of several outputs: trained as one list of values, each output measured by its own spread. */
import { ensure } from "../../errors.ts";
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { bytesOf } from "../constants.ts";
import type { Dataset, Sample } from "../data/types.ts";
import { tapGraph } from "../tap.ts";
import type { Objective } from "./kinds.ts";
import { goalOf } from "./objective.ts";
import type { TrainOptions } from "./options.ts";

/** What a network is trained for: values, whatever each of several outputs is, else what `goalOf` says. */
export const objectiveOf = (graph: Graph, objective?: Objective, sample?: Sample): Objective =>
  graph.outputs.length > 1 ? "values" : goalOf(graph, objective, sample).objective;

/** Examples that tell how far an output's numbers lie apart. */
const EXAMPLES = 32;

/**
 * Trains a network of several outputs by `train`, which knows one: all of them side by side, towards the teacher's or the samples' targets. Each output's squared
 * differences count by their variance, and all outputs alike however many numbers they have.
 *
 * Errors: INVALID_OPTION for an objective other than values, and for a teacher of other outputs; those of `train`.
 */
export async function trainSeveral(
  graph: Graph,
  data: Dataset,
  options: TrainOptions,
  train: (graph: Graph, data: Dataset, options: TrainOptions) => Promise<Graph>,
): Promise<Graph> {
  const { objective = "values", teacher, validation } = options;
  ensure(objective === "values", "INVALID_OPTION", () => ({
    where: "objective",
    expected: `values, as a network of ${graph.outputs.length} outputs learns`,
    received: objective,
  }));
  const sizes = sizesOf(graph);
  const known = sizesOf(teacher ?? graph);
  ensure(known.join() === sizes.join(), "INVALID_OPTION", () => ({
    where: "teacher",
    expected: `outputs of ${sizes.join(", ")} numbers, as the student has`,
    received: known.join(", "),
  }));
  const factors = await factorsOf(teacher ?? graph, data, sizes);
  const whole = joined(graph, factors);
  const trained = await train(whole, besideEachOther(data, factors), {
    ...options,
    objective,
    ...(teacher && { teacher: joined(teacher, factors) }),
    ...(validation && { validation: besideEachOther(validation, factors) }),
  });
  // What was appended comes last; tensors may have other ids, as those have that layers shared.
  const end = trained.nodes.length - (whole.nodes.length - graph.nodes.length);
  const added = trained.nodes.slice(end);
  const own = new Set(added.flatMap(({ outputs }) => outputs));
  const ends = added.flatMap(({ kind, inputs: [x = NONE] }) => (kind === "mul" || own.has(x) ? [] : [x]));
  return {
    ...trained,
    nodes: trained.nodes.slice(0, end),
    outputs: graph.outputs.map((port, k) => ({ ...port, tensor: ends[k] as TensorId })),
  };
}

/**
 * A function that gives a graph of these outputs one in place of them: a list of all, each by the variance that it has in this network. A graph of one output
 * stays as it is.
 */
export async function sideBySide(graph: Graph, data: AsyncIterable<Sample>): Promise<(other: Graph) => Graph> {
  if (graph.outputs.length === 1) return (other) => other;
  const factors = await factorsOf(graph, data, sizesOf(graph));
  return (other) => joined(other, factors);
}

const sizesOf = (graph: Graph) => {
  const typed = runPasses(graph, { only: "none" });
  return typed.outputs.map(({ tensor }) => elementCount(tensorOf(typed, tensor).shape));
};

/** What each output's numbers are multiplied by: together they have variance 1, each output as much of it. */
async function factorsOf(
  graph: Graph,
  data: AsyncIterable<Sample>,
  sizes: readonly number[],
): Promise<readonly number[]> {
  const ids = graph.outputs.map(({ tensor }) => tensor);
  const sums = sizes.map(() => [0, 0, 0] as [number, number, number]);
  const tap = await tapGraph(graph, ids, { batch: 1 });
  try {
    let count = 0;
    for await (const { inputs } of data) {
      for (const [k, values] of tap.run(inputs).entries()) {
        const own = sums[k] as [number, number, number];
        own[0] += values.length;
        for (const value of values) {
          own[1] += value;
          own[2] += value * value;
        }
      }
      if (++count === EXAMPLES) break;
    }
  } finally {
    tap.close();
  }
  const total = sizes.reduce((a, b) => a + b, 0);
  return sums.map(([n, sum, squares], k) => {
    const variance = Math.max(squares / n - (sum / n) ** 2, 0);
    return Math.sqrt(total / (sizes.length * (sizes[k] as number) * (variance || 1)));
  });
}

/** The graph with all of its outputs, times their factors, as one. */
function joined(graph: Graph, factors: readonly number[]): Graph {
  const typed = runPasses(graph, { only: "none" });
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [...graph.nodes];
  const append = (shape: readonly number[], data?: Float32Array) =>
    (tensors.push({ name: `joined${tensors.length}`, dtype: "float32", shape, ...(data && { data: bytesOf(data) }) }) -
      1) as TensorId;
  const place = (kind: AnyNode["kind"], inputs: readonly TensorId[], size: number, attributes: object) => {
    const y = append([1, size]);
    nodes.push({ kind, where: "outputs", inputs, outputs: [y], attributes } as unknown as AnyNode);
    return y;
  };
  let total = 0;
  const parts = graph.outputs.map(({ tensor }, k) => {
    const { dtype, shape } = tensorOf(typed, tensor);
    const size = elementCount(shape);
    total += size;
    const flat = (x: TensorId) => place("reshape", [x], size, { shape: [1, size] });
    let x = tensor;
    if (dtype !== "float32") {
      x = append(shape);
      nodes.push({ kind: "dequantize", where: "outputs", inputs: [tensor], outputs: [x], attributes: {} } as AnyNode);
    }
    const factor = append([1], Float32Array.of(factors[k] as number));
    return place("mul", [flat(x), factor], size, { activation: "none" });
  });
  const y = place("concat", parts, total, { axis: 1, activation: "none" });
  return { ...graph, tensors, nodes, outputs: [{ name: "outputs", tensor: y }] };
}

/** The data whose samples have all targets in one list, or none where they have not one for each output. */
function besideEachOther(data: Dataset, factors: readonly number[]): Dataset {
  const one = ({ label: _, targets, ...sample }: Sample): Sample =>
    targets?.length === factors.length
      ? {
          ...sample,
          targets: [Float32Array.from(targets.flatMap((of, k) => Array.from(of, (y) => y * (factors[k] as number))))],
        }
      : sample;
  return {
    ...(data.size !== undefined && { size: data.size }),
    async *[Symbol.asyncIterator]() {
      for await (const sample of data) yield one(sample);
    },
  };
}
