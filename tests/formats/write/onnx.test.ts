/** .onnx files that pint8 writes: read again they give what the graph gives, floats and integers. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import { runPasses } from "../../../bindings/passes/index.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { runGraph } from "../run-graph.ts";

const MODELS = new URL("../../../../shared/models/", import.meta.url);
const skip = existsSync(MODELS) ? false : "no ../shared folder";
const LARGEST = 1 << 20;
/** Steps of an int8 output that QDQ's other rounding may make, a network's layers together. */
const STEPS = 4;

describe("models as .onnx", { skip }, () => {
  const names = skip
    ? []
    : readdirSync(MODELS).filter((name) => /^(ad01|digits_(f32|int8|res|mean)|hello|kws|vww)/.test(name));
  for (const name of names.filter((each) => each.endsWith(".tflite")))
    test(name, async () => {
      const bytes = new Uint8Array(readFileSync(new URL(name, MODELS)));
      if (bytes.length > LARGEST) return;
      const models = [await loadModel(bytes, { module: "simd" })];
      models.push(await loadModel(writeOnnx(importModel(bytes, {})), { module: "simd" }));
      const [first, second] = models.map(({ inputs }) =>
        inputs.map(({ name: port, dtype, shape }) => ({ port, dtype, shape })),
      );
      assert.deepEqual(second, first);
      const length = models[0]?.inputs[0].shape.reduce((a, b) => a * b, 1) ?? 0;
      const isFloat = models[0]?.inputs[0].dtype === "float32";
      const values = Array.from({ length }, (_, i) => ((i * 37) % 101) / 100);
      const input = isFloat ? Float32Array.from(values) : Int8Array.from(values, (value) => value * 200 - 100);
      const [expected, found] = models.map((model) =>
        Array.from(Object.values(model.run([input]))[0] as ArrayLike<number>),
      );
      const largest = Math.max(...(expected ?? []).map(Math.abs));
      const most = isFloat ? 1e-5 * largest : STEPS;
      for (const [i, value] of (expected ?? []).entries())
        assert.ok(Math.abs(value - (found?.[i] ?? Number.NaN)) <= most, `output ${i}: ${found?.[i]}, not ${value}`);
    });
});

/** A graph of one node on `[1,4,4,2]` and constants. */
function graphOf(
  kind: string,
  attributes: object,
  shape: readonly number[],
  constants: readonly (Int32Array | Float32Array)[] = [],
): Graph {
  const tensors = [
    { name: "x", dtype: "float32" as const, shape: [1, 4, 4, 2] },
    { name: "y", dtype: "float32" as const, shape },
    ...constants.map((values, i) => ({
      name: `c${i}`,
      dtype: values instanceof Int32Array ? ("int32" as const) : ("float32" as const),
      shape: [values.length],
      data: new Uint8Array(values.buffer.slice(0)),
    })),
  ];
  const inputs = [0, ...constants.map((_, i) => i + 2)];
  return {
    name: "main",
    tensors,
    subgraphs: [],
    nodes: [{ kind, where: "node 0", attributes, inputs, outputs: [1] } as unknown as AnyNode],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 1 as TensorId }],
  };
}

describe("operators as ONNX", () => {
  const none = { activation: "none" };
  const same = [1, 4, 4, 2];
  const pool = { filter: [3, 3], stride: [2, 2], padding: "same", activation: "relu6" };
  const rows: readonly (readonly [string, object, readonly number[], (readonly (Int32Array | Float32Array)[])?])[] = [
    ...(
      ["relu", "relu6", "reluN1To1", "relu0To1", "elu", "hardSwish", "logistic", "tanh", "abs", "neg", "exp"] as const
    ).map((kind) => [kind, {}, same] as const),
    ["leakyRelu", { alpha: 0.25 }, same],
    ["softmax", { beta: 0.5 }, same],
    ["logSoftmax", {}, same],
    ["add", { activation: "relu" }, same, [Float32Array.of(0.5, -2)]],
    ["sub", none, same, [Float32Array.of(0.5)]],
    ["mul", { activation: "reluN1To1" }, same, [Float32Array.of(3, -2)]],
    ["div", none, same, [Float32Array.of(3, -2)]],
    ["maximum", {}, same, [Float32Array.of(0.1)]],
    ["minimum", {}, same, [Float32Array.of(0.1)]],
    ["maxPool2d", pool, [1, 2, 2, 2]],
    ["averagePool2d", pool, [1, 2, 2, 2]],
    ["reshape", {}, [2, 16], [Int32Array.of(2, 16)]],
    ["squeeze", { axes: [0] }, [4, 4, 2]],
    ["transpose", {}, [1, 2, 4, 4], [Int32Array.of(0, 3, 1, 2)]],
    ["mean", { keepDims: false }, [1, 2], [Int32Array.of(1, 2)]],
    ["reduceMax", { keepDims: true }, [1, 1, 4, 2], [Int32Array.of(1)]],
    ["sum", { keepDims: false }, [1, 4, 2], [Int32Array.of(1)]],
    ...(["floor", "ceil", "round", "sign", "sin", "cos", "square"] as const).map((kind) => [kind, {}, same] as const),
    ["gelu", { approximate: false }, same],
    ["gelu", { approximate: true }, same],
    ["squaredDifference", {}, same, [Float32Array.of(0.5, -1)]],
    ["floorDiv", {}, same, [Float32Array.of(0.75)]],
    ["slice", {}, [1, 2, 4, 1], [Int32Array.of(0, 1, 0, 1), Int32Array.of(1, 2, -1, 1)]],
    [
      "stridedSlice",
      { beginMask: 4, endMask: 4, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 9, offset: false },
      [3, 2],
      [Int32Array.of(0, -9, 0, -1), Int32Array.of(1, 3, 0, 0), Int32Array.of(1, 1, -2, 1)],
    ],
    ["tile", {}, [1, 8, 4, 2], [Int32Array.of(1, 2, 1, 1)]],
    ["gather", { axis: 2, batchDims: 0 }, [1, 4, 3, 2], [Int32Array.of(3, 0, 3)]],
    ["mirrorPad", { mode: "reflect" }, [1, 6, 5, 2], [Int32Array.of(0, 0, 1, 1, 0, 1, 0, 0)]],
    ["mirrorPad", { mode: "symmetric" }, [1, 10, 5, 2], [Int32Array.of(0, 0, 2, 4, 0, 1, 0, 0)]],
    ["spaceToDepth", { block: 2 }, [1, 2, 2, 8]],
    ["spaceToBatch", {}, [6, 2, 2, 2], [Int32Array.of(3, 2), Int32Array.of(1, 1, 0, 0)]],
    ["layerNorm", { dimensions: 1, epsilon: 1e-3 }, same, [Float32Array.of(0.5, 2), Float32Array.of(1, -1)]],
    ["layerNorm", { dimensions: 3, epsilon: 1e-3 }, same],
    ["l2Normalization", none, same],
    ["localResponseNormalization", { radius: 1, bias: 1, alpha: 0.5, beta: 0.75 }, same],
    ["erf", {}, same],
    ["dilate", {}, [1, 7, 10, 2], [Int32Array.of(1, 2, 3, 1), Float32Array.of(0.5)]],
    ["reverse", {}, same, [Int32Array.of(2, -1)]],
    ["cumsum", { exclusive: true, reverse: true }, same, [Int32Array.of(-2)]],
    ["floorMod", {}, same, [Float32Array.of(0.75, -0.75)]],
    ["gatherNd", {}, [4, 2], [Int32Array.of(0, 3)]],
    ["reduceMin", { keepDims: false }, [4, 2], [Int32Array.of(0, 2)]],
    ...[
      { alignCorners: false, halfPixelCenters: false },
      { alignCorners: false, halfPixelCenters: true },
      { alignCorners: true, halfPixelCenters: false },
    ].flatMap((way) => [
      ["resizeBilinear", way, [1, 7, 9, 2], [Int32Array.of(7, 9)]] as const,
      ["resizeNearestNeighbor", way, [1, 7, 9, 2], [Int32Array.of(7, 9)]] as const,
    ]),
  ];
  for (const [kind, attributes, shape, constants] of rows)
    test(`${kind} ${JSON.stringify(attributes)}`, async () => {
      const graph = graphOf(kind, attributes, shape, constants);
      const input = Float32Array.from({ length: 32 }, (_, i) => 3 * Math.sin(1 + i));
      const expected = await runGraph(graph, input);
      const found = await runGraph(importModel(writeOnnx(graph), {}), input);
      assert.equal(found.length, expected.length);
      for (let i = 0; i < expected.length; i++)
        assert.ok(Math.abs(Number(found[i]) - Number(expected[i])) <= 2e-5, `${i}: ${found[i]}, not ${expected[i]}`);
    });

  test("normalization of many numbers without factors of its own takes no bytes for each", () => {
    const bytes = writeOnnx(graphOf("layerNorm", { dimensions: 3, epsilon: 1e-3 }, [1, 4, 4, 2]));
    const { graph } = readModel(bytes);
    assert.ok(graph?.nodes.some(({ operator }) => operator === "LayerNormalization"));
    assert.ok(graph?.initializers.every(({ dims }) => dims.length <= 1));
  });

  test("integers are behind QuantizeLinear, layers' weights by channel", { skip }, () => {
    const bytes = new Uint8Array(readFileSync(new URL("digits_int8.tflite", MODELS)));
    const { graph } = readModel(writeOnnx(importModel(bytes, {})));
    const count = (type: string) => graph?.nodes.filter(({ operator }) => operator === type).length ?? 0;
    assert.equal(count("Conv"), 11);
    assert.ok(count("QuantizeLinear") >= 13 && count("DequantizeLinear") > 2 * 11);
    // what is the same stands once
    const single = graph?.initializers.filter(({ dims }) => dims.length === 0) ?? [];
    const held = single.map(({ dataType, raw }) => `${dataType} ${raw}`);
    assert.ok(single.length > 3);
    assert.equal(new Set(held).size, held.length);
  });

  test("all that have no form stand in one error", () => {
    const graph = graphOf("rightShift", {}, [1, 4, 4, 2]);
    const nodes = [...graph.nodes, { ...graph.nodes[0], kind: "whatElse" } as unknown as AnyNode];
    assert.throws(
      () => writeOnnx({ ...graph, nodes }),
      (error: Pint8Error) => {
        assert.ok(error instanceof Pint8Error && error.code === "UNSUPPORTED");
        return /rightShift \(1×\), whatElse \(1×\)/.test(error.message);
      },
    );
  });
});

describe("graphs that nothing has verified", () => {
  const file = new URL("../../../models/digits/digits_int8.tflite", import.meta.url);
  const models = [file, ...(skip ? [] : readdirSync(MODELS).map((name) => new URL(name, MODELS)))].filter(
    (url) => /\.tflite$/.test(url.pathname) && readFileSync(url).length < LARGEST,
  );
  for (const url of models)
    test(`nodes without inputs or outputs: ${url.pathname.split("/").at(-1)}`, () => {
      const graph = importModel(new Uint8Array(readFileSync(url)), {});
      const seen = new Set<string>();
      for (const [i, node] of graph.nodes.entries()) {
        if (seen.has(node.kind)) continue;
        seen.add(node.kind);
        const lists = node.inputs.flatMap((_, count) => [
          { inputs: node.inputs.slice(0, count) },
          { inputs: node.inputs.map((id, at) => (at === count ? (-1 as TensorId) : id)) },
        ]);
        for (const change of [...lists, { outputs: [] }]) {
          const nodes = graph.nodes.map((each, at) => (at === i ? ({ ...node, ...change } as AnyNode) : each));
          for (const write of [writeOnnx, writeTflite, runPasses])
            try {
              write({ ...graph, nodes }, { onWarning: () => {} } as object);
            } catch (error) {
              assert.ok(error instanceof Pint8Error, `${node.kind}: ${(error as Error).stack}`);
              assert.doesNotMatch(error.hint, /mistake in pint8/, `${node.kind}: ${error.message}`);
            }
        }
      }
    });

  test("parts along a dimension that they do not have", () => {
    const graph = graphOf("split", { count: 1 }, [4], [Int32Array.of(7)]);
    const nodes = graph.nodes.map((node) => ({ ...node, inputs: [...node.inputs].reverse() }) as AnyNode);
    assert.throws(() => writeOnnx({ ...graph, nodes }), { name: "Pint8Error", code: "INVALID_GRAPH" });
  });

  test("tensors of other ranks, and constants that are no numbers", () => {
    const graph = importModel(new Uint8Array(readFileSync(file)), {});
    for (const [i, tensor] of graph.tensors.entries()) {
      const flat = [tensor.shape.reduce((a, b) => a * b, 1)];
      const ranks = tensor.data === undefined ? tensor.shape.map((_, rank) => tensor.shape.slice(0, rank)) : [flat];
      for (const change of [...ranks.map((shape) => ({ shape })), { dtype: "string", quantization: undefined }]) {
        const tensors = graph.tensors.map((each, at) => (at === i ? { ...each, ...change } : each));
        try {
          writeOnnx({ ...graph, tensors } as Graph, { onWarning: () => {} });
        } catch (error) {
          assert.ok(error instanceof Pint8Error, `${tensor.name}: ${(error as Error).stack}`);
        }
      }
    }
  });
});

test("outputs that no node gives, and one value as two outputs", async () => {
  const one = graphOf("relu", {}, [1, 4, 4, 2], [Float32Array.of(3, -2)]);
  const port = (name: string, id: number) => ({ name, tensor: id as TensorId });
  const nodes = one.nodes.map((node) => ({ ...node, inputs: node.inputs.slice(0, 1) }) as AnyNode);
  const outputs = [port("y", 1), port("again", 1), port("constant", 2), port("x", 0), port("passed", 0)];
  const model = await loadModel(writeOnnx({ ...one, nodes, outputs }), { module: "simd" });
  const x = Float32Array.from({ length: 32 }, (_, i) => i - 16);
  const found = model.run([x]);
  assert.deepEqual(Object.keys(found), ["y", "again", "constant", "x/out", "passed"]);
  const [y, again, constant, same, passed] = Object.values(found);
  assert.deepEqual(
    y,
    x.map((value) => Math.max(value, 0)),
  );
  assert.deepEqual(again, y);
  assert.deepEqual(constant, Float32Array.of(3, -2));
  assert.deepEqual([same, passed], [x, x]);
  model.close();
});
