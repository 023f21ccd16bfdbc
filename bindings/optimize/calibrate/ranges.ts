/** The least and the largest value of every tensor over all examples. */
import { ensure } from "../../errors.ts";
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { isFloatValue } from "../constants.ts";
import { Variety } from "../data/finite.ts";
import type { Sample } from "../data/types.ts";
import type { Progress } from "../progress.ts";
import { openRunner } from "../run.ts";
import { inputsOf } from "./inputs.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
  /** The least of the largest values of rows, the last dimension, where SOFTMAX reads them. */
  readonly peak?: number;
}

/** Of each channel, the last dimension. */
export interface ChannelRange {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** What calibration has seen. */
export interface Ranges {
  readonly samples: number;
  /** Of the tensors of floats that runs compute, graph inputs among them. */
  readonly of: ReadonlyMap<TensorId, Range>;
  /** Of the tensors of which it was asked. */
  readonly channels: ReadonlyMap<TensorId, ChannelRange>;
}

/**
 * Runs the float graph over all examples and keeps the least and the largest value of each tensor. Not averaged over examples:
 * averages clip what single examples reach.
 *
 * Errors: INVALID_INPUT for no data, for values that are no finite numbers, and for examples of another size than the inputs.
 */
export async function measureRanges(
  graph: Graph,
  data: AsyncIterable<Sample>,
  progress: Progress = () => {},
  perChannel: readonly TensorId[] = [],
): Promise<Ranges> {
  const made = graph.nodes.flatMap(({ outputs }) => outputs).filter((id) => isFloatValue(tensorOf(graph, id)));
  const runner = await openRunner(graph, { taps: made });
  const ranges = new Map<TensorId, { min: number; max: number }>();
  const include = (id: TensorId, values: Float32Array, name: string) => {
    const range = ranges.get(id) ?? { min: Infinity, max: -Infinity };
    ranges.set(id, range);
    let { min, max } = range;
    let finite = true;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      // Most values lie between those before
      if (value >= min && value <= max) continue;
      if (value < min) min = value;
      if (value > max) max = value;
      finite &&= Number.isFinite(value);
    }
    ensure(finite, "INVALID_INPUT", () => ({
      where: `${name}, tensor "${tensorOf(graph, id).name}"`,
      expected: "finite numbers",
      received: "infinity or NaN",
      hint: "Check the data's preparation, and the model on one example.",
    }));
    Object.assign(range, { min, max });
  };
  const peaks = new Map<TensorId, number>();
  for (const { kind, inputs } of graph.nodes)
    if (kind === "softmax" || kind === "logSoftmax") peaks.set(inputs[0] as TensorId, Infinity);
  const channels = new Map<TensorId, ChannelRange>();
  for (const id of perChannel) {
    const count = tensorOf(graph, id).shape.at(-1) ?? 1;
    channels.set(id, {
      min: new Float64Array(count).fill(Infinity),
      max: new Float64Array(count).fill(-Infinity),
    });
  }
  let samples = 0;
  const variety = new Variety();
  try {
    for await (const sample of data) {
      const name = sample.name ?? `example ${samples}`;
      const inputs = inputsOf(runner.inputs, sample, name);
      variety.add(sample.inputs);
      const outputs = runner.run(inputs).slice(graph.outputs.length);
      for (const [i, { tensor }] of graph.inputs.entries())
        if (isFloatValue(tensorOf(graph, tensor))) include(tensor, inputs[i] as Float32Array, name);
      for (const [i, id] of made.entries()) {
        include(id, outputs[i] as Float32Array, name);
        const own = channels.get(id);
        if (own !== undefined) includeChannels(own, outputs[i] as Float32Array);
        const peak = peaks.get(id);
        if (peak !== undefined)
          peaks.set(id, Math.min(peak, leastPeak(outputs[i] as Float32Array, tensorOf(graph, id).shape.at(-1) ?? 1)));
      }
      samples++;
      progress({ phase: "calibrate", done: samples });
    }
  } finally {
    runner.close();
  }
  ensure(samples > 0, "INVALID_INPUT", () => ({
    where: "data",
    expected: "at least one example",
    received: "none",
    hint: "Check the path, and what --samples leaves.",
  }));
  variety.require();
  for (const id of made) if (elementCount(tensorOf(graph, id).shape) === 0) ranges.delete(id);
  const of = new Map<TensorId, Range>(ranges);
  for (const [id, peak] of peaks)
    if (ranges.has(id) && made.includes(id)) of.set(id, { ...(ranges.get(id) as Range), peak });
  return { samples, of, channels };
}

/** The least of the largest values of rows. */
function leastPeak(values: Float32Array, width: number): number {
  let least = Infinity;
  for (let i = 0; i < values.length; i += width) {
    let most = -Infinity;
    for (let k = 0; k < width; k++) most = Math.max(most, values[i + k] as number);
    least = Math.min(least, most);
  }
  return least;
}

function includeChannels({ min, max }: ChannelRange, values: Float32Array): void {
  const count = min.length;
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === count ? 0 : c + 1) {
    const value = values[i] as number;
    if (value < (min[c] as number)) min[c] = value;
    if (value > (max[c] as number)) max[c] = value;
  }
}
