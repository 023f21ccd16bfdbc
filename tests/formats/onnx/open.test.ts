/** ONNX operators whose results are as long as the data makes them: what they find, and what may follow them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel, Pint8Error } from "../../../bindings/public/index.ts";
import type { TypedArray } from "../../../bindings/tensor.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, type ValueSpec } from "../build-onnx.ts";

const graph = (
  nodes: readonly NodeSpec[],
  inputs: readonly ValueSpec[],
  initializers: GraphSpec["initializers"] = [],
): GraphSpec => ({ nodes, inputs, outputs: [{ name: "y" }], initializers });

/** The numbers of y, of every run, with both modules. */
async function runs(spec: GraphSpec, sets: readonly (readonly TypedArray[])[]): Promise<readonly number[][]> {
  const all: number[][][] = [];
  for (const module of ["scalar", "simd"] as const) {
    const model = await loadModel(buildOnnx(spec), { module });
    all.push(sets.map((set) => Array.from(Object.values(model.run(set))[0] as ArrayLike<number | bigint>, Number)));
    model.close();
  }
  assert.deepEqual(all[0], all[1]);
  return all[0] as number[][];
}

const MATRIX: ValueSpec = { name: "x", dims: [2, 3] };
const SETS = [Float32Array.of(0, 1, -2, 0, 0, 3), new Float32Array(6), Float32Array.of(1, 2, 3, 4, 5, 6)].map((x) => [
  x,
]);

describe("as many as there are", () => {
  test("NonZero, all dimensions of a place apart", async () => {
    const spec = graph([{ operator: "NonZero", inputs: ["x"], outputs: ["y"] }], [MATRIX]);
    assert.deepEqual(await runs(spec, SETS), [[0, 0, 1, 1, 2, 2], [], [0, 0, 0, 1, 1, 1, 0, 1, 2, 0, 1, 2]]);
  });

  test("NonZero of a constant is a constant, as ranges before opset 11 are written", async () => {
    const nodes: NodeSpec[] = [
      { operator: "NonZero", inputs: ["c"], outputs: ["places"] },
      { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
      { operator: "GatherND", inputs: ["x", "rows"], outputs: ["y"] },
    ];
    const constant = [{ name: "c", dims: [2, 3], type: 1, values: [1, 0, 0, 0, -2, 3] }] as const;
    assert.deepEqual(await runs(graph(nodes, [MATRIX], constant), SETS), [
      [0, 0, 3],
      [0, 0, 0],
      [1, 5, 6],
    ]);
  });

  test("places as one tensor a dimension", async () => {
    const nodes: NodeSpec[] = [
      { operator: "NonZero", inputs: ["x"], outputs: ["places"] },
      { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
      { operator: "Split", inputs: ["rows"], outputs: ["first", "second"], int: { axis: 1 } },
      { operator: "Transpose", inputs: ["second"], outputs: ["y"], ints: { perm: [1, 0] } },
    ];
    assert.deepEqual(await runs(graph(nodes, [MATRIX]), SETS), [[1, 2, 2], [], [0, 1, 2, 0, 1, 2]]);
  });

  test("a mask, as PyTorch writes it", async () => {
    const nodes: NodeSpec[] = [
      { operator: "NonZero", inputs: ["x"], outputs: ["places"] },
      { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
      { operator: "GatherND", inputs: ["x", "rows"], outputs: ["found"] },
      { operator: "Mul", inputs: ["found", "ten"], outputs: ["y"] },
    ];
    const spec = graph(nodes, [MATRIX], [{ name: "ten", dims: [], type: 1, values: [10] }]);
    assert.deepEqual(await runs(spec, SETS), [[10, -20, 30], [], [10, 20, 30, 40, 50, 60]]);
  });

  test("Unique, sorted and by first places: values, where they stand first, which each is, how often", async () => {
    const longs = (...values: readonly number[]) => BigInt64Array.from(values, BigInt);
    const sets = [longs(3, 1, 3, 0, 1, 3), longs(7, 7, 7, 7, 7, 7), longs(-1, 5, 4, -9, 2, 0)].map((x) => [x]);
    const expected: readonly (readonly [sorted: number, output: number, results: readonly number[][]])[] = [
      [1, 0, [[0, 1, 3], [7], [-9, -1, 0, 2, 4, 5]]],
      [1, 1, [[3, 1, 0], [0], [3, 0, 5, 4, 2, 1]]],
      [
        1,
        2,
        [
          [2, 1, 2, 0, 1, 2],
          [0, 0, 0, 0, 0, 0],
          [1, 5, 4, 0, 3, 2],
        ],
      ],
      [1, 3, [[1, 2, 3], [6], [1, 1, 1, 1, 1, 1]]],
      [0, 0, [[3, 1, 0], [7], [-1, 5, 4, -9, 2, 0]]],
      [0, 1, [[0, 1, 3], [0], [0, 1, 2, 3, 4, 5]]],
      [
        0,
        2,
        [
          [0, 1, 0, 2, 1, 0],
          [0, 0, 0, 0, 0, 0],
          [0, 1, 2, 3, 4, 5],
        ],
      ],
      [0, 3, [[3, 2, 1], [6], [1, 1, 1, 1, 1, 1]]],
    ];
    for (const [sorted, output, results] of expected) {
      const outputs = ["", "", "", ""].map((_, i) => (i === output ? "y" : ""));
      const spec = graph(
        [{ operator: "Unique", inputs: ["x"], outputs, int: { sorted } }],
        [{ name: "x", type: 7, dims: [6] }],
      );
      assert.deepEqual(await runs(spec, sets), results, `sorted ${sorted}, output ${output}`);
    }
  });

  test("Compress by a computed condition", async () => {
    const spec = graph(
      [{ operator: "Compress", inputs: ["x", "c"], outputs: ["y"], int: { axis: 0 } }],
      [MATRIX, { name: "c", type: 9, dims: [2] }],
    );
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    const sets = [
      [0, 1],
      [1, 1],
      [0, 0],
    ].map((c) => [x, Uint8Array.from(c)]);
    assert.deepEqual(await runs(spec, sets), [[4, 5, 6], [1, 2, 3, 4, 5, 6], []]);
  });

  test("Slice from and to computed places, counted from either end", async () => {
    const spec = graph(
      [{ operator: "Slice", inputs: ["x", "from", "to"], outputs: ["y"] }],
      [MATRIX, { name: "from", type: 7, dims: [2] }, { name: "to", type: 7, dims: [2] }],
    );
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    const longs = (...values: readonly number[]) => BigInt64Array.from(values, BigInt);
    const sets = [
      [x, longs(0, 1), longs(2, 3)],
      [x, longs(-1, -3), longs(9, -1)],
      [x, longs(1, 2), longs(1, 9)],
    ];
    assert.deepEqual(await runs(spec, sets), [[2, 3, 5, 6], [4, 5], []]);
  });

  test("NonMaxSuppression: batch, class and place, of those alone that are better than what they overlap", async () => {
    const boxes = Float32Array.of(...[0, 0, 1, 1], ...[0, 0.05, 1, 1.05], ...[0, 2, 1, 3]);
    const scores = Float32Array.of(...[0.5, 0.9, 0.7], ...[0.8, 0.1, 0.2]);
    const nodes: NodeSpec[] = [
      { operator: "NonMaxSuppression", inputs: ["boxes", "scores", "most", "overlap", "least"], outputs: ["all"] },
      { operator: "Slice", inputs: ["all", "zero", "three"], outputs: ["y"] },
    ];
    const spec = graph(
      nodes,
      [
        { name: "boxes", dims: [1, 3, 4] },
        { name: "scores", dims: [1, 2, 3] },
      ],
      [
        { name: "most", dims: [1], type: 7, values: [3] },
        { name: "overlap", dims: [1], type: 1, values: [0.5] },
        { name: "least", dims: [1], type: 1, values: [0.3] },
        { name: "zero", dims: [1], type: 7, values: [0] },
        { name: "three", dims: [1], type: 7, values: [5] },
      ],
    );
    assert.deepEqual(await runs(spec, [[boxes, scores]]), [[0, 0, 1, 0, 0, 2, 0, 1, 0]]);
  });

  test("NonMaxSuppression of equal scores: the first box first", async () => {
    const scores = [0.5, 0.25, 0.5, 0.75, 0.25, 0.5, 0.75, 0.5, 0.25, 0.5, 0.75, 0.5];
    const boxes = Float32Array.from({ length: 48 }, (_, i) => 4 * (i >> 2) + Number(i % 4 > 1));
    const spec = graph(
      [
        { operator: "NonMaxSuppression", inputs: ["boxes", "scores", "most"], outputs: ["all"] },
        { operator: "Gather", inputs: ["all", "two"], outputs: ["y"], int: { axis: 1 } },
      ],
      [
        { name: "boxes", dims: [1, 12, 4] },
        { name: "scores", dims: [1, 1, 12] },
      ],
      [
        { name: "most", dims: [1], type: 7, values: [12] },
        { name: "two", dims: [1], type: 7, values: [2] },
      ],
    );
    assert.deepEqual(await runs(spec, [[boxes, Float32Array.from(scores)]]), [[3, 6, 10, 0, 2, 5, 7, 9, 11, 1, 4, 8]]);
  });

  test("an output of bytes of an open length", async () => {
    const nodes: NodeSpec[] = [
      { operator: "QuantizeLinear", inputs: ["x", "scale", "zero"], outputs: ["q"] },
      { operator: "DequantizeLinear", inputs: ["q", "scale", "zero"], outputs: ["d"] },
      { operator: "NonZero", inputs: ["x"], outputs: ["places"] },
      { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
      { operator: "GatherND", inputs: ["d", "rows"], outputs: ["kept"] },
      { operator: "QuantizeLinear", inputs: ["kept", "scale", "zero"], outputs: ["y"] },
    ];
    const spec = graph(
      nodes,
      [MATRIX],
      [
        { name: "scale", dims: [], type: 1, values: [0.5] },
        { name: "zero", dims: [], type: 2, raw: Uint8Array.of(7) },
      ],
    );
    assert.deepEqual(await runs(spec, SETS), [[9, 3, 13], [], [9, 11, 13, 15, 17, 19]]);
  });

  for (const [operator, expected] of [
    ["ReduceSum", [2, 0, 21]],
    ["ReduceMean", [2 / 3, Number.NaN, 3.5]],
    ["ReduceMax", [3, Number.NEGATIVE_INFINITY, 6]],
    ["ReduceMin", [-2, Number.POSITIVE_INFINITY, 1]],
    ["ReduceL1", [6, 0, 21]],
  ] as const)
    test(`${operator} of what a mask leaves`, async () => {
      const nodes: NodeSpec[] = [
        { operator: "NonZero", inputs: ["x"], outputs: ["places"] },
        { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
        { operator: "GatherND", inputs: ["x", "rows"], outputs: ["kept"] },
        { operator, inputs: ["kept"], outputs: ["y"], int: { keepdims: 0 } },
      ];
      assert.deepEqual(
        await runs(graph(nodes, [MATRIX]), SETS),
        expected.map((value) => [Math.fround(value)]),
      );
    });

  test("operators that need the length are refused", async () => {
    const nodes: NodeSpec[] = [
      { operator: "NonZero", inputs: ["x"], outputs: ["places"] },
      { operator: "Transpose", inputs: ["places"], outputs: ["rows"], ints: { perm: [1, 0] } },
      { operator: "ArgMax", inputs: ["rows"], outputs: ["y"] },
    ];
    await assert.rejects(
      loadModel(buildOnnx(graph(nodes, [MATRIX]))),
      (error) => error instanceof Pint8Error && error.code === "UNSUPPORTED" && /length is known/.test(error.message),
    );
  });
});
