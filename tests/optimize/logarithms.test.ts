/** Logarithms of what one scale cannot hold: SOFTPLUS as converters write it stays float, its stable form does not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { dataOf, nearness } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const random = randomOf(4);
const samples = Array.from({ length: 60 }, () => [Float32Array.from({ length: 8 }, () => 3 * random.normal())]);
const data = dataOf(samples);

function network(softplus: (to: Builder, x: TensorId) => TensorId): Graph {
  const to = buildNetwork([1, 8], 6);
  const dense = (x: TensorId, width: number, from: number) =>
    to.node("fullyConnected", [x, to.weights([width, from], 0.7), to.weights([width])], { ...none, keepDims: false });
  return to.graph(dense(softplus(to, dense(to.input, 12, 8)), 4, 12));
}

/** log(1 + exp x). */
const plain = (to: Builder, x: TensorId) =>
  to.node("log", [to.node("add", [to.node("exp", [x], {}), to.floats(1)], none)], {});
/** max(x, 0) + log(1 + exp −|x|), whose logarithm is of numbers from 1 to 2. */
const stable = (to: Builder, x: TensorId) =>
  to.node("add", [to.node("relu", [x], {}), plain(to, to.node("neg", [to.node("abs", [x], {})], {}))], none);

describe("quantized logarithms", () => {
  for (const activations of ["int8", "int16"] as const)
    test(`of exponentials, ${activations}: float, and near`, async () => {
      const float = network(plain);
      const { graph, floats } = await quantize(float, data, { activations });
      assert.deepEqual(floats, ["exp", "add", "log"]);
      const found = await nearness(float, graph, samples);
      assert.ok(found > 30, `${found} dB`);
    });

  test("of energies, sums of squares: float up to what is squared, int16, and near", async () => {
    const float = network((to, x) => {
      const rows = to.node("reshape", [x, to.integers(1, 12, 1)], {});
      const squares = to.node("mul", [rows, rows], none);
      const energies = to.node("sum", [squares, to.integers(2)], { keepDims: false });
      return to.node("log", [to.node("add", [energies, to.floats(1e-4)], none)], {});
    });
    const { graph, floats } = await quantize(float, data, { activations: "int16" });
    assert.deepEqual(floats, ["reshape", "mul", "sum", "add", "log"]);
    const found = await nearness(float, graph, samples);
    assert.ok(found > 24, `${found} dB`);
  });

  test("of numbers from 1 to 2: int8, and near", async () => {
    const float = network(stable);
    const { graph, floats } = await quantize(float, data);
    assert.deepEqual(floats, []);
    const found = await nearness(float, graph, samples);
    assert.ok(found > 30, `${found} dB`);
  });

  test("of a spectrum of sound: float back to the input, with its layers, and near where it is quiet", async () => {
    const sounds = Array.from({ length: 60 }, (_, i) => [
      Float32Array.from({ length: 8 }, () => random.normal() * 10 ** -(i % 4)),
    ]);
    const loud = dataOf(sounds);
    /** Layers' inputs, of a network whose sound comes as it is, or by a layer with this activation. */
    const quantized = async (first: "none" | "relu" | undefined) => {
      const to = buildNetwork([1, 8], 6);
      const dense = (x: TensorId, width: number, from: number, activation: "none" | "relu" = "none") =>
        to.node("fullyConnected", [x, to.weights([width, from], 0.7)], { activation, keepDims: false });
      const sound = first === undefined ? to.input : dense(dense(to.input, 8, 8), 8, 8, first);
      const energies = to.node("square", [dense(sound, 12, 8)], {});
      const bands = to.node("abs", [dense(energies, 6, 12)], {});
      const levels = to.node("log", [to.node("add", [bands, to.floats(1e-6)], none)], {});
      const float = to.graph(dense(levels, 4, 6));
      const { graph, layers: own } = await quantize(float, loud, { ranges: "minmax" });
      const layers = graph.nodes.filter(({ kind }) => kind === "fullyConnected");
      const types = layers.map(({ inputs }) => graph.tensors[inputs[0] as TensorId]?.dtype);
      const weights = own.map((layer) => layer.weights);
      return { types, weights, near: await nearness(float, graph, sounds) };
    };
    const plain = await quantized(undefined);
    assert.deepEqual(plain.types, ["float32", "float32", "int8"]);
    assert.deepEqual(plain.weights, ["float16", "float16", "int8"]);
    assert.ok(plain.near > 25, `${plain.near} dB`);
    assert.deepEqual((await quantized("none")).types, ["float32", "float32", "float32", "float32", "int8"]);
    // What a layer with an activation gives is as exact as it can be; what it is given is not asked.
    assert.deepEqual((await quantized("relu")).types, ["int8", "float32", "float32", "float32", "int8"]);
  });

  /** How the layers' weights are stored, and how near the outputs are, where sound is loud and quiet, without data. */
  const withoutData = async (make: (to: Builder, x: TensorId) => TensorId, layers = {}) => {
    const float = network(make);
    const found = await quantize(float, undefined, { layers });
    const sounds = Array.from({ length: 60 }, (_, i) => [
      Float32Array.from({ length: 8 }, () => random.normal() * 10 ** -(i % 4)),
    ]);
    return { weights: found.layers.map(({ weights }) => weights), near: await nearness(float, found.graph, sounds) };
  };
  const levels = (to: Builder, x: TensorId) => {
    const energies = to.node("square", [x], {});
    const bands = to.node("fullyConnected", [energies, to.weights([12, 12], 0.7)], { ...none, keepDims: false });
    return to.node("log", [to.node("add", [to.node("abs", [bands], {}), to.floats(1e-6)], none)], {});
  };

  test("without data: of what spectra are computed by half precision is left, and of all else eight bits", async () => {
    const { weights, near } = await withoutData(levels);
    assert.deepEqual(weights, ["float16", "float16", "int8"]);
    assert.ok(near > 34, `${near} dB`);
    const eight = await withoutData(levels, { "*": { weights: "int8" } });
    assert.deepEqual(eight.weights, ["int8", "int8", "int8"]);
    assert.ok(eight.near < near - 10, `${eight.near} dB`);
    assert.deepEqual((await withoutData(plain)).weights, ["int8", "int8"]);
  });
});
