/** Samples of few numbers, and how near one network's outputs for them are to another's. */
import type { Graph } from "../../../bindings/graph.ts";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";

/** Numbers of a sample. */
export const WIDTH = 8;

/** Normal numbers, the same each time. */
export function normalSamples() {
  const random = randomOf(4);
  const samples = Array.from({ length: 60 }, () => [Float32Array.from({ length: WIDTH }, () => random.normal())]);
  return { samples, data: dataOf(samples) };
}

/** Samples without labels as a dataset. */
export function dataOf(samples: readonly (readonly Float32Array[])[]) {
  const all = samples.map((inputs) => ({ inputs }));
  return datasetOf(all, { size: all.length });
}

/** Power of the float network's outputs beside that of the difference, in decibels. */
export async function nearness(
  float: Graph,
  other: Graph,
  samples: readonly (readonly Float32Array[])[],
): Promise<number> {
  const [a, b] = [await openRunner(float), await openRunner(other)];
  let [power, error] = [0, 0];
  for (const inputs of samples) {
    const [p, q] = [a, b].map((each) => each.run(inputs)[0] as Float32Array) as [Float32Array, Float32Array];
    for (const [i, value] of p.entries()) {
      power += value ** 2;
      error += (value - (q[i] as number)) ** 2;
    }
  }
  a.close();
  b.close();
  return 10 * Math.log10(power / error);
}
