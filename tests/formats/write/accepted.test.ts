/**
 * What TensorFlow Lite's kernels ask for beside operators' names, in files that pint8 writes of graphs that it runs as they are: LiteRT 2.1
 * refuses such files, ends with them, or computes other numbers.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { openFile, readInt32s, readTables, rootTable } from "../../../bindings/formats/tflite/flatbuffer.ts";
import { MODEL, SUBGRAPH, TENSOR } from "../../../bindings/formats/tflite/schema.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { byteLength, type Tensor, type TypedArray } from "../../../bindings/tensor.ts";
import { graphOf, runGraph } from "../run-graph.ts";

const PLAIN = { activation: "none" } as const;
const WINDOW = { ...PLAIN, stride: [1, 1], dilation: [1, 1], padding: "valid" } as const;
const ROUNDING = { rule: "onnx", lo: -65536, hi: 65536 } as const;

const scaled = (scale: number, zeroPoint: number) => ({
  quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: 0 },
});
const bytes = (length: number) => Int8Array.from({ length }, (_, i) => ((i * 37) % 251) - 125);
const dataOf = (values: TypedArray) => ({ data: new Uint8Array(values.buffer.slice(0)) });
const noise = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7));

const written = (graph: Graph) => writeTflite(graph, { onWarning: () => {} });
const again = (graph: Graph) => importModel(written(graph), {});
const kinds = ({ nodes }: Graph) => nodes.map(({ kind }) => kind);
const typesOf = ({ nodes, tensors }: Graph, kind: string) => {
  const found = nodes.find((node) => node.kind === kind);
  return [...(found?.inputs ?? []), ...(found?.outputs ?? [])].map((id) => tensors[id]?.dtype);
};
const near = (got: TypedArray, expected: TypedArray, most: number) => {
  assert.equal(got.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(Number(got[i]) - Number(value)) <= most, `element ${i}: ${got[i]} for ${value}`);
};

describe("a .tflite file has what its reader asks for", () => {
  const image: Tensor = { name: "x", dtype: "float32", shape: [1, 4, 4, 2] };

  test("a bias of zeros for convolutions", async () => {
    for (const kind of ["conv2d", "depthwiseConv2d"]) {
      const shape = kind === "conv2d" ? [2, 3, 3, 2] : [1, 3, 3, 2];
      const w: Tensor = {
        name: "w",
        dtype: "float32",
        shape,
        ...dataOf(noise(byteLength({ dtype: "float32", shape }) / 4)),
      };
      const y: Tensor = { name: "y", dtype: "float32", shape: [1, 2, 2, 2] };
      const graph = graphOf([image, w, y], [0], [2], [[kind, [0, 1], [2], { ...WINDOW, depthMultiplier: 1 }]]);
      const read = again(graph);
      const bias = read.tensors[read.nodes[0]?.inputs[2] as number];
      assert.deepEqual(
        [bias?.dtype, bias?.shape, bias?.data?.every((byte) => byte === 0)],
        ["float32", [2], true],
        kind,
      );
      assert.deepEqual(await runGraph(read, noise(32)), await runGraph(graph, noise(32)), kind);
    }
  });

  test("bytes of one type in products, behind QUANTIZE and before it", async () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "uint8", shape: [2, 5], ...scaled(0.03, 120) },
      { name: "w", dtype: "int8", shape: [3, 5], ...scaled(0.02, 0), ...dataOf(bytes(15)) },
      { name: "b", dtype: "int32", shape: [3], ...dataOf(Int32Array.of(40, -7, 0)) },
      { name: "y", dtype: "uint8", shape: [2, 3], ...scaled(0.05, 131) },
    ];
    const attributes = { ...PLAIN, keepDims: false, rounding: ROUNDING };
    const graph = graphOf(tensors, [0], [3], [["fullyConnected", [0, 1, 2], [3], attributes]]);
    const read = again(graph);
    assert.deepEqual(kinds(read), ["quantize", "fullyConnected", "quantize"]);
    assert.deepEqual(typesOf(read, "fullyConnected"), ["int8", "int8", "int32", "int8"]);
    assert.deepEqual(
      [...read.inputs, ...read.outputs].map(({ name, tensor }) => `${name} ${read.tensors[tensor]?.dtype}`),
      ["x uint8", "y uint8"],
    );
    // sums of scales that a reader compares
    const scale = read.tensors[read.nodes[1]?.inputs[2] as number]?.quantization?.scale[0] ?? 0;
    assert.ok(Math.abs(scale - 0.0006) < 1e-9, `${scale}`);
    const input = Uint8Array.from({ length: 10 }, (_, i) => (i * 53) % 256);
    near(await runGraph(read, input), await runGraph(graph, input), 1);
  });

  test("uint8 alone stays uint8", () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "uint8", shape: [2, 5], ...scaled(0.03, 120) },
      { name: "w", dtype: "uint8", shape: [3, 5], ...scaled(0.02, 99), ...dataOf(new Uint8Array(bytes(15).buffer)) },
      { name: "y", dtype: "uint8", shape: [2, 3], ...scaled(0.05, 131) },
    ];
    const graph = graphOf(tensors, [0], [2], [["fullyConnected", [0, 1], [2], { ...PLAIN, keepDims: false }]]);
    assert.deepEqual(typesOf(again(graph), "fullyConnected"), ["uint8", "uint8", "uint8"]);
  });

  test("real values of weights with a zero point, or with -128 where activations are floats", async () => {
    for (const [zero, least] of [
      [5, -125],
      [0, -128],
    ] as const) {
      const values = bytes(15);
      values[0] = least;
      const tensors: Tensor[] = [
        { name: "x", dtype: "float32", shape: [2, 5] },
        { name: "w", dtype: "int8", shape: [3, 5], ...scaled(0.02, zero), ...dataOf(values) },
        { name: "y", dtype: "float32", shape: [2, 3] },
      ];
      const attributes = { ...PLAIN, keepDims: false, rounding: ROUNDING };
      const graph = graphOf(tensors, [0], [2], [["fullyConnected", [0, 1], [2], attributes]]);
      const read = again(graph);
      assert.deepEqual(typesOf(read, "fullyConnected"), ["float32", "float32", "float32"]);
      near(await runGraph(read, noise(10)), await runGraph(graph, noise(10)), 0.1);
    }
  });

  test("concatenated integers of one scale", async () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "int8", shape: [2, 3], ...scaled(0.05, 2) },
      { name: "c", dtype: "int8", shape: [2, 3], ...scaled(0.1, -3), ...dataOf(bytes(6)) },
      { name: "y", dtype: "int8", shape: [2, 6], ...scaled(0.1, -3) },
    ];
    const graph = graphOf(tensors, [0], [2], [["concat", [0, 1], [2], { ...PLAIN, axis: 1 }]]);
    const read = again(graph);
    assert.deepEqual(kinds(read), ["quantize", "concat"]);
    near(await runGraph(read, bytes(6)), await runGraph(graph, bytes(6)), 1);
  });

  test("angles of tensors of one shape", async () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "float32", shape: [2, 3] },
      { name: "c", dtype: "float32", shape: [], ...dataOf(Float32Array.of(0.5)) },
      { name: "y", dtype: "float32", shape: [2, 3] },
    ];
    const graph = graphOf(tensors, [0], [2], [["atan2", [0, 1], [2]]]);
    assert.deepEqual(kinds(again(graph)), ["broadcastTo", "atan2"]);
    assert.deepEqual(await runGraph(again(graph), noise(6)), await runGraph(graph, noise(6)));
  });

  test("transposed convolutions of the input's size as the reference computes it", async () => {
    const w: Tensor = { name: "w", dtype: "float32", shape: [3, 3, 3, 2], ...dataOf(noise(54)) };
    for (const [size, padding, expected] of [
      [8, { top: 0, left: 0, bottom: 1, right: 1 }, ["same"]],
      [9, { top: 0, left: 0, bottom: 0, right: 0 }, ["valid"]],
      [7, { top: 1, left: 1, bottom: 1, right: 1 }, ["same"]],
      [6, { top: 0, left: 0, bottom: 3, right: 3 }, ["valid", "slice"]],
    ] as const) {
      const shape = [1, size, size, 3];
      const s: Tensor = { name: "s", dtype: "int32", shape: [4], ...dataOf(Int32Array.from(shape)) };
      const y: Tensor = { name: "y", dtype: "float32", shape };
      const attributes = { ...PLAIN, stride: [2, 2], padding };
      const graph = graphOf([image, w, s, y], [0], [3], [["transposeConv", [2, 1, 0], [3], attributes]]);
      const read = again(graph);
      const got = read.nodes.map((node) => (node.kind === "transposeConv" ? node.attributes.padding : node.kind));
      assert.deepEqual(got, expected, `${size}`);
      near(await runGraph(read, noise(32)), await runGraph(graph, noise(32)), 1e-5);
    }
  });

  test("int16 with a zero point in floats", async () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "float32", shape: [9] },
      { name: "q", dtype: "int16", shape: [9], ...scaled(2e-5, 700) },
      { name: "y", dtype: "float32", shape: [9] },
    ];
    const steps = [
      ["quantize", [0], [1]],
      ["dequantize", [1], [2]],
    ] as const;
    const graph = graphOf(tensors, [0], [2], steps);
    assert.ok(!kinds(again(graph)).some((kind) => /quantize/.test(kind)));
    assert.deepEqual(await runGraph(again(graph), noise(9)), await runGraph(graph, noise(9)));
  });

  test("open sizes where a run tells them", () => {
    const tensors: Tensor[] = [
      { name: "x", dtype: "float32", shape: [4, 6] },
      { name: "n", dtype: "int32", shape: [2] },
      { name: "c", dtype: "int32", shape: [2], ...dataOf(Int32Array.of(0, 0)) },
      { name: "y", dtype: "float32", shape: [1, 6] },
    ];
    const file = written(graphOf(tensors, [0, 1], [3], [["slice", [0, 2, 1], [3]]]));
    const [graph] = readTables(rootTable(openFile(file)), MODEL.subgraphs, () => "graph");
    assert.ok(graph !== undefined);
    const signatures = readTables(graph, SUBGRAPH.tensors, () => "tensor").map((table) =>
      readInt32s(table, TENSOR.shapeSignature),
    );
    assert.deepEqual(
      signatures.filter((each) => each !== undefined),
      [[-1, -1]],
    );
  });
});
