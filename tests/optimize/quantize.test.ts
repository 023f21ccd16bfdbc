/** Float networks quantized, and what the integer engine then says. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { leastError } from "../../bindings/optimize/calibrate/search.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { toHalves } from "../../bindings/optimize/quantize/halves.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { affineOfRange } from "../../bindings/optimize/quantize/scales.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { halfToFloat, type Tensor } from "../../bindings/tensor.ts";
import { accuracy, dataset, digits, model, skip } from "./support/digits.ts";

/** Settings and the least per cent of 500 test images that the engine must know. */
const CASES: readonly (readonly [string, string, QuantizeOptions, number, number])[] = [
  ["int8 per channel", "digits_f32.tflite", {}, 32, 98.8],
  ["int8 of an .onnx", "digits_f32.onnx", {}, 32, 98.8],
  ["int8 with additions", "digits_res_f32.tflite", {}, 32, 98.8],
  ["int8 ends", "digits_f32.tflite", { io: "int8" }, 32, 98.8],
  ["uint8 ends", "digits_f32.tflite", { io: "uint8" }, 32, 98.8],
  ["int16 activations", "digits_f32.tflite", { activations: "int16" }, 32, 98.8],
  ["some layers float", "digits_f32.tflite", { layers: { dense: { weights: "float32" } } }, 32, 98.8],
  ["ranges as measured", "digits_f32.tflite", { ranges: "minmax" }, 32, 98.8],
  ["one scale a tensor", "digits_f32.tflite", { scales: "tensor" }, 32, 98.8],
  ["int4 in pointwise and dense layers", "digits_f32.tflite", { weights: "int4" }, 32, 98.6],
  ["int4 everywhere", "digits_f32.tflite", { weights: "int4", layers: { "*": { weights: "int4" } } }, 32, 98.4],
  ["dynamic range", "digits_f32.tflite", {}, 0, 98.4],
  ["half-precision weights", "digits_f32.tflite", { weights: "float16" }, 0, 98.8],
];

/** Those that are made twice. */
const REPEATED = ["int8 per channel", "int4 in pointwise and dense layers"];

describe("quantize", { skip }, () => {
  for (const [name, file, options, count, least] of CASES)
    test(name, async () => {
      const data = count === 0 ? undefined : dataset(digits(0, count));
      const { graph, samples } = await quantize(model(file), data, options);
      assert.equal(samples, count);
      const found = await accuracy(graph, digits(8000, 8500));
      assert.ok(found >= least, `${found} %`);
      if (!REPEATED.includes(name)) return;
      const again = await quantize(model(file), data, options);
      assert.deepEqual(again.graph, graph, "the same bytes each time");
    });

  test("what cannot be quantized is refused", async () => {
    const float = model("digits_f32.tflite");
    const some = dataset(digits(0, 2));
    await assert.rejects(quantize(model("digits_int8.tflite"), some), { code: "INVALID_GRAPH" });
    await assert.rejects(quantize(float, dataset([])), { code: "INVALID_INPUT" });
    await assert.rejects(quantize(float, dataset([{ inputs: [new Float32Array(3)] }])), { code: "INVALID_INPUT" });
    const bad = new Float32Array(784).fill(Number.NaN);
    await assert.rejects(quantize(float, dataset([{ inputs: [bad] }])), { code: "INVALID_INPUT" });
    await assert.rejects(quantize(float, some, { layers: { nowhere: { weights: "int8" } } }), {
      code: "INVALID_OPTION",
    });
    await assert.rejects(quantize(float, some, { weights: "int3" as never }), { code: "INVALID_OPTION" });
    await assert.rejects(quantize(float, undefined, { activations: "int8" }), { code: "INVALID_OPTION" });
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(quantize(float, some, { signal }), { message: "enough" });
  });
});

test("int8 ranges hold 0 and reach both ends; int16 is symmetric", () => {
  assert.deepEqual(affineOfRange({ min: 0, max: 2.55 }, "int8"), { scale: Math.fround(0.01), zeroPoint: -128 });
  assert.equal(affineOfRange({ min: -1, max: 1 }, "int8").zeroPoint, -1);
  assert.deepEqual(affineOfRange({ min: 1, max: 2 }, "int8"), { scale: Math.fround(2 / 255), zeroPoint: -128 });
  assert.deepEqual(affineOfRange({ min: -2, max: 1 }, "int16"), { scale: Math.fround(2 / 32767), zeroPoint: 0 });
});

test("a range that single values stretch is cut, an even one is not", () => {
  const bins = new Float64Array(1024).fill(1);
  assert.deepEqual(leastError({ min: -1, max: 1 }, bins), { min: -1, max: 1 });
  bins.fill(0).fill(1e6, 512, 600)[1023] = 1;
  const { min, max } = leastError({ min: -1, max: 1 }, bins);
  assert.ok(max < 0.5 && min > -0.5, `${min} to ${max}`);
});

test("every half is found again, and ties go to even", () => {
  const toHalf = (value: number) => new Uint16Array(toHalves(Float32Array.of(value)).buffer)[0];
  for (let half = 0; half < 0x7c00; half++) assert.equal(toHalf(halfToFloat(half)), half);
  assert.equal(toHalf(1 + 2 ** -11), 0x3c00);
  assert.equal(toHalf(1 + 3 * 2 ** -11), 0x3c02);
  assert.equal(toHalf(-1e9), 0xfbff);
});

/** x [1,4] → the nodes, with two outputs each. */
function graphOf(tensors: readonly Tensor[], nodes: readonly AnyNode[], outputs: readonly number[]): Graph {
  return {
    name: "main",
    tensors,
    nodes,
    subgraphs: [],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: outputs.map((tensor) => ({ name: `y${tensor}`, tensor: tensor as TensorId })),
  };
}
const value = (name: string, shape: readonly number[]): Tensor => ({ name, dtype: "float32", shape });
const constant = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
  ...value(name, shape),
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const node = (kind: string, inputs: readonly number[], output: number, attributes: object = {}): AnyNode =>
  ({ kind, where: kind, inputs, outputs: [output], attributes }) as unknown as AnyNode;

describe("graphs", () => {
  const random = (length: number, seed: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * 2);
  const samples: readonly Sample[] = Array.from({ length: 20 }, (_, i) => ({ inputs: [random(8, i + 1)] }));

  async function worst(float: Graph, options: QuantizeOptions = {}): Promise<number> {
    const { graph } = await quantize(float, dataset(samples), options);
    const [a, b] = [await openRunner(float), await openRunner(graph)];
    let difference = 0;
    for (const { inputs } of samples) {
      const expected = a.run(inputs).map((values) => Float32Array.from(values as Float32Array));
      for (const [i, values] of b.run(inputs).entries())
        for (const [k, v] of (values as Float32Array).entries())
          difference = Math.max(difference, Math.abs(v - (expected[i]?.[k] as number)));
    }
    a.close();
    b.close();
    return difference;
  }

  test("a function of a fixed scale joined with other values keeps its own scale before", async () => {
    const float = graphOf(
      [value("x", [1, 8]), value("p", [1, 8]), value("y", [1, 16])],
      [node("logistic", [0], 1), node("concat", [1, 0], 2, { axis: 1, activation: "none" })],
      [2],
    );
    assert.ok((await worst(float)) < 0.02);
  });

  test("operators without integers stay floats between QUANTIZE and DEQUANTIZE", async () => {
    const float = graphOf(
      [value("x", [1, 8]), value("a", [1, 8]), value("b", [1, 8]), value("y", [1, 8])],
      [
        node("add", [0, 0], 1, { activation: "none" }),
        node("atan2", [1, 0], 2),
        node("mul", [2, 0], 3, { activation: "none" }),
      ],
      [3],
    );
    const { graph, floats } = await quantize(float, dataset(samples));
    assert.deepEqual(floats, ["atan2"]);
    assert.equal(graph.nodes.filter(({ kind }) => kind === "dequantize").length, 2);
    assert.ok((await worst(float)) < 0.1);
  });

  test("factors and summands of each channel go into the layer before", async () => {
    const float = graphOf(
      [
        value("x", [1, 8]),
        constant("w", [3, 8], [...random(24, 5)]),
        value("a", [1, 3]),
        constant("gain", [3], [2, -1, 0.5]),
        value("b", [1, 3]),
        constant("shift", [1, 3], [1, 0, -1]),
        value("y", [1, 3]),
      ],
      [
        node("fullyConnected", [0, 1], 2, { activation: "none", keepDims: false }),
        node("mul", [2, 3], 4, { activation: "none" }),
        node("add", [5, 4], 6, { activation: "relu" }),
      ],
      [6],
    );
    const prepared = prepareFloat(float);
    assert.equal(prepared.nodes.length, 1);
    const [a, b] = [await openRunner(float), await openRunner(prepared)];
    for (const { inputs } of samples) {
      const [expected, found] = [a.run(inputs)[0], b.run(inputs)[0]] as [Float32Array, Float32Array];
      for (const [i, v] of found.entries()) assert.ok(Math.abs(v - (expected[i] as number)) < 1e-5);
    }
    for (const each of [a, b]) each.close();
    assert.ok((await worst(float)) < 0.3);
  });

  test("a layer that never fires is named", async () => {
    const float = graphOf(
      [value("x", [1, 8]), constant("dead", [1, 8], Array(8).fill(0)), constant("b", [1], [-1]), value("y", [1, 1])],
      [node("fullyConnected", [0, 1, 2], 3, { activation: "relu", keepDims: false })],
      [3],
    );
    await assert.rejects(quantize(float, dataset(samples)), /layer "dead"/);
  });

  /** x + a layer of x with these weights and biases, behind an activation. */
  const branch = (weight: number, bias: number, activation: string) =>
    graphOf(
      [
        value("x", [1, 8]),
        constant("w", [8, 8], Array(64).fill(weight)),
        constant("b", [8], Array(8).fill(bias)),
        value("z", [1, 8]),
        value("y", [1, 8]),
      ],
      [
        node("fullyConnected", [0, 1, 2], 3, { activation, keepDims: false }),
        node("add", [0, 3], 4, { activation: "none" }),
      ],
      [4],
    );

  test("a layer that never fires beside others that do is told of, and the rest is right", async () => {
    const float = branch(0.01, -9, "relu");
    const { graph, silent } = await quantize(float, dataset(samples));
    assert.deepEqual(silent, ["w"]);
    assert.ok(graph.nodes.some(({ kind }) => kind === "fullyConnected"));
    assert.ok((await worst(float)) < 0.03);
  });

  test("a layer whose weights and biases are all 0 gives 0, and nobody is told", async () => {
    assert.deepEqual((await quantize(branch(0, 0, "none"), dataset(samples))).silent, []);
    assert.ok((await worst(branch(0, 0, "none"))) < 0.03);
    const nothing = graphOf(
      [value("x", [1, 8]), constant("w", [3, 8], Array(24).fill(0)), value("y", [1, 3])],
      [node("fullyConnected", [0, 1, -1], 2, { activation: "none", keepDims: false })],
      [2],
    );
    assert.equal(await worst(nothing), 0);
  });
});
