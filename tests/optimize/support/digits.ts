/** Handwritten digits and the float network that knows them, from ../shared, for tests of what makes networks small. */
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { importModel } from "../../../bindings/formats/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import type { Sample } from "../../../bindings/optimize/data/types.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";

const SHARED = new URL("../../../../shared/", import.meta.url);
export const skip = existsSync(new URL("models/digits_f32.tflite", SHARED)) ? false : "no ../shared folder";

export const model = (name: string): Graph =>
  importModel(new Uint8Array(readFileSync(new URL(`models/${name}`, SHARED))), {});

const unzip = (name: string) => gunzipSync(readFileSync(new URL(`data/${name}`, SHARED)));

/** Images from `first` to `last`, pixels / 255. */
export function digits(first: number, last: number): readonly Sample[] {
  const images = unzip("mnist-t10k-images-idx3-ubyte.gz").subarray(16);
  const labels = unzip("mnist-t10k-labels-idx1-ubyte.gz").subarray(8);
  return Array.from({ length: last - first }, (_, i) => ({
    inputs: [Float32Array.from(images.subarray((first + i) * 784, (first + i + 1) * 784), (pixel) => pixel / 255)],
    label: labels[first + i] as number,
  }));
}

/** A data set of these samples. */
export const dataset = (samples: readonly Sample[]): AsyncIterable<Sample> => ({
  async *[Symbol.asyncIterator]() {
    yield* samples;
  },
});

/** Share of samples, in per cent, whose class the engine names. */
export async function accuracy(graph: Graph, samples: readonly Sample[]): Promise<number> {
  const runner = await openRunner(graph);
  let right = 0;
  for (const { inputs, label } of samples) {
    const scores = [...(runner.run(inputs)[0] ?? [])].map(Number);
    if (scores.indexOf(Math.max(...scores)) === label) right++;
  }
  runner.close();
  return (100 * right) / samples.length;
}
