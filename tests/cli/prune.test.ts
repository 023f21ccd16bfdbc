/** `pint8 prune`: what it writes, and that it writes nothing where it cannot do what was asked. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { importModel } from "../../bindings/public/index.ts";
import { datasetOf, prune, readNpy, writeTflite } from "../../bindings/public/optimize.ts";
import { DIGITS, folder, pint8 } from "./run.ts";

/** A seeded float32 array. */
function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A dense layer of 32 × 64 weights as a file, and 40 examples for it. */
function files(t: TestContext, name = "w") {
  const inside = folder(t);
  const weights = new Uint8Array(numbers(2048, 3).buffer);
  const graph: Graph = {
    name: "dense",
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 64] },
      { name, dtype: "float32", shape: [32, 64], data: weights },
      { name: "y", dtype: "float32", shape: [1, 32] },
    ],
    nodes: [
      {
        kind: "fullyConnected",
        where: "node 0",
        inputs: [0 as TensorId, 1 as TensorId],
        outputs: [2 as TensorId],
        attributes: { activation: "none", keepDims: false },
      },
    ],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 2 as TensorId }],
    subgraphs: [],
  };
  const [model, data, output] = ["model.tflite", "data.npy", "out.tflite"].map((name) => join(inside, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(model, writeTflite(graph));
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 64), }".padEnd(117).concat("\n");
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0);
  writeFileSync(data, Buffer.concat([magic, Buffer.from(header), new Uint8Array(numbers(40 * 64, 5).buffer)]));
  return { inside, model, data, output };
}

const zerosOf = (file: string) => {
  const { data = new Uint8Array(0) } =
    importModel(readFileSync(file), {}).tensors.find(({ name }) => name === "w") ?? {};
  return new Float32Array(data.slice().buffer).filter((w) => w === 0).length;
};

/** What training leaves behind its first of three epochs. */
async function firstCheckpoint(model: string, data: string): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  const onCheckpoint = (bytes: Uint8Array) => void kept.push(bytes);
  const { values } = readNpy(readFileSync(data), data);
  const samples = datasetOf(
    Array.from({ length: 40 }, (_, i) => ({
      inputs: [Float32Array.from({ length: 64 }, (_, k) => Number(values[i * 64 + k]))],
    })),
  );
  await prune(importModel(readFileSync(model), {}), samples, {
    tune: { epochs: 3, batch: 10, threads: 1, onCheckpoint },
  });
  return kept[0] as Uint8Array;
}

describe("pint8 prune", () => {
  test("names that a converter joined do not widen the table, one layer is one", async (t) => {
    const { model, output } = files(t, "batch_normalization/mul_1;conv2d/".repeat(8));
    const { err } = await pint8("prune", model, "-o", output);
    assert.match(err, /^batch_normalization\S{40,} {2}fullyConnected {2}2,048 {2}50\.0 %/m);
    assert.ok(
      err.split("\n").every((line) => !line.startsWith("batch") || line.length < 100),
      err,
    );
    assert.match(err, /50\.0 % zeros in 1 layer,/);
  });

  test("writes an ordinary model with the zeros asked for, and reports them", async (t) => {
    const { model, data, output, inside } = files(t);
    const { status, out, err } = await pint8(
      "prune",
      model,
      "--sparsity",
      "75%",
      "--data",
      data,
      "-o",
      output,
      "--json",
    );
    assert.equal(status, 0, err);
    const report = JSON.parse(out);
    assert.equal(report.samples, 40);
    assert.equal(report.bytes, readFileSync(output).length);
    assert.equal(report.layers[0].zeros, 1536);
    assert.equal(zerosOf(output), 1536);
    assert.deepEqual(readdirSync(inside).sort(), ["data.npy", "model.tflite", "out.tflite"]);
  });

  test("without data, in blocks, stored sparse: smaller, and a table of the layers", async (t) => {
    const { model, output } = files(t);
    const { status, err } = await pint8(
      "prune",
      model,
      "--sparsity",
      "0.75",
      "--pattern",
      "block",
      "-o",
      output,
      "--encode",
      "sparse",
    );
    assert.equal(status, 0, err);
    assert.match(err, /^w +fullyConnected +2,048 +75\.0 %/m);
    assert.match(err, /75\.0 % zeros in 1 layer, [\d,]+ bytes, /);
    assert.ok(readFileSync(output).length < 0.5 * readFileSync(model).length);
  });

  test("trained on for some steps: the zeros stay, the weights do not", async (t) => {
    const { model, data, output, inside } = files(t);
    const plain = join(inside, "plain.tflite");
    const steps = ["--tune-steps", "3", "--batch", "8", "--threads", "1"];
    const first = await pint8("prune", model, "--data", data, "-o", plain);
    assert.equal(first.status, 0, first.err);
    const { status, err } = await pint8("prune", model, "--data", data, "-o", output, ...steps);
    assert.equal(status, 0, err);
    assert.equal(zerosOf(output), zerosOf(plain));
    assert.notDeepEqual(readFileSync(output), readFileSync(plain));
  });

  test("training goes on from a checkpoint, which the next one is written over", async (t) => {
    const { model, data, output, inside } = files(t);
    const [resumed, kept] = [join(inside, "resumed.tflite"), join(inside, "kept")];
    const args = ["--data", data, "--tune", "3", "--batch", "10", "--threads", "1", "--checkpoint", kept];
    const first = await pint8("prune", model, "-o", output, ...args);
    assert.equal(first.status, 0, first.err);
    const second = readFileSync(kept);
    writeFileSync(kept, await firstCheckpoint(model, data));
    const again = await pint8("prune", model, "-o", resumed, ...args, "--resume", kept);
    assert.equal(again.status, 0, again.err);
    assert.deepEqual(readFileSync(resumed), readFileSync(output));
    assert.deepEqual(readFileSync(kept), second);
    const other = await pint8("prune", model, "-o", resumed, ...args, "--batch", "20", "--resume", kept);
    assert.match(other.err, /INVALID_OPTION: checkpoint.*steps 12 where 6/);
    const plain = await pint8("prune", model, "-o", resumed, ...args.slice(0, -2));
    assert.equal(plain.status, 0, plain.err);
    assert.ok(existsSync(kept) && !existsSync(`${resumed}.checkpoint`));
  });

  test("refused: channels without data to score them by", async (t) => {
    const { model, output } = files(t);
    const { status, err } = await pint8("prune", model, "--pattern", "channels", "-o", output);
    assert.equal(status, 1);
    assert.match(err, /INVALID_OPTION: pattern.*data/);
  });

  const refusals: readonly [string, (at: ReturnType<typeof files>) => readonly string[], RegExp][] = [
    ["a quantized model", () => [DIGITS], /INVALID_GRAPH: .*quantized already/s],
    ["no examples", ({ model, data }) => [model, "--data", data, "--samples", "40:"], /INVALID_(INPUT|OPTION)/],
    ["a share of 100 %", ({ model }) => [model, "--sparsity", "100%"], /INVALID_OPTION: .*above 0 and below 1/],
    ["70 % of 2:4", ({ model }) => [model, "--sparsity", "0.7", "--pattern", "2:4"], /INVALID_OPTION: sparsity.* 0\.5/],
    ["training without data", ({ model }) => [model, "--tune", "2"], /INVALID_OPTION: tune/],
    ["steps and epochs", ({ model }) => [model, "--tune", "2", "--tune-steps", "3"], /INVALID_OPTION: --tune-steps/],
    ["a checkpoint without training", ({ model }) => [model, "--resume", "x"], /INVALID_OPTION: --resume/],
    ["a batch without training", ({ model }) => [model, "--batch", "2"], /INVALID_OPTION: --batch/],
    ["a data file that is not there", ({ model, inside }) => [model, "--data", join(inside, "none.npy")], /IO: /],
  ];
  for (const [name, args, message] of refusals)
    test(`refused, and nothing written: ${name}`, async (t) => {
      const at = files(t);
      const { status, err } = await pint8("prune", ...args(at), "-o", at.output);
      assert.equal(status, 1);
      assert.match(err, message);
      assert.ok(!existsSync(at.output));
    });

  test("refused: an output that cannot be written", async (t) => {
    const { model, inside } = files(t);
    const { status, err } = await pint8("prune", model, "-o", join(inside, "none", "out.tflite"));
    assert.equal(status, 1);
    assert.match(err, /^pint8: IO: /);
    const other = await pint8("prune", model, "-o", join(inside, "out.h5"));
    assert.match(other.err, /INVALID_OPTION: .*\.tflite/);
  });
});
