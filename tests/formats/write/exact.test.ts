/** Places where ONNX' operators and TensorFlow Lite's of the same name differ: written as .onnx and read back they give the same. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import type { Tensor, TypedArray } from "../../../bindings/tensor.ts";
import { graphOf, runGraph } from "../run-graph.ts";

const again = (graph: Graph) => importModel(writeOnnx(graph, { onWarning: () => {} }), {});
const scaled = (scale: number, zeroPoint: number) => ({
  quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: 0 },
});
const constant = (name: string, shape: readonly number[], values: TypedArray, more: object = {}): Tensor => ({
  name,
  dtype: values instanceof Float32Array ? "float32" : values instanceof Int8Array ? "int8" : "int32",
  shape,
  data: new Uint8Array(values.buffer.slice(0)),
  ...more,
});
const noise = (length: number) => Float32Array.from({ length }, (_, i) => 3 * Math.sin(i * 1.7));
const bytes = (length: number) => Int8Array.from({ length }, (_, i) => ((i * 37) % 251) - 125);

/** A graph of one node: an input, constants, an output. */
function single(
  kind: string,
  attributes: object,
  x: Omit<Tensor, "name">,
  y: Omit<Tensor, "name">,
  ...constants: Tensor[]
): Graph {
  const tensors = [{ name: "x", ...x }, ...constants, { name: "y", ...y }];
  const last = tensors.length - 1;
  return graphOf(tensors, [0], [last], [[kind, Array.from({ length: last }, (_, i) => i), [last], attributes]]);
}

async function same(graph: Graph, input: TypedArray): Promise<TypedArray> {
  const [got, expected] = [await runGraph(again(graph), input), await runGraph(graph, input)];
  assert.deepEqual(got, expected);
  return got;
}

describe("a written .onnx file means what the graph means", () => {
  const float = (...shape: number[]) => ({ dtype: "float32", shape }) as const;
  const int8 = (scale: number, zero: number, ...shape: number[]) =>
    ({ dtype: "int8", shape, ...scaled(scale, zero) }) as const;

  test("bytes that are moved keep their values whatever the scales are", async () => {
    const shape = constant("s", [2], Int32Array.of(3, 2));
    const moved = single("reshape", {}, int8(0.5, 3, 2, 3), int8(0.25, -1, 3, 2), shape);
    assert.deepEqual([...(await same(moved, bytes(6)))], [...bytes(6)]);
    const pads = constant("p", [2, 2], Int32Array.of(1, 0, 0, 1));
    const value = constant("v", [1], Int8Array.of(77), scaled(2, 5));
    const padded = single("pad", {}, int8(0.5, 3, 1, 2), int8(0.5, 3, 2, 3), pads, value);
    assert.deepEqual([...(await same(padded, Int8Array.of(1, 2)))], [77, 77, 77, 1, 2, 77]);
  });

  test("places below 0 of one-hot vectors are nowhere", async () => {
    const number = (name: string, value: number) => constant(name, [], Int32Array.of(value));
    const given = [number("d", 3), number("on", 5), number("off", 2)];
    const y = { dtype: "int32", shape: [4, 3] } as const;
    const graph = single("oneHot", { axis: -1 }, { dtype: "int32", shape: [4] }, y, ...given);
    const got = await same(graph, Int32Array.of(1, -1, 3, 0));
    assert.deepEqual([...got], [2, 5, 2, 2, 2, 2, 2, 2, 2, 5, 2, 2]);
  });

  test("zeros around a diagonal are bytes", async () => {
    const graph = single("matrixDiag", {}, int8(0.1, -9, 2), int8(0.1, -9, 2, 2));
    assert.deepEqual([...(await same(graph, Int8Array.of(5, -7)))], [5, 0, 0, -7]);
  });

  test("a mean over no axes, axes from the end, axes of size 1", async () => {
    await same(
      single("mean", { keepDims: true }, float(2, 3), float(2, 3), constant("a", [0], new Int32Array(0))),
      noise(6),
    );
    await same(single("transpose", {}, float(2, 3), float(3, 2), constant("p", [2], Int32Array.of(-1, 0))), noise(6));
    await same(single("expandDims", {}, float(2, 3), float(2, 3, 1), constant("a", [], Int32Array.of(-1))), noise(6));
    await same(single("squeeze", { axes: [1] }, float(2, 1, 3), float(2, 3)), noise(6));
    await same(single("zerosLike", {}, float(2, 3), float(2, 3)), noise(6));
  });

  test("nearest elements between centres and corners", async () => {
    const attributes = { alignCorners: true, halfPixelCenters: true };
    const size = constant("s", [2], Int32Array.of(7, 5));
    await same(single("resizeNearestNeighbor", attributes, float(1, 4, 3, 2), float(1, 7, 5, 2), size), noise(24));
  });

  test("angles on either side of half a turn", async () => {
    const b = constant("b", [8], Float32Array.of(-1, -1, -1, 0, -0, 1, 0, -2));
    const graph = single("atan2", {}, float(8), float(8), b);
    const a = Float32Array.of(0, -0, -3, 2, 2, -0, -1, 0.5);
    const [got, expected] = [await runGraph(again(graph), a), await runGraph(graph, a)];
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(Number(got[i]) - Number(value)) < 1e-6, `${got}`);
    assert.ok((got[0] as number) > 3.14 && (got[1] as number) < -3.14, `${got}`);
  });

  test("a bias of integers is steps of the sums, whatever scale it tells", async () => {
    const w = constant("w", [2, 3], bytes(6), scaled(0.02, 0));
    const bias = constant("b", [2], Int32Array.of(900, -400), scaled(0.003, 0));
    const attributes = { activation: "none", keepDims: false };
    const graph = single("fullyConnected", attributes, int8(0.05, 4, 1, 3), int8(0.1, -2, 1, 2), w, bias);
    const [got, expected] = [await runGraph(again(graph), bytes(3)), await runGraph(graph, bytes(3))];
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs(Number(got[i]) - Number(value)) <= 1, `${got} ${expected}`);
  });

  test("products that are quantized on the way stay so", async () => {
    const rounding = { rule: "onnx", lo: -65536, hi: 65536 };
    const each = { quantization: { scale: [0.02, 0.03, 0.01], zeroPoint: [0, 0, 0], axis: 0 } };
    const plain = { activation: "relu", rounding } as const;
    const bias = constant("b", [3], Float32Array.of(0.5, -0.25, 1));
    for (const quantization of [each, scaled(0.02, 7)]) {
      const w = constant("w", [3, 4], bytes(12), quantization);
      const rows = single("fullyConnected", { ...plain, keepDims: true }, float(2, 5, 4), float(2, 5, 3), w, bias);
      await same(rows, noise(40));
      assert.ok(again(rows).tensors.some(({ dtype, shape }) => dtype === "int8" && shape.length === 2));
    }
    const window = { ...plain, stride: [1, 1], dilation: [1, 1], padding: "same" };
    const kernel = constant("w", [3, 3, 3, 2], bytes(54), each);
    await same(single("conv2d", window, float(1, 4, 4, 2), float(1, 4, 4, 3), kernel, bias), noise(32));
    const own = { quantization: { ...each.quantization, axis: 3 } };
    const filters = constant("w", [1, 3, 3, 3], bytes(27), own);
    const depthwise = { ...window, depthMultiplier: 1 };
    await same(single("depthwiseConv2d", depthwise, float(1, 4, 4, 3), float(1, 4, 4, 3), filters, bias), noise(48));
  });

  test("shapes are those that operators find, whatever a file claims", async () => {
    const window = { activation: "none", stride: [2, 2], dilation: [1, 1], padding: "same" };
    const w = constant("w", [1, 3, 3, 1], noise(9));
    const tensors: Tensor[] = [
      { name: "x", ...float(1, 9, 9, 1) },
      w,
      { name: "h", ...float(1, 4, 4, 1) },
      { name: "y", ...float(1, 2, 2, 1) },
    ];
    const steps = [
      ["conv2d", [0, 1], [2], window],
      ["conv2d", [2, 1], [3], window],
    ] as const;
    const graph = graphOf(tensors, [0], [3], steps);
    assert.equal((await same(graph, noise(81))).length, 9);
    const [port] = again(graph).outputs;
    assert.deepEqual(again(graph).tensors[port?.tensor as number]?.shape, [1, 3, 3, 1]);
  });
});
