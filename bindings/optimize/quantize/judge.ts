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
  return Float32Array.from(values as Float32Array, (value) =>
    scale === 0 ? Number(value) : scale * (value - zeroPoint),
  );
}

/** Squared error over the power of what it should be, each output by itself; the mean of the outputs. */
export function errorOf(found: Outputs, expected: Outputs): number {
  const count = expected[0]?.length ?? 0;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    let [error, power] = [0, 0];
    for (const [i, each] of expected.entries()) {
      const own = found[i]?.[k] ?? new Float32Array();
      for (const [j, value] of (each[k] ?? new Float32Array()).entries()) {
        error += (value - (own[j] as number)) ** 2;
        power += value ** 2;
      }
    }
    sum += error / (power || 1);
  }
  return sum / Math.max(count, 1);
}
