/** Data and preparations that make no sense are refused before anything is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deviations, means } from "../../bindings/cli/options.ts";
import type { Graph } from "../../bindings/graph.ts";
import { pictureInput } from "../../bindings/optimize/data/arrays.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { filesDataset } from "../../bindings/optimize/data/files.ts";
import { Variety } from "../../bindings/optimize/data/finite.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { train } from "../../bindings/optimize/train/train.ts";
import { port, wav } from "./data-files.ts";

const dense = {
  name: "main",
  tensors: [
    { name: "x", dtype: "float32", shape: [1, 8] },
    {
      name: "w",
      dtype: "float32",
      shape: [3, 8],
      data: new Uint8Array(Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)).buffer),
    },
    { name: "y", dtype: "float32", shape: [1, 3] },
  ],
  nodes: [
    {
      kind: "fullyConnected",
      where: "node 0",
      attributes: { activation: "none", keepDims: false },
      inputs: [0, 1],
      outputs: [2],
    },
  ],
  inputs: [{ name: "x", tensor: 0 }],
  outputs: [{ name: "y", tensor: 2 }],
  subgraphs: [],
} as unknown as Graph;

test("examples that are all the same", async () => {
  const equal = Array.from({ length: 4 }, () => ({ inputs: [new Float32Array(8).fill(0.5)], label: 0 }));
  const data = {
    size: 4,
    [Symbol.asyncIterator]: async function* () {
      yield* equal;
    },
  };
  const said = { code: "INVALID_INPUT", message: /examples that differ, received 4 with the same values/ };
  await assert.rejects(quantize(dense, data), said);
  await assert.rejects(prune(dense, data, { sparsity: 0.5 }), said);
  await assert.rejects(train(dense, data, { epochs: 1, batch: 2 }), said);
});

test("labels of one class alone", async () => {
  const samples = Array.from({ length: 4 }, (_, i) => ({ inputs: [new Float32Array(8).fill(i)], label: 2 }));
  const once = { epochs: 1, batch: 2, threads: 1 } as const;
  const said = {
    code: "INVALID_INPUT",
    message: /labels: expected examples of several classes, received 4, all of class 2/,
  };
  await assert.rejects(train(dense, datasetOf(samples), once), said);
  await assert.rejects(prune(dense, datasetOf(samples), { sparsity: 0.5, tune: once }), said);
  await train(dense, datasetOf([...samples, { inputs: [new Float32Array(8).fill(-1)], label: 0 }]), once);
  const unlabelled = datasetOf(samples.map(({ inputs }) => ({ inputs })));
  await train(dense, unlabelled, { ...once, teacher: dense });
});

test("a single example, and one value that differs, are no such data", () => {
  const one = new Variety();
  one.add([Float32Array.of(1, 2)]);
  one.require();
  one.add([Float32Array.of(1, 2)]);
  assert.throws(() => one.require(), { code: "INVALID_INPUT" });
  one.add([Float32Array.of(1, 3)]);
  one.require();
});

test("means and deviations that leave nothing of a pixel", () => {
  for (const text of ["1e9", "-1", "256", "", "1,"]) assert.throws(() => means(text), /means of pixels from 0 to 255/);
  for (const text of ["0", "1e-30", "1e9", "NaN"]) assert.throws(() => deviations(text), /numbers other than 0/);
  assert.deepEqual(means("123.675,116.28,103.53"), [123.675, 116.28, 103.53]);
  assert.deepEqual(deviations("58.4,-1"), [58.4, -1]);
});

test("photos for a network of spectrograms", () => {
  const photo = { width: 40, height: 30, data: new Float32Array(40 * 30 * 3) };
  const port = { name: "mel", shape: [1, 49, 10, 1] };
  const scaling = { kind: "real", mean: [0], std: [255] } as const;
  assert.throws(() => pictureInput(port, photo, scaling, "stretch"), {
    code: "INVALID_INPUT",
    message: /proportions 10x49, received 40x30/,
  });
  assert.equal(pictureInput(port, photo, scaling, "cover").length, 490);
  assert.equal(pictureInput({ name: "x", shape: [1, 20, 20, 1] }, photo, scaling, "stretch").length, 400);
});

test("sounds for pictures, spectra and several channels", async () => {
  const files = [{ name: "a.wav", read: async () => new Uint8Array(wav(1, 16, 1, Int16Array.of(16384, -32768))) }];
  const first = async (...shape: readonly number[]) => {
    for await (const { inputs } of filesDataset([port(...shape)], files, async () => undefined, undefined))
      return [...(inputs[0] ?? [])];
    return [];
  };
  for (const shape of [
    [1, 2],
    [1, 1, 2],
    [1, 2, 1, 1],
  ])
    assert.deepEqual(await first(...shape), [0.5, -1]);
  for (const shape of [
    [1, 2, 3, 1],
    [1, 2, 3],
    [1, 3, 2, 2],
  ])
    await assert.rejects(first(...shape), /a\.wav: expected what a network of .* takes, received sound/);
});
