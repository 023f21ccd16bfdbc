/** How far a network's outputs are from those of the float network, by the engine that will run it. */
import type { Graph } from "../../graph.ts";
import type { TypedArray } from "../../tensor.ts";
import { inputsOf } from "../calibrate/inputs.ts";
import type { Sample } from "../data/types.ts";
import { openRunner, type Runner } from "../run.ts";

/** All outputs of all examples, as reals. */
export type Outputs = readonly (readonly Float32Array[])[];

/** Runs the graph over the examples. */
export async function outputsOf(graph: Graph, samples: readonly Sample[]): Promise<Outputs> {
  const runner = await openRunner(graph);
  try {
    return samples.map((sample, i) => {
      runner.reset();
      const values = runner.run(inputsOf(runner.inputs, sample, sample.name ?? `example ${i}`));
      return values.map((each, k) => reals(runner, k, each));
    });
  } finally {
    runner.close();
  }
}

function reals({ outputs }: Runner, k: number, values: TypedArray): Float32Array {
  const { scale = 0, zeroPoint = 0 } = outputs[k] ?? {};
  if (values instanceof Float32Array) return values.slice();
  const list = new Float32Array(values.length);
  for (let i = 0; i < list.length; i++) {
    const value = Number(values[i]);
    list[i] = scale === 0 ? value : scale * (value - zeroPoint);
  }
  return list;
}

/** Squared error over the power of what it should be, each output by itself; the mean of the outputs. */
export function errorOf(found: Outputs, expected: Outputs): number {
  const shares = sharesOf(found, expected, () => 0);
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(shares.length, 1);
}

/** The SNR in dB of each output, less its mean: 0 or below where it is no nearer than one number for all would be. */
export function signalOf(found: Outputs, expected: Outputs): readonly number[] {
  const mean = (lists: readonly Float32Array[]) => {
    let [sum, count] = [0, 0];
    for (const list of lists) for (let i = 0; i < list.length; i++) sum += list[i] as number;
    for (const { length } of lists) count += length;
    return sum / Math.max(count, 1);
  };
  return sharesOf(found, expected, mean).map((share) => -10 * Math.log10(share));
}

/** Of each output its squared error over its power, both less what `middle` gives of all examples. */
function sharesOf(
  found: Outputs,
  expected: Outputs,
  middle: (lists: readonly Float32Array[]) => number,
): readonly number[] {
  return (expected[0] ?? []).map((_, k) => {
    const own = middle(expected.map((each) => each[k] ?? new Float32Array()));
    let [error, power] = [0, 0];
    for (const [i, each] of expected.entries()) {
      const [wanted, given] = [each[k] ?? new Float32Array(), found[i]?.[k] ?? new Float32Array()];
      for (let j = 0; j < wanted.length; j++) {
        const value = wanted[j] as number;
        error += (value - (given[j] as number)) ** 2;
        power += (value - own) ** 2;
      }
    }
    return error / (power || 1);
  });
}

/** Judges networks by the same examples: the float network runs over them once. */
export interface Judge {
  readonly errorOf: (graph: Graph) => Promise<number>;
  readonly signalOf: (graph: Graph) => Promise<readonly number[]>;
}

/** A judge by these examples. Each graph is run once. */
export function judgeOf(float: Graph, samples: readonly Sample[]): Judge {
  let expected: Promise<Outputs> | undefined;
  const known = new WeakMap<Graph, Promise<Judged>>();
  const judged = async (graph: Graph): Promise<Judged> => {
    expected ??= outputsOf(float, samples);
    const found = await outputsOf(graph, samples);
    return { error: errorOf(found, await expected), signal: signalOf(found, await expected) };
  };
  const once = (graph: Graph) => {
    const result = known.get(graph) ?? judged(graph);
    known.set(graph, result);
    return result;
  };
  return {
    errorOf: async (graph) => (await once(graph)).error,
    signalOf: async (graph) => (await once(graph)).signal,
  };
}

interface Judged {
  readonly error: number;
  readonly signal: readonly number[];
}
