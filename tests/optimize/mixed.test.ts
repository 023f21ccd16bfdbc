/** Networks quantized under bounds: what is promised is kept, or said to be missed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { layersOf } from "../../bindings/optimize/layers.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { accuracy, dataset, digits, model, skip } from "./support/digits.ts";
import { buildNetwork } from "./support/networks.ts";

describe("bounds", { skip }, () => {
  const float = skip ? undefined : model("digits_f32.tflite");
  const samples = skip ? [] : digits(0, 64);
  const run = (options: QuantizeOptions) => quantize(float as never, dataset(samples), options);

  test("a size that int8 does not reach: the layers that hurt least get int4", async () => {
    const { graph, bounds, layers } = await run({ size: 37, maxDrop: 2 });
    assert.deepEqual(
      bounds.map(({ name, met }) => [name, met]),
      [
        ["maxDrop", true],
        ["size", true],
      ],
    );
    const bytes = writeTflite(prepareFloat(float as never)).length;
    assert.ok(writeTflite(graph).length <= 0.37 * bytes);
    const types = new Set(layers.map(({ weights }) => weights));
    assert.deepEqual([...types].sort(), ["int4", "int8"]);
    assert.ok((await accuracy(graph, digits(8000, 8300))) > 98);
  });

  test("a drop that is too large: the layers that hurt most get more bits or stay float", async () => {
    const rough = { "*": { weights: "int4" } } as const;
    const { bounds, layers } = await run({
      layers: rough,
      scales: "tensor",
      rounding: "nearest",
      correction: "none",
      maxDrop: 0,
    });
    assert.equal(bounds[0]?.met, true, JSON.stringify(bounds));
    assert.ok(layers.some(({ weights }) => weights !== "int4"));
  });

  test("labels that the network has no class for are an error", async () => {
    const wrong = samples.map((sample, i) => ({ ...sample, label: i === 9 ? 10 : 0 }));
    await assert.rejects(quantize(float as never, dataset(wrong), { maxDrop: 1 }), /class from 0 to 9.*received 10/);
  });

  test("what cannot be reached is said", async () => {
    const { bounds, layers } = await run({ size: 1 });
    assert.equal(bounds[0]?.met, false);
    assert.ok((bounds[0]?.reached ?? 0) > 20);
    assert.equal(layers.length, layersOf(prepareFloat(float as never)).length);
    await assert.rejects(run({ maxDrop: -1 }), { code: "INVALID_OPTION" });
    await assert.rejects(quantize(float as never, undefined, { maxDrop: 1 }), { code: "INVALID_OPTION" });
  });
});

test("where the operators between the layers hurt most, activations get 16 bits", async () => {
  // Small scores beside large numbers that come and go: eight bits of the sums cannot tell the scores apart.
  const to = buildNetwork([1, 12], 2);
  const dense = (size: number) =>
    to.node("fullyConnected", [to.input, to.weights([10, 12], size)], { activation: "none", keepDims: false });
  const large = dense(4);
  const sum = to.node("add", [dense(0.5), large], { activation: "none" });
  const graph = to.graph(to.node("sub", [sum, large], { activation: "none" }));
  const random = randomOf(3);
  const list = Array.from({ length: 200 }, () => ({
    inputs: [Float32Array.from({ length: 12 }, () => random.normal())],
  }));
  const { bounds, activations } = await quantize(graph, dataset(list), { maxDrop: 4 });
  assert.equal(activations, "int16", JSON.stringify(bounds));
  assert.ok(bounds[0]?.met, JSON.stringify(bounds));
});

test("pictures as outputs are judged by their error, not by the place of their largest number", async () => {
  const to = buildNetwork([1, 6, 6, 2], 2);
  const y = to.node("conv2d", [to.input, to.weights([3, 3, 3, 2], 0.3)], {
    ...{ activation: "none", stride: [1, 1], dilation: [1, 1], padding: "same" },
  });
  const random = randomOf(3);
  const list = Array.from({ length: 20 }, () => ({
    inputs: [Float32Array.from({ length: 72 }, () => random.normal())],
  }));
  const { bounds } = await quantize(to.graph(y), dataset(list), { maxDrop: 3 });
  assert.ok((bounds[0]?.reached ?? 0) > 0.1 && bounds[0]?.met, JSON.stringify(bounds));
});

test("a size out of reach beside a drop out of reach: as small as it gets, not as floats", async () => {
  const random = randomOf(8);
  const samples = Array.from({ length: 40 }, () => ({
    inputs: [Float32Array.from({ length: 64 }, () => random.normal())],
  }));
  const to = buildNetwork([1, 64], 4);
  const dense = (x: number) =>
    to.node("fullyConnected", [x as never, to.weights([64, 64], 0.2)], { activation: "none", keepDims: false });
  const float = to.graph(dense(dense(to.input)));
  const { bounds, layers } = await quantize(float, dataset(samples), { size: 1, maxDrop: 0 });
  assert.ok(bounds.every(({ met }) => !met));
  assert.ok((bounds.find(({ name }) => name === "size")?.reached ?? 0) < 30);
  assert.ok(layers.some(({ weights }) => weights === "int4"));
});

test("a size is a share of the file that a program names", async () => {
  const to = buildNetwork([1, 8], 5);
  const layer = { activation: "none", keepDims: false } as const;
  const graph = to.graph(to.node("fullyConnected", [to.input, to.weights([6, 8]), to.weights([6])], layer));
  const random = randomOf(3);
  const examples = Array.from({ length: 16 }, () => ({
    inputs: [Float32Array.from({ length: 8 }, () => random.normal())],
  }));
  for (const bytes of [40, 60]) {
    const file = { bytes: 100, of: () => bytes };
    const { bounds } = await quantize(graph, datasetOf(examples), { size: 50, file });
    assert.deepEqual(
      bounds.map(({ reached, met }) => [reached, met]),
      [[bytes, bytes < 50]],
    );
  }
  const wrong = { bytes: 0, of: () => 1 };
  await assert.rejects(quantize(graph, datasetOf(examples), { size: 50, file: wrong }), /expected \{ bytes, of \}/);
});
