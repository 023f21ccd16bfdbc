/** Parts of data: batches, slices, and work that runs ahead. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { remember } from "../../bindings/optimize/calibrate/stream.ts";
import { arrayDataset } from "../../bindings/optimize/data/arrays.ts";
import { ahead, batches, datasetOf, slice } from "../../bindings/optimize/data/batches.ts";
import { examplesOf } from "../../bindings/optimize/data/examples.ts";
import { spread } from "../../bindings/optimize/data/some.ts";
import type { Dataset, Sample } from "../../bindings/optimize/data/types.ts";
import { readExamples } from "../../bindings/optimize/prune/examples.ts";
import { settingsOf } from "../../bindings/optimize/prune/options.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { all, labels } from "./data-files.ts";

describe("examples of all of the data", () => {
  const sorted = arrayDataset(
    [{ name: "x", shape: [1, 1] }],
    [{ shape: [900, 1], values: Float32Array.from({ length: 900 }, (_, i) => i), pixels: "numbers" }],
    { labels: Uint8Array.from({ length: 900 }, (_, i) => Math.floor(i / 300)) },
  );
  const counts = async (data: AsyncIterable<Sample>) => {
    const found = [0, 0, 0];
    for (const label of labels(await all(data))) found[label as number] = (found[label as number] as number) + 1;
    return found;
  };

  test("are spread over data in the order of its classes", async () => {
    const some = examplesOf("here", sorted).some as NonNullable<Dataset["some"]>;
    assert.deepEqual(await counts(some(spread(sorted, 60))), [20, 20, 20]);
    assert.deepEqual(await counts(some(spread(sorted, 1000))), [300, 300, 300]);
    const part = slice(sorted, 200, 700);
    assert.equal((await all(part)).length, 500);
    assert.deepEqual(await counts((part.some as typeof some)(spread(part, 50))), [10, 30, 10]);
    assert.deepEqual([0, 1, 2, 3].map(spread({}, 2)), [true, true, false, false]);
  });

  test("are what pruning reads, and what rounding keeps", async () => {
    const graph = freshNetwork("mlp:0.25", { shape: [1, 1], classes: 3, seed: 0 });
    const settings = settingsOf({ samples: 30 });
    const read = await readExamples(graph, sorted, settings);
    assert.equal(read.length, 30);
    assert.ok((read.at(-1)?.[0]?.[0] ?? 0) > 800);
    const kept: Sample[] = [];
    for await (const _ of remember(sorted, kept, 30));
    assert.deepEqual(
      kept.map(({ inputs }) => inputs),
      read,
    );
  });
});

describe("parts of data", () => {
  const numbered = (size: number): Dataset =>
    datasetOf(
      Array.from({ length: size }, (_, i) => ({ inputs: [Float32Array.of(i, -i)], label: i })),
      { size },
    );

  test("batches hold the inputs one after the other, and the last what is left", async () => {
    const found = [];
    for await (const batch of batches(numbered(5), 2)) found.push([batch.samples.length, ...(batch.inputs[0] ?? [])]);
    assert.deepEqual(found, [
      [2, 0, -0, 1, -1],
      [2, 2, -2, 3, -3],
      [1, 4, -4],
    ]);
    const uneven = datasetOf([{ inputs: [Float32Array.of(1)] }, { inputs: [Float32Array.of(1, 2)] }]);
    await assert.rejects(
      async () => {
        for await (const _ of batches(uneven, 2));
      },
      { code: "INVALID_INPUT" },
    );
    for (const n of [0, Number.NaN, undefined])
      await assert.rejects(() => batches(uneven, n as number).next(), { code: "INVALID_OPTION" });
    await assert.rejects(() => batches([] as never, 2).next(), { code: "INVALID_INPUT", where: "batches, data" });
  });

  test("slices", async () => {
    assert.deepEqual(labels(await all(slice(numbered(5), 1, 3))), [1, 2]);
    assert.equal(slice(numbered(5), 3, 99).size, 2);
    assert.throws(() => slice(numbered(5), 5), { code: "INVALID_OPTION" });
  });

  test("work runs ahead, in order, and no further than it is told", async () => {
    let started = 0;
    const results: number[] = [];
    for await (const value of ahead(
      [5, 3, 1, 4],
      async (item) => {
        started++;
        await new Promise((done) => setTimeout(done, item));
        return item;
      },
      2,
    )) {
      results.push(value);
      assert.ok(started <= results.length + 2);
    }
    assert.deepEqual(results, [5, 3, 1, 4]);
  });
});
