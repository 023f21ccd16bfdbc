/** Whether a student knows anything of what it is to learn: who knows nothing begins as fresh networks do. */
import type { Graph } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { inputsOf } from "../calibrate/inputs.ts";
import { moved } from "../data/planes.ts";
import { spread } from "../data/some.ts";
import type { Dataset } from "../data/types.ts";
import { openRunner } from "../run.ts";
import type { Objective } from "./kinds.ts";
import { endAt } from "./objective.ts";

/** Examples that are compared. */
const EXAMPLES = 64;
/** Correlation with the teacher's outputs from which on a student knows something of them: random weights have 0, more or less. */
const KNOWN = 0.5;

/**
 * Whether the outputs of a network follow its teacher's, from example to example, by their correlation on 64 of them. Whether weights are random is not to be seen
 * from them: a converter that folds normalization leaves the same ones.
 *
 * Errors: those of `openRunner`; INVALID_INPUT for examples of another size.
 */
export async function knows(student: Graph, teacher: Graph, data: Dataset, objective?: Objective): Promise<boolean> {
  const [own, theirs] = await Promise.all([student, teacher].map((graph) => openRunner(ended(graph, objective))));
  if (own === undefined || theirs === undefined) return false;
  const [a, b]: [Float64Array[], Float64Array[]] = [[], []];
  try {
    // Who takes something else is refused where it is taught.
    const sizes = [own, theirs].map(({ inputs }) => inputs.map(({ shape }) => elementCount(shape)).join());
    if (sizes[0] !== sizes[1]) return false;
    const moves = own.inputs.map(({ shape }, i) => moved(shape, theirs.inputs[i]?.shape ?? shape));
    for await (const sample of data.some?.(spread(data, EXAMPLES)) ?? data) {
      const name = sample.name ?? `sample ${a.length}`;
      const turned = sample.inputs.map((values, i) => moves[i]?.(values) ?? values);
      a.push(listOf(own.run(inputsOf(own.inputs, sample, name))));
      b.push(listOf(theirs.run(inputsOf(theirs.inputs, { ...sample, inputs: turned }, name))));
      if (a.length >= EXAMPLES) break;
    }
  } finally {
    own.close();
    theirs.close();
  }
  return correlation(a, b) >= KNOWN;
}

/** A network of one output as its loss reads it. */
const ended = (graph: Graph, objective?: Objective) => (graph.outputs.length === 1 ? endAt(graph, objective) : graph);

const listOf = (outputs: readonly ArrayLike<number | bigint>[]) =>
  Float64Array.from(outputs.flatMap((values) => Array.from(values, Number)));

/** Of all numbers less their means over the examples. */
function correlation(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  const count = Math.min(a[0]?.length ?? 0, b[0]?.length ?? 0);
  let [both, own, theirs] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const mean = (lists: readonly Float64Array[]) =>
      lists.reduce((sum, list) => sum + (list[k] as number), 0) / lists.length;
    const [x, y] = [mean(a), mean(b)];
    for (const [i, list] of a.entries()) {
      const [u, v] = [(list[k] as number) - x, (b[i]?.[k] as number) - y];
      both += u * v;
      own += u * u;
      theirs += v * v;
    }
  }
  return both / Math.sqrt(own * theirs || 1);
}
