/** Fresh networks for sequences and for numbers without places: what they are, and that they learn from a teacher. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import { tensorOf } from "../../../bindings/graph.ts";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import type { Sample } from "../../../bindings/optimize/data/types.ts";
import { evaluate } from "../../../bindings/optimize/evaluate/evaluate.ts";
import { freshNetwork } from "../../../bindings/optimize/train/architectures/index.ts";
import { type DistilOptions, distil, freshFor } from "../../../bindings/optimize/train/distil.ts";
import { knows } from "../../../bindings/optimize/train/knowing.ts";
import type { Progress as TrainProgress } from "../../../bindings/optimize/train/options.ts";
import { fromPlanes } from "../../../bindings/optimize/train/planes.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { importModel, loadModel } from "../../../bindings/public/index.ts";

const LENGTH = 96;

/** Tones of one of two heights, in noise. */
const tones = (count: number, seed: number) =>
  datasetOf(
    Array.from({ length: count }, (_, i) => {
      const random = randomOf(seed, i);
      const label = Math.floor(random.uniform() * 2);
      const begin = random.uniform() * 6;
      const tone = (k: number) => Math.sin(begin + k * (label === 0 ? 0.4 : 0.9)) + 0.3 * random.normal();
      return { inputs: [Float32Array.from({ length: LENGTH }, (_, k) => tone(k))], label };
    }),
    { size: count },
  );

/** Points of a plane in a space of 12. */
const points = (count: number, seed: number) =>
  datasetOf(
    Array.from({ length: count }, (_, i) => {
      const random = randomOf(seed, i);
      const [a, b] = [random.normal(), random.normal()];
      return { inputs: [Float32Array.from({ length: 12 }, (_, k) => a * Math.cos(k) + b * Math.sin(3 * k))] };
    }),
    { size: count },
  );

describe("fresh networks of other inputs", () => {
  for (const name of ["ds-cnn:0.5", "mobilenet-v2:0.5"])
    test(`${name} of a sequence has windows in a row, and some of it is left at the end`, async () => {
      const graph = freshNetwork(name, { shape: [1, LENGTH, 1], classes: 3, seed: 1 });
      const windows = graph.nodes.filter(({ kind }) => kind === "conv2d" || kind === "depthwiseConv2d");
      for (const { inputs } of windows) {
        const [, rows, columns] = tensorOf(graph, inputs[1] as never).shape;
        assert.ok((rows === 1 || rows === 9) && columns === 1);
      }
      const places = windows.map(({ outputs }) => tensorOf(graph, outputs[0] as never).shape[1] as number);
      assert.ok(places[0] === LENGTH / 4 && (places.at(-1) as number) >= 4, places.join());
      const session = await loadModel(writeTflite(graph));
      const [output] = Object.values(session.run([new Float32Array(LENGTH).fill(0.5)])) as Float32Array[];
      assert.ok(Math.abs((output as Float32Array).reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
      session.close();
    });

  test("random weights get small batches, weights that are there larger ones, unless it is said", async () => {
    const teacher = freshNetwork("mlp:0.125", { shape: [1, 12], classes: 2, seed: 1 });
    const stepsOf = async (options: Omit<DistilOptions, "onProgress" | "threads">) => {
      let found = 0;
      const onProgress = ({ steps }: TrainProgress) => {
        found = steps;
      };
      await distil(teacher, points(500, 1), { threads: 1, ...options, onProgress });
      return found;
    };
    assert.equal(await stepsOf({ student: "mlp:0.125", epochs: 2 }), 2 * 31);
    assert.equal(await stepsOf({ student: "mlp:0.125", epochs: 192 }), 192 * 15);
    assert.equal(await stepsOf({ student: "mlp:0.125", epochs: 2, batch: 100 }), 10);
    assert.equal(await stepsOf({ student: "mlp:0.125", steps: 7 }), 7);
    assert.equal(await stepsOf({ student: teacher, epochs: 2 }), 8);
    // A graph that knows nothing of what the teacher does begins as fresh networks do.
    const random = freshNetwork("mlp:0.125", { shape: [1, 12], classes: 2, seed: 2 });
    assert.equal(await stepsOf({ student: random, epochs: 2 }), 2 * 31);
  });

  test("a student knows what its outputs follow, wherever its channels stand", async () => {
    const teacher = freshNetwork("ds-cnn:0.5", { shape: [1, LENGTH, 1], classes: 3, seed: 1 });
    const other = freshNetwork("ds-cnn:0.5", { shape: [1, LENGTH, 1], classes: 3, seed: 7 });
    assert.equal(await knows(teacher, teacher, tones(100, 1)), true);
    assert.equal(await knows(other, teacher, tones(100, 1)), false);
    const planar = fromPlanes(freshNetwork("ds-cnn:0.5", { shape: [1, LENGTH, 1], classes: 3, seed: 1 }), [
      1,
      1,
      LENGTH,
    ]);
    assert.equal(await knows(planar, teacher, tones(100, 1)), true);
  });

  test("targets say that a fresh student gives values", async () => {
    const teacher = freshNetwork("mlp:0.125", { shape: [1, 12], classes: 2, seed: 1, gives: "values" });
    const samples: Sample[] = [];
    for await (const { inputs } of points(64, 1))
      samples.push({ inputs, targets: [(inputs[0] as Float32Array).slice(0, 2)] });
    const student = await distil(teacher, datasetOf(samples), { student: "mlp:0.125", epochs: 1, threads: 1 });
    assert.equal(student.nodes.at(-1)?.kind, "fullyConnected");
    assert.equal(student.outputs[0]?.name, "values");
  });

  test("a teacher of scores without a softmax has a student of such", async () => {
    const teacher = freshNetwork("mlp:0.125", { shape: [1, 12], classes: 3, seed: 1, gives: "values" });
    const samples: Sample[] = [];
    for await (const { inputs } of points(64, 1)) samples.push({ inputs, label: samples.length % 3 });
    const student = await distil(teacher, datasetOf(samples), { student: "mlp:0.125", epochs: 1, threads: 1 });
    assert.equal(student.nodes.at(-1)?.kind, "fullyConnected");
    assert.equal(student.outputs[0]?.name, "scores");
    const ended = freshFor(freshNetwork("mlp", { shape: [1, 12], classes: 3, seed: 1 }), "mlp", 0);
    assert.equal(ended.nodes.at(-1)?.kind, "softmax");
  });

  test("a sequence's student learns from labels and a teacher", async () => {
    const teacher = freshNetwork("ds-cnn:0.5", { shape: [1, LENGTH, 1], classes: 2, seed: 1 });
    const student = await distil(teacher, tones(200, 1), {
      student: "ds-cnn:0.5",
      loss: { soft: 0, hard: 1 },
      batch: 20,
      epochs: 4,
      threads: 1,
    });
    const { model } = await evaluate(importModel(writeTflite(student), {}), tones(100, 2));
    assert.ok((model.classes?.top1 ?? 0) > 0.9, `${model.classes?.top1}`);
  });

  test("an autoencoder's student comes near to it, and is judged by what it was given", async () => {
    const teacher = freshNetwork("mlp", { shape: [1, 12], classes: 12, seed: 1, gives: "values" });
    const apart = async (student: typeof teacher) =>
      (await evaluate(student, points(50, 2), { against: teacher, layerSamples: 0 })).outputs?.meanError as number;
    const fresh = freshFor(teacher, "mlp:0.5", 3, "values");
    const student = await distil(teacher, points(200, 1), {
      student: "mlp:0.5",
      objective: "values",
      seed: 3,
      batch: 20,
      epochs: 40,
      threads: 1,
    });
    const [before, after] = [await apart(fresh), await apart(student)];
    assert.ok(after < before / 2, `${before} to ${after}`);
    const { model, agreement } = await evaluate(teacher, points(50, 2), { against: teacher, layerSamples: 0 });
    const session = await loadModel(writeTflite(teacher));
    let [sum, count] = [0, 0];
    for await (const { inputs } of points(50, 2)) {
      const [found] = Object.values(session.run([inputs[0] as Float32Array])) as Float32Array[];
      for (const [i, value] of (found as Float32Array).entries()) sum += Math.abs(value - (inputs[0]?.[i] as number));
      count += 12;
    }
    session.close();
    assert.ok(Math.abs((model.targets?.meanError as number) - sum / count) < 1e-5);
    assert.equal(model.classes, undefined);
    assert.equal(agreement, undefined);
  });

  test("for numbers of words there are none: a student needs tables", () => {
    const teacher = freshNetwork("mlp", { shape: [1, 12], classes: 2, seed: 0 });
    const x = teacher.inputs[0]?.tensor;
    for (const dtype of ["int32", "int64"] as const) {
      const words = [...teacher.tensors, { name: "words", dtype, shape: [1, 12] }];
      const cast = { kind: "cast", where: "cast", inputs: [words.length - 1], outputs: [x], attributes: {} };
      const graph = {
        ...teacher,
        tensors: words,
        nodes: [cast as never, ...teacher.nodes],
        inputs: [{ name: "words", tensor: (words.length - 1) as never }],
      };
      assert.throws(() => freshFor(graph, "mlp", 0), { code: "UNSUPPORTED", received: new RegExp(dtype) });
    }
  });

  test("numbers without places are no picture; mlp takes any", () => {
    const of = (name: string, shape: readonly number[]) => freshNetwork(name, { shape, classes: 2, seed: 0 });
    assert.throws(() => of("ds-cnn", [1, 12]), { where: "architecture", received: "[1,12]" });
    assert.equal(tensorOf(of("mlp", [1, 4, 4, 2]), of("mlp", [1, 4, 4, 2]).inputs[0]?.tensor as never).shape.length, 4);
  });
});
