/** Weights inside of loops and branches, and of recurrent operators: stored in fewer bits, on floats, and written so that they are read again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { type AnyNode, bodiesOf, type Graph, type TensorId } from "../../bindings/graph.ts";
import { bytesOf } from "../../bindings/optimize/constants.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { innerSetting } from "../../bindings/optimize/quantize/inner.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { readRecipe, writeRecipe } from "../../bindings/optimize/quantize/recipe.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { importModel } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, int32, node } from "../passes/graphs.ts";

const SIZE = 24;
const random = randomOf(7);
const normal = (count: number, size: number) => Float32Array.from({ length: count }, () => random.normal() * size);
const float = (name: string, shape: readonly number[], rest: Partial<Tensor> = {}): Tensor => ({
  name,
  dtype: "float32",
  shape,
  ...rest,
});
const constant = (name: string, shape: readonly number[], size = 0.3) =>
  float(name, shape, {
    data: bytesOf(
      normal(
        shape.reduce((a, b) => a * b, 1),
        size,
      ),
    ),
  });
const number = (name: string, value?: number): Tensor => ({
  name,
  dtype: "int32",
  shape: [],
  ...(value === undefined ? {} : { data: int32(value) }),
});
const DENSE = { activation: "none", keepDims: false } as const;
const dense = (w: number, b: number, x: number, y: number) => node("fullyConnected", [x, w, b], [y], DENSE);

/** A dense layer, then three times h = tanh(W·h + b). */
function loop(): Graph {
  const state = (name: string) => float(name, [1, SIZE]);
  const condition = graph(
    [number("i"), state("h"), number("three", 3), { name: "go on", dtype: "bool", shape: [] }],
    [node("less", [0, 2], [3], {})],
    [0, 1],
    [3],
  );
  const parameters = [constant("loop/w", [SIZE, SIZE]), constant("loop/b", [SIZE])];
  const body = graph(
    [number("i"), state("h"), number("one", 1), ...parameters, number("next"), state("sum"), state("moved")],
    [node("add", [0, 2], [5], { activation: "none" }), dense(3, 4, 1, 6), node("tanh", [6], [7], {})],
    [0, 1],
    [5, 7],
  );
  return graph(
    [
      state("x"),
      constant("w", [SIZE, SIZE]),
      constant("b", [SIZE]),
      state("h"),
      number("zero", 0),
      number("n"),
      state("y"),
    ],
    [dense(1, 2, 0, 3), node("while", [4, 3], [5, 6], { subgraphs: [], bodies: [condition, body] })],
    [0],
    [6],
  );
}

/** A layer of some kind over four steps. */
function recurrent(kind: "lstm" | "rnn", weights: readonly number[], biases: readonly number[], rows: number): Graph {
  const inputs: number[] = Array(kind === "lstm" ? 24 : 5).fill(-1);
  const tensors: Tensor[] = [float("x", [1, 4, SIZE])];
  const add = (tensor: Tensor) => tensors.push(tensor) - 1;
  inputs[0] = 0;
  for (const i of weights) inputs[i] = add(constant(`w${i}`, i < 9 ? [rows, SIZE] : [rows]));
  for (const i of biases) inputs[i] = add(constant(`b${i}`, [rows]));
  for (const i of kind === "lstm" ? [18, 19] : [4]) inputs[i] = add(float(`state${i}`, [1, rows], { variable: true }));
  const attributes = { activation: 4, timeMajor: false, asymmetric: false, sequence: true };
  const y = add(float("y", [1, 4, rows]));
  const layer =
    kind === "lstm"
      ? node("lstm", inputs, [y], { ...attributes, cellClip: 0, projectionClip: 0 })
      : node("rnn", inputs, [y], attributes);
  return graph(tensors, [layer], [0], [y]);
}

const samples = Array.from({ length: 20 }, () => ({ inputs: [normal(SIZE, 1)] }));

/** How far outputs are apart, of their size, once the graph was written and read. */
async function apart(float: Graph, other: Graph, inputs: readonly (Float32Array | Int32Array)[]): Promise<number> {
  const [a, b] = await Promise.all([openRunner(float), openRunner(importModel(writeTflite(other), {}))]);
  let [error, power] = [0, 0];
  for (const input of inputs) {
    const [x, y] = [a, b].map((runner) => {
      runner.reset();
      return Float32Array.from(runner.run([input])[0] as Float32Array);
    }) as [Float32Array, Float32Array];
    for (const [i, value] of x.entries()) {
      error += (value - (y[i] as number)) ** 2;
      power += value ** 2;
    }
  }
  a.close();
  b.close();
  return Math.sqrt(error / power);
}

/** The types of the constants of so many elements or more in a graph and all that its nodes run. */
function stored(each: Graph): readonly string[] {
  const own = each.tensors.filter(({ data, shape }) => data && shape.length === 2).map(({ dtype }) => dtype);
  return [...own, ...each.nodes.flatMap(bodiesOf).flatMap(stored)];
}

describe("layers in a loop", () => {
  const network = loop();
  const inputs = samples.map(({ inputs: [x] }) => x as Float32Array);
  const cases: readonly (readonly [QuantizeOptions, boolean, readonly string[], number])[] = [
    [{}, false, ["int8", "int8"], 0.02],
    [{}, true, ["int8", "int8"], 0.05],
    [{ weights: "int4" }, true, ["int8", "int8"], 0.05],
    [{ weights: "float16" }, false, ["float16", "float16"], 0.001],
    [{ scales: "tensor" }, true, ["int8", "int8"], 0.05],
    [{ layers: { "*": { weights: "float32" } } }, true, ["float32", "float32"], 1e-6],
  ];
  for (const [options, withData, types, most] of cases)
    test(`${JSON.stringify(options)} ${withData ? "with" : "without"} data`, async () => {
      const { graph, layers, inner } = await quantize(network, withData ? datasetOf(samples) : undefined, options);
      assert.deepEqual(stored(graph), types);
      const weights = types[1] === "float32" ? [] : [types[1]];
      assert.deepEqual(
        inner.map(({ name, weights, activations }) => [name, weights, activations]),
        weights.map((type) => ["loop/w", type, "float32"]),
      );
      assert.equal(layers.length, 1);
      const distance = await apart(network, graph, inputs);
      assert.ok(distance < most, `${distance}`);
    });

  test("a recipe that leaves all else on floats leaves them, too", async () => {
    const whole = await quantize(network, datasetOf(samples));
    const read = readRecipe(writeRecipe(whole), network);
    assert.deepEqual((await quantize(network, datasetOf(samples), read)).inner, whole.inner);
    const rule = { regex: "^h$", operation: "FULLY_CONNECTED", op_config: { weight_tensor_config: { num_bits: 8 } } };
    const single = readRecipe(JSON.stringify([rule]), network);
    assert.deepEqual((await quantize(network, undefined, single)).inner, []);
  });

  test("what a graph was stays as it was", () => {
    assert.deepEqual(stored(network), ["float32", "float32"]);
    assert.deepEqual(innerSetting({ weights: "int4" }), { weights: "int8", scales: "channel", tables: false });
  });
});

describe("recurrent operators", () => {
  const inputs = Array.from({ length: 4 }, () => normal(4 * SIZE, 1));
  const gates = [1, 2, 3, 4, 5, 6, 7, 8];
  const networks: readonly (readonly [string, Graph, number])[] = [
    ["lstm", recurrent("lstm", gates, [12, 13, 14, 15], SIZE), 8],
    ["lstm with weights of its own state", recurrent("lstm", [...gates, 9, 10, 11], [12, 13, 14, 15], SIZE), 11],
    ["rnn", recurrent("rnn", [1, 2], [3], SIZE), 2],
  ];
  for (const [name, network, count] of networks)
    test(name, async () => {
      const { graph, inner } = await quantize(network, undefined, {});
      const [layer] = graph.nodes as [AnyNode];
      const integers = layer.inputs.filter((id) => graph.tensors[id]?.dtype === "int8");
      assert.equal(integers.length, count);
      for (const id of integers) assert.equal(graph.tensors[id]?.quantization?.scale.length, 1);
      assert.equal((layer.attributes as { readonly asymmetric: boolean }).asymmetric, true);
      assert.deepEqual(inner, [{ name: "w1", kind: layer.kind, output: "y", weights: "int8", activations: "float32" }]);
      const distance = await apart(network, graph, inputs);
      assert.ok(distance > 0 && distance < 0.02, `${distance}`);
      const halves = await quantize(network, undefined, { weights: "float16" });
      assert.ok((await apart(network, halves.graph, inputs)) < 1e-3);
      assert.deepEqual(new Set(stored(halves.graph)), new Set(["float16"]));
    });

  test("a layer behind one is corrected on what it gave, with the state that it keeps", async () => {
    const first = recurrent("lstm", gates, [12, 13, 14, 15], SIZE);
    const [x, y] = [first.inputs[0]?.tensor, first.outputs[0]?.tensor].map(Number) as [number, number];
    const tensors = [...first.tensors, constant("w", [3, SIZE]), constant("b", [3]), float("z", [4, 3])];
    const [w, b, z] = [3, 2, 1].map((i) => tensors.length - i) as [number, number, number];
    const behind = node("fullyConnected", [y, w, b], [z], { activation: "none", keepDims: false });
    const network = graph(tensors, [...first.nodes, behind], [x], [z]);
    const examples = datasetOf(inputs.map((input) => ({ inputs: [input] })));
    const small = (await quantize(network, examples)).graph;
    assert.ok(small.tensors.some(({ name, dtype }) => name === "b" && dtype === "int32"));
    const distance = await apart(network, small, inputs);
    assert.ok(distance > 0 && distance < 0.05, `${distance}`);
  });

  test("two directions by time stay floats: TFLite reads int8 weights there otherwise", async () => {
    const both = recurrent("rnn", [1, 2], [3], SIZE);
    const [layer] = both.nodes as [AnyNode];
    const state: Tensor = float("state of the second", [1, SIZE], { variable: true });
    const tensors = [...both.tensors.slice(0, -1), state, float("y", [4, 1, 2 * SIZE])];
    const [x, w, u, b, h] = layer.inputs as readonly TensorId[] as readonly number[] as [
      number,
      number,
      number,
      number,
      number,
    ];
    const inputs = [x, w, u, b, h, w, u, b, tensors.length - 2, -1, -1, -1];
    const attributes = { activation: 4, timeMajor: true, asymmetric: false, mergeOutputs: true };
    const shaped = tensors.map((tensor, i) => (i === x ? { ...tensor, shape: [4, 1, SIZE] } : tensor));
    const network = graph(
      shaped,
      [node("bidirectionalRnn", inputs, [tensors.length - 1], attributes)],
      [0],
      [tensors.length - 1],
    );
    const { inner, graph: same } = await quantize(network, undefined, {});
    assert.deepEqual(inner, []);
    assert.deepEqual(new Set(stored(same)), new Set(["float32"]));
  });
});

describe("tables that rows are taken from", () => {
  const tableOf = (rows: number) => {
    const indices: Tensor = { name: "words", dtype: "int32", shape: [1, 3] };
    const parameters = [constant("table", [rows, SIZE], 1), constant("w", [SIZE, SIZE]), constant("b", [SIZE])];
    const found = [float("found", [1, 3, SIZE]), float("y", [3, SIZE])];
    const take = node("gather", [0, 1], [4], { axis: 0, batchDims: 0 });
    const swapped = { ...take, inputs: [take.inputs[1], take.inputs[0]] } as AnyNode;
    return graph([indices, ...parameters, ...found], [swapped, dense(2, 3, 4, 5)], [0], [5]);
  };

  test("of dynamic range", async () => {
    const network = tableOf(64);
    const { graph: made, inner } = await quantize(network);
    assert.deepEqual(stored(made), ["int8", "int8"]);
    assert.deepEqual(
      inner.map(({ name, kind }) => [name, kind]),
      [["table", "gather"]],
    );
    assert.ok((await apart(network, made, [Int32Array.of(3, 60, 63)])) < 0.02);
    const none = { layers: { "*": { weights: "float32" } } } as const;
    assert.deepEqual(stored((await quantize(network, undefined, none)).graph), ["float32", "float32"]);
  });

  test("small ones stay floats, and those of other activations are what these are", async () => {
    assert.deepEqual(stored((await quantize(tableOf(8))).graph), ["float32", "int8"]);
    const words = [1, 2, 3].map((first) => ({ inputs: [Float32Array.of(first, 9, 30)] }));
    const { graph: made, inner } = await quantize(tableOf(64), datasetOf(words));
    assert.deepEqual(stored(made), ["int8", "int8"]);
    assert.deepEqual(inner, []);
  });

  test("of EMBEDDING_LOOKUP: a scale for each row, whatever the activations are", async () => {
    const ids: Tensor = { name: "words", dtype: "int32", shape: [3] };
    const parameters = [constant("table", [64, SIZE], 1), constant("w", [SIZE, SIZE]), constant("b", [SIZE])];
    const tensors = [ids, ...parameters, float("found", [3, SIZE]), float("y", [3, SIZE])];
    const network = graph(tensors, [node("embeddingLookup", [0, 1], [4], {}), dense(2, 3, 4, 5)], [0], [5]);
    const words = [1, 2, 3].map((first) => ({ inputs: [Float32Array.of(first, 9, 30)] }));
    for (const data of [undefined, datasetOf(words)]) {
      const { graph: made, inner } = await quantize(network, data);
      assert.deepEqual(stored(made).slice().sort(), ["int8", "int8"]);
      assert.equal(made.tensors.find(({ name }) => name === "table")?.quantization?.scale.length, 64);
      assert.deepEqual(
        inner.map(({ name, kind }) => [name, kind]),
        [["table", "embeddingLookup"]],
      );
      assert.ok((await apart(network, made, [Int32Array.of(3, 60, 63)])) < (data ? 0.1 : 0.02));
    }
  });
});

test("zeros that something is compared with have a scale below 1, as TFLite's comparisons ask", async () => {
  const tensors = [
    ...[float("x", [1, 4]), constant("w", [4, 4]), constant("b", [4]), float("h", [1, 4])],
    ...[float("zero", [], { data: bytesOf(Float32Array.of(0)) }), { name: "y", dtype: "bool", shape: [1, 4] } as const],
  ];
  const network = graph(tensors, [dense(1, 2, 0, 3), node("greater", [3, 4], [5], {})], [0], [5]);
  const data = Array.from({ length: 4 }, () => ({ inputs: [normal(4, 1)] }));
  const { graph: made } = await quantize(network, datasetOf(data));
  const zero = made.tensors.find(({ name }) => name === "zero");
  assert.equal(zero?.dtype, "int8");
  assert.ok((zero?.quantization?.scale[0] ?? 1) < 1);
});
