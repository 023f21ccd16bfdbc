/** Data sets in parts, in batches, and read ahead. */
import { ensure, kindOf } from "../../errors.ts";
import { requireExamples } from "../../given.ts";
import { withSome } from "./some.ts";
import type { Dataset, Sample } from "./types.ts";

/** Several examples, their inputs one after the other. */
export interface Batch {
  readonly samples: readonly Sample[];
  /** One array per input of the model: `samples.length` times its elements. */
  readonly inputs: readonly Float32Array[];
}

/** Batches of `n` examples; the last may have fewer. Errors: INVALID_INPUT where examples differ in their sizes; INVALID_OPTION. */
export async function* batches(data: AsyncIterable<Sample>, n: number): AsyncGenerator<Batch> {
  requireExamples("batches", data);
  ensure(n >= 1, "INVALID_OPTION", () => ({
    where: "batches, n",
    expected: "a number from 1",
    received: kindOf(n),
  }));
  let samples: Sample[] = [];
  for await (const sample of data) {
    samples.push(sample);
    if (samples.length < n) continue;
    yield joined(samples);
    samples = [];
  }
  if (samples.length > 0) yield joined(samples);
}

function joined(samples: readonly Sample[]): Batch {
  const [first] = samples as readonly [Sample, ...Sample[]];
  const inputs = first.inputs.map((values, input) => {
    const all = new Float32Array(values.length * samples.length);
    for (const [i, sample] of samples.entries()) {
      const own = sample.inputs[input];
      ensure(own?.length === values.length, "INVALID_INPUT", () => ({
        where: sample.name ?? `sample ${i}`,
        expected: `${values.length} numbers for input ${input}, as the example before it`,
        received: `${own?.length ?? 0}`,
      }));
      all.set(own, i * values.length);
    }
    return all;
  });
  return { samples, inputs };
}

/** Examples `first` to `end` − 1. Errors: INVALID_OPTION for a range that is none, or empty where the size is known. */
export function slice(data: Dataset, first: number, end: number = Number.POSITIVE_INFINITY): Dataset {
  requireExamples("slice", data);
  const size = data.size === undefined ? undefined : Math.min(data.size, end) - first;
  ensure(first >= 0 && end > first && (size === undefined || size > 0), "INVALID_OPTION", () => ({
    where: "samples",
    expected: data.size === undefined ? "a range first:end" : `a range within 0:${data.size}`,
    received: `${first}:${end === Number.POSITIVE_INFINITY ? "" : end}`,
    hint: "first is the place of the first example, from 0; end is one after the last.",
  }));
  const { size: _size, some, ...rest } = data;
  const about = { ...rest, ...(size === undefined ? {} : { size }) };
  if (some !== undefined) return withSome(about, (wanted) => some((i) => i >= first && i < end && wanted(i - first)));
  return {
    ...about,
    async *[Symbol.asyncIterator]() {
      let i = 0;
      for await (const sample of data) {
        if (i >= first) yield sample;
        if (++i >= end) return;
      }
    },
  };
}

/** The results of work on items, in order, with so much of it under way ahead of who asks. */
export async function* ahead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T, index: number) => Promise<R>,
  depth = 8,
): AsyncGenerator<R> {
  ensure(typeof work === "function", "INVALID_INPUT", () => ({
    where: "ahead, work",
    expected: "a function that gives a promise of each item",
    received: kindOf(work),
  }));
  const waiting: Promise<R>[] = [];
  let index = 0;
  for await (const item of items) {
    const started = work(item, index++);
    // Whoever stops asking leaves these behind; their errors are told when their turn comes.
    started.catch(() => {});
    waiting.push(started);
    if (waiting.length >= depth) yield await (waiting.shift() as Promise<R>);
  }
  for (const each of waiting) yield await each;
}

/** Examples from an iterable that can be gone through again and again. */
export function datasetOf(
  samples: AsyncIterable<Sample> | Iterable<Sample>,
  about: Omit<Dataset, typeof Symbol.asyncIterator> = {},
): Dataset {
  const given = Object(samples) as { readonly [of: symbol]: unknown };
  ensure(
    typeof given[Symbol.asyncIterator] === "function" || typeof given[Symbol.iterator] === "function",
    "INVALID_INPUT",
    () => ({
      where: "datasetOf",
      expected: "an iterable of examples { inputs, label? }",
      received: kindOf(samples),
      hint: "An array, or an object with [Symbol.asyncIterator].",
    }),
  );
  return {
    ...about,
    async *[Symbol.asyncIterator]() {
      yield* samples;
    },
  };
}
