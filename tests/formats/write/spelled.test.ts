/** Operators that a format lacks, written as others, and integers of 4 and 16 bits in .onnx. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { buildOnnx, node } from "../build-onnx.ts";
import { runGraph } from "../run-graph.ts";

const SHARED = new URL("../../../../shared/", import.meta.url);
const skip = existsSync(SHARED) ? false : "no ../shared folder";
const quiet = { onWarning: () => {} };

/** A graph of one node on x; constants follow. */
function graphOf(kind: string, attributes: object, x: Tensor, y: Tensor, constants: readonly Tensor[] = []): Graph {
  const inputs = [0, ...constants.map((_, i) => i + 2)];
  const node = { kind, where: "node 0", attributes, inputs, outputs: [1] } as unknown as AnyNode;
  return {
    name: "main",
    tensors: [x, y, ...constants],
    subgraphs: [],
    nodes: [node],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 1 as TensorId }],
  };
}

const floats = (name: string, values: readonly number[]): Tensor => ({
  name,
  dtype: "float32",
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});

async function requireNear(graph: Graph, again: Graph, input: Float32Array | Int8Array | Uint8Array, far: number) {
  const [expected, found] = [await runGraph(graph, input), await runGraph(again, input)];
  assert.equal(found.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(Number(found[i]) - Number(expected[i])) <= far, `${i}: ${found[i]}, not ${expected[i]}`);
}

describe("what TensorFlow Lite has no operator for", () => {
  test("as many rows as are chosen", async () => {
    const file = buildOnnx({
      nodes: [node("Compress", "x c", "y", { int: { axis: 0 } })],
      inputs: [
        { name: "x", dims: [4, 3] },
        { name: "c", type: 9, dims: [4] },
      ],
      outputs: [{ name: "y", dims: ["n", 3] }],
    });
    const models = await Promise.all(
      [file, writeTflite(importModel(file, {}))].map((bytes) => loadModel(bytes, { module: "simd" })),
    );
    const x = Float32Array.from({ length: 12 }, (_, i) => i - 4);
    for (const [chosen, rows] of [
      [
        [0, 1, 0, 1],
        [1, 3],
      ],
      [
        [1, 1, 1, 1],
        [0, 1, 2, 3],
      ],
      [[0, 0, 0, 0], []],
    ] as const)
      for (const model of models) {
        const [y] = Object.values(model.run([x, Uint8Array.from(chosen)]));
        assert.deepEqual(
          [...(y as Float32Array)],
          rows.flatMap((row) => [...x.subarray(3 * row, 3 * row + 3)]),
        );
      }
  });

  test("updates put into rows, or added to them", async () => {
    const rows = (name: string): Tensor => ({ name, dtype: "float32", shape: [4, 2] });
    const places: Tensor = { ...floats("places", []), dtype: "int32", shape: [2, 1] };
    const indices = (...values: number[]) => ({ ...places, data: new Uint8Array(Int32Array.from(values).buffer) });
    const updates: Tensor = { ...floats("updates", [1, 2, 3, -4]), shape: [2, 2] };
    const graph = (mode: string, ...at: number[]) =>
      graphOf("scatterUpdate", { mode }, rows("x"), rows("y"), [indices(...at), updates]);
    const given = Float32Array.from({ length: 8 }, (_, i) => i + 10);
    for (const one of [graph("set", 3, 1), graph("add", 3, 1), graph("add", 2, 2)]) {
      const again = importModel(writeTflite(one), {});
      assert.ok(again.nodes.some(({ kind }) => kind === "scatterNd"));
      await requireNear(one, again, given, 0);
    }
    assert.throws(() => writeTflite(graph("max", 3, 1)), /operators that TensorFlow Lite has, received scatterUpdate/);
  });

  const real = (name: string): Tensor => ({ name, dtype: "float32", shape: [2, 3, 4] });
  const input = Float32Array.from({ length: 24 }, (_, i) => 2.5 * Math.sin(i * i));
  for (const [dimensions, given] of [
    [1, []],
    [1, [0.5, 2, -1, 3]],
    [1, [0.5, 2, -1, 3, 1, 2, 3, 4]],
    [2, Array.from({ length: 12 }, (_, i) => i - 3)],
  ] as const)
    test(`layer normalization over ${dimensions} with ${given.length} factors`, async () => {
      const depth = dimensions === 1 ? 4 : 12;
      const constants = [0, depth].flatMap((at) =>
        at < given.length ? [floats(`c${at}`, given.slice(at, at + depth))] : [],
      );
      const graph = graphOf("layerNorm", { dimensions, epsilon: 1e-3 }, real("x"), real("y"), constants);
      const again = importModel(writeTflite(graph), {});
      assert.ok(again.nodes.every(({ kind }) => kind !== "layerNorm"));
      await requireNear(graph, again, input, 1e-5);
      await requireNear(graph, importModel(writeOnnx(graph), {}), input, 1e-5);
    });

  test("the error function", async () => {
    const graph = graphOf("erf", {}, real("x"), real("y"));
    await requireNear(graph, importModel(writeTflite(graph), {}), input, 5e-7);
  });

  for (const [from, to] of [
    ["int8", "int8"],
    ["uint8", "int8"],
    ["int8", "uint8"],
  ] as const)
    test(`a table from ${from} to ${to}`, async () => {
      const quantized = (name: string, dtype: "int8" | "uint8"): Tensor => ({
        ...{ name, dtype, shape: [256] },
        quantization: { scale: [0.5], zeroPoint: [3], axis: 0 },
      });
      const table = Uint8Array.from({ length: 256 }, (_, i) => i * i + 7 * i);
      const graph = graphOf("lookup", { table }, quantized("x", from), quantized("y", to));
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const bytes = from === "int8" ? new Int8Array(all.buffer) : all;
      await requireNear(graph, importModel(writeTflite(graph, quiet), {}), bytes, 0);
      await requireNear(graph, importModel(writeOnnx(graph, quiet), {}), bytes, 0);
    });
});

describe("integers of 4 and 16 bits as ONNX", { skip }, () => {
  const folder = new URL("zoo/tflite/", SHARED);
  const kinds = /^(conv2d|depthwise|fully_connected|net)_.*__int(4(_static|_block\d+)?|16x8)\.tflite$/;
  const files = skip ? [] : readdirSync(folder).filter((name) => kinds.test(name));
  for (const name of files)
    test(name, async (context) => {
      const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
      const graph = importModel(bytes, {});
      const [port, ...others] = graph.inputs;
      if (port === undefined || others.length > 0) return context.skip("several inputs");
      const written = writeOnnx(graph, quiet);
      const types = readModel(written).graph?.initializers.map(({ dataType }) => dataType) ?? [];
      const [INT16, INT4] = [5, 22];
      assert.ok(types.includes(name.includes("int4") ? INT4 : INT16), `${types}`);
      const { dtype, shape } = graph.tensors[port.tensor] as Tensor;
      const count = shape.reduce((a, b) => a * b, 1);
      const values = Array.from({ length: count }, (_, i) => Math.sin(i * i));
      const input =
        dtype === "float32"
          ? Float32Array.from(values)
          : dtype === "int16"
            ? Int16Array.from(values, (value) => 20000 * value)
            : Int8Array.from(values, (value) => 100 * value);
      const expected = await runGraph(graph, input);
      const found = await runGraph(importModel(written, {}), input);
      const largest = Math.max(...Array.from(expected as Float32Array, Math.abs));
      // Weights of four bits beside floats take activations of eight bits in .tflite, floats in .onnx.
      const far = dtype === "int8" ? 3 : dtype === "int16" ? 64 : 0.08 * largest;
      for (const [i, value] of Array.from(expected as Float32Array).entries())
        assert.ok(Math.abs(Number(found[i]) - value) <= far, `${i}: ${found[i]}, not ${value}`);
    });
});
