/** Ranges that clip a little so that the rest is finer: of least squared error, tensor by tensor. */
import { type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { isFloatValue } from "../constants.ts";
import type { Sample } from "../data/types.ts";
import { openRunner } from "../run.ts";
import { inputsOf } from "./inputs.ts";
import type { Range } from "./ranges.ts";

const BINS = 1024;
/** Steps of int8. */
const STEPS = 255;
/** Shares of each end that are tried. */
const SHARES = Array.from({ length: 33 }, (_, i) => 1 - 0.02 * i);

/**
 * For each tensor the ends, each from its own to 0.36 of it, at which the values' squared error is least: what is cut off, and a twelfth of a
 * step's square for what is not. Graph inputs keep their ranges.
 */
export async function searchRanges(
  graph: Graph,
  ranges: ReadonlyMap<TensorId, Range>,
  samples: readonly Sample[],
): Promise<ReadonlyMap<TensorId, Range>> {
  const made = graph.nodes.flatMap(({ outputs }) => outputs).filter((id) => isFloatValue(tensorOf(graph, id)));
  const counted = made.filter((id) => {
    const range = ranges.get(id);
    return range !== undefined && range.max > range.min;
  });
  const counts = counted.map(() => new Float64Array(BINS));
  const runner = await openRunner(graph, { taps: counted });
  try {
    for (const [i, sample] of samples.entries()) {
      const outputs = runner.run(inputsOf(runner.inputs, sample, sample.name ?? `example ${i}`));
      for (const [k, id] of counted.entries())
        count(outputs[graph.outputs.length + k] as Float32Array, ranges.get(id) as Range, counts[k] as Float64Array);
    }
  } finally {
    runner.close();
  }
  const found = new Map(ranges);
  // Ends that these examples do not reach were seen once by others
  for (const bins of counts) for (const end of [0, BINS - 1]) bins[end] ||= 1;
  for (const [k, id] of counted.entries())
    found.set(id, { ...ranges.get(id), ...leastError(ranges.get(id) as Range, counts[k] as Float64Array) });
  return found;
}

function count(values: Float32Array, { min, max }: Range, bins: Float64Array): void {
  const by = BINS / (max - min);
  // The largest value has a place of its own, so that no branch hangs on values: half of them are 0 after a RELU, in no order.
  const own = new Uint32Array(BINS + 1);
  for (let i = 0; i < values.length; i++) {
    const place = (((values[i] as number) - min) * by) | 0;
    const bin = place < 0 ? 0 : place > BINS ? BINS : place;
    own[bin] = (own[bin] as number) + 1;
  }
  for (const [bin, found] of own.entries()) {
    const to = Math.min(bin, BINS - 1);
    bins[to] = (bins[to] as number) + found;
  }
}

/** The ends of least error for values counted in equal bins from min to max. */
export function leastError({ min, max }: Range, bins: Float64Array): Range {
  const width = (max - min) / BINS;
  // Of the bins before each: values, their sum, and the sum of their squares
  const [count, sum, squares] = [0, 1, 2].map((power) => {
    const sums = new Float64Array(BINS + 1);
    for (let i = 0; i < BINS; i++)
      sums[i + 1] = (sums[i] as number) + (bins[i] as number) * (min + (i + 0.5) * width) ** power;
    return sums;
  }) as [Float64Array, Float64Array, Float64Array];
  const between = (sums: Float64Array, from: number, to: number) => (sums[to] as number) - (sums[from] as number);
  /** Squared distances from a point of the values in the bins from one to another. */
  const apart = (point: number, from: number, to: number) =>
    Math.max(0, between(squares, from, to) + point * (point * between(count, from, to) - 2 * between(sum, from, to)));
  /** The first bin whose middle is not below a point. */
  const binAt = (point: number) => Math.min(Math.max(Math.ceil((point - min) / width - 0.5), 0), BINS);
  let [best, least] = [{ min, max }, Infinity];
  for (const low of min < 0 ? SHARES : [1])
    for (const high of max > 0 ? SHARES : [1]) {
      const own = { min: min * low, max: max * high };
      const step = (Math.max(own.max, 0) - Math.min(own.min, 0)) / STEPS;
      const [from, to] = [binAt(own.min), Math.max(binAt(own.min), binAt(own.max))];
      const error = apart(own.min, 0, from) + (between(count, from, to) * step ** 2) / 12 + apart(own.max, to, BINS);
      if (error < least) [best, least] = [own, error];
    }
  return best;
}
