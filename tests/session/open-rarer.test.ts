/** Rarer operators of computed sizes: of images, diagonals, segments, and dimensions behind others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyNode, Attributes } from "../../bindings/graph.ts";
import { loadModule, planGraph, runPasses } from "../../bindings/public/index.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, int32, node } from "../passes/graphs.ts";

const plain = (name: string, dtype: Tensor["dtype"], shape: readonly number[], data?: Uint8Array): Tensor => ({
  name,
  dtype,
  shape,
  ...(data && { data }),
});
const bytes = (values: Float32Array) => new Uint8Array(values.buffer);
const scalar = (value: number) => plain("", "int32", [], int32(value));

async function run(
  tensors: readonly Tensor[],
  nodes: readonly AnyNode[],
  inputs: readonly number[],
  output: number,
  given: readonly (Float32Array | Int32Array | Int8Array)[],
) {
  const kernels = await loadModule("simd", undefined, "full");
  const passed = runPasses(graph(tensors, nodes, inputs, [output]));
  const session = await Session.open(planGraph(passed, { module: "simd", moduleHash: kernels.hash }), kernels);
  const results = session.run([...given]);
  session.close();
  return results[tensors[output]?.name as string];
}

describe("RESIZE_BILINEAR to a computed size: as to the same one that is constant", () => {
  const shape = [2, 3, 5, 2];
  const count = 60;
  const values = Array.from({ length: count }, (_, i) => ((i * 37) % 101) - 50);
  const ways: readonly Attributes["resizeBilinear"][] = [
    { alignCorners: false, halfPixelCenters: false },
    { alignCorners: true, halfPixelCenters: false },
    { alignCorners: false, halfPixelCenters: true },
  ];
  for (const dtype of ["float32", "int8"] as const)
    for (const [i, way] of ways.entries())
      test(`${dtype}, way ${i}`, async () => {
        const x = dtype === "int8" ? Int8Array.from(values) : Float32Array.from(values, (value) => value / 7);
        const quantization = dtype === "int8" ? { quantization: { scale: [0.5], zeroPoint: [3], axis: 0 } } : {};
        const image = (name: string) => ({ ...plain(name, dtype, shape), ...quantization });
        for (const [h, w] of [
          [1, 1],
          [7, 2],
          [3, 11],
        ] as const) {
          const size = plain("size", "int32", [2]);
          const nodes = [node("resizeBilinear", [0, 1], [2], way)];
          const found = await run([image("x"), size, image("y")], nodes, [0, 1], 2, [x, Int32Array.of(h, w)]);
          const fixed = { ...size, data: int32(h, w) };
          const wanted = await run([image("x"), fixed, image("y")], nodes, [0], 2, [x]);
          assert.equal(found?.length, 4 * h * w);
          if (dtype === "int8") assert.deepEqual(found, wanted);
          else for (const [j, value] of (found as Float32Array).entries()) near(value, (wanted as Float32Array)[j]);
        }
      });
});

function near(value: number, wanted: number | undefined): void {
  assert.ok(Math.abs(value - (wanted ?? Number.NaN)) < 1e-5, `${value} and not ${wanted}`);
}

/** 0, 1, … below the input n, in tensor 3. */
const COUNT = [plain("n", "int32", []), scalar(0), scalar(1), plain("count", "int32", [1])];
const RANGE = node("range", [1, 0, 2], [3], {});

test("positions below lengths: the last dimension is open", async () => {
  const tensors = [...COUNT, plain("lengths", "int32", [3, 1], int32(2, 0, 3)), plain("mask", "bool", [3, 1])];
  const mask = await run(tensors, [RANGE, node("less", [3, 4], [5], {})], [0], 5, [Int32Array.of(4)]);
  assert.deepEqual([...(mask as Uint8Array)], [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
});

test("MATRIX_DIAG of a vector as long as a run says", async () => {
  const tensors = [...COUNT, plain("y", "int32", [1, 1])];
  const y = await run(tensors, [RANGE, node("matrixDiag", [3], [4], {})], [0], 4, [Int32Array.of(3)]);
  assert.deepEqual(y, Int32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 2));
  const many = run(tensors, [RANGE, node("matrixDiag", [3], [4], {})], [0], 4, [Int32Array.of(300)]);
  await assert.rejects(many, /at most 65536/);
});

test("UNSORTED_SEGMENT_SUM into a computed number of segments", async () => {
  const x = plain("x", "float32", [3, 2], bytes(Float32Array.of(1, 2, 3, 4, 5, 6)));
  const tensors = [
    x,
    plain("ids", "int32", [3], int32(2, 0, 2)),
    plain("n", "int32", []),
    plain("y", "float32", [1, 2]),
  ];
  const nodes = [node("unsortedSegmentSum", [0, 1, 2], [3], {})];
  assert.deepEqual(await run(tensors, nodes, [2], 3, [Int32Array.of(4)]), Float32Array.of(3, 4, 0, 0, 6, 8, 0, 0));
});

test("SLICE and RESHAPE of open rows by computed sizes", async () => {
  const tensors = [
    ...[...COUNT, plain("begin", "int32", [1], int32(0)), plain("most", "int32", [1])],
    ...[plain("part", "int32", [1]), plain("sizes", "int32", [1]), plain("y", "int32", [1])],
  ];
  const nodes = [RANGE, node("slice", [3, 4, 5], [6], {}), node("shape", [6], [7], { dtype: "int32" })];
  const all = [...nodes, node("reshape", [6, 7], [8], { shape: [] })];
  for (const [n, most, wanted] of [
    [5, 3, 3],
    [2, 3, 2],
    [4, -1, 4],
  ] as const) {
    const y = await run(tensors, all, [0, 5], 8, [Int32Array.of(n), Int32Array.of(most)]);
    assert.deepEqual(
      y,
      Int32Array.from({ length: wanted }, (_, i) => i),
    );
  }
});
