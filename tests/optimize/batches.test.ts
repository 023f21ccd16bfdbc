/** Parts of data: batches, slices, and work that runs ahead. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ahead, batches, datasetOf, slice } from "../../bindings/optimize/data/batches.ts";
import type { Dataset } from "../../bindings/optimize/data/types.ts";
import { all, labels } from "./data-files.ts";

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
