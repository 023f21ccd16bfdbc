/** What bounds speak of: accuracy and time, as the engine has them. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { inputsOf } from "../calibrate/inputs.ts";
import type { Sample } from "../data/types.ts";
import { openRunner } from "../run.ts";
import { errorOf, type Outputs, outputsOf } from "./judge.ts";

/** What the float network says. */
export interface Expected {
  readonly outputs: Outputs;
  /** Classes by which others are judged: labels where all examples have one, otherwise the float network's own. */
  readonly classes: readonly number[];
  /** Share of the classes that the float network names, in per cent; undefined where the output is no list of scores. */
  readonly accuracy: number | undefined;
}

/** Runs the float network over the examples. */
export async function expect(float: Graph, samples: readonly Sample[]): Promise<Expected> {
  const outputs = await outputsOf(float, samples);
  const own = outputs.map(classOf);
  // One list of scores: in pictures, sequences and single numbers no place is a class.
  const [port] = float.outputs;
  const count = port === undefined ? 0 : (tensorOf(float, port.tensor).shape.at(-1) ?? 0);
  const lists = count > 1 && outputs.every(([first]) => first?.length === count);
  const scores = lists && samples.every(({ targets }) => !targets);
  for (const [i, { targets, name = `example ${i}` }] of samples.entries()) {
    const [target, own] = [targets?.[0], outputs[i]?.[0]?.length ?? 0];
    ensure(target === undefined || own % target.length === 0, "INVALID_INPUT", () => ({
      where: name,
      expected: `${own} targets, as the network has outputs, or a class for each of its places`,
      received: `${target?.length}`,
      hint: "Check that the labels are those of this network.",
    }));
  }
  const labelled = scores && samples.every(({ label }) => label !== undefined);
  for (const [i, { label = 0, name = `example ${i}` }] of scores ? samples.entries() : [])
    ensure(Number.isInteger(label) && label >= 0 && label < count, "INVALID_INPUT", () => ({
      where: name,
      expected: `a class from 0 to ${count - 1}, as the network has outputs`,
      received: `${label}`,
      hint: "Check that the labels are those of this network.",
    }));
  const classes = labelled ? samples.map(({ label }) => label as number) : own;
  return { outputs, classes, accuracy: scores ? share(own, classes) : undefined };
}

/** The largest score's place, the first of equals. */
function classOf([scores = new Float32Array()]: readonly Float32Array[]): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return best;
}

const share = (found: readonly number[], expected: readonly number[]) =>
  (100 * found.filter((each, i) => each === expected[i]).length) / Math.max(found.length, 1);

/** Per cent of accuracy that the graph has less; of outputs that are no scores the error in per cent of their power. */
export async function dropOf(graph: Graph, samples: readonly Sample[], expected: Expected): Promise<number> {
  const found = await outputsOf(graph, samples);
  if (expected.accuracy === undefined) return 100 * Math.sqrt(errorOf(found, expected.outputs));
  return expected.accuracy - share(found.map(classOf), expected.classes);
}

/** Milliseconds that are measured, at least. */
const LEAST = 150;
const RUNS = 15;

/** The median time of one run, in milliseconds. */
export async function medianTime(graph: Graph, [sample]: readonly Sample[]): Promise<number> {
  if (sample === undefined) return 0;
  const runner = await openRunner(graph);
  const inputs = inputsOf(runner.inputs, sample, "example 0");
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < RUNS || performance.now() - begin < LEAST) {
    const start = performance.now();
    runner.run(inputs);
    times.push(performance.now() - start);
  }
  runner.close();
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}
