/** Operators that put elements at places, find boxes, or count, as .onnx and read back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { writeOnnx } from "../../bindings/formats/onnx/write/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import type { Tensor, TypedArray } from "../../bindings/tensor.ts";
import { graphOf } from "./run-graph.ts";

type Port = readonly [dtype: Tensor["dtype"], shape: readonly number[], quantization?: readonly [number, number]];
type Constant = readonly [values: TypedArray, shape: readonly number[]];

const dtypeOf = (values: TypedArray): Tensor["dtype"] =>
  values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "int8";

/** A graph of one node: inputs, then constants. */
function single(
  kind: string,
  attributes: object,
  inputs: readonly Port[],
  constants: readonly Constant[],
  outputs: readonly Port[],
): Graph {
  const port = (letter: string, [dtype, shape, scaled]: Port, i: number): Tensor => ({
    name: `${letter}${i}`,
    dtype,
    shape,
    ...(scaled && { quantization: { scale: [scaled[0]], zeroPoint: [scaled[1]], axis: 0 } }),
  });
  const tensors = [
    ...inputs.map((each, i) => port("x", each, i)),
    ...constants.map(
      ([values, shape], i): Tensor => ({
        name: `c${i}`,
        dtype: dtypeOf(values),
        shape,
        data: new Uint8Array(values.buffer.slice(0)),
      }),
    ),
    ...outputs.map((each, i) => port("y", each, i)),
  ];
  const first = inputs.length + constants.length;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const made = range(first, tensors.length);
  return graphOf(tensors, range(0, inputs.length), made, [[kind, range(0, first), made, attributes]]);
}

async function run(graph: Graph, given: readonly TypedArray[]): Promise<readonly (readonly number[])[]> {
  const session = await openGraph(graph, { module: "simd" });
  const outputs = session.run(given as never) as Readonly<Record<string, TypedArray>>;
  const found = session.outputs.map(({ name }) => Array.from(outputs[name] as ArrayLike<number | bigint>, Number));
  session.close();
  return found;
}

/** What a graph gives, which it does too when it was written and read. */
async function same(graph: Graph, ...given: readonly TypedArray[]): Promise<readonly (readonly number[])[]> {
  const expected = await run(graph, given);
  const found = await run(importModel(writeOnnx(graph, { onWarning: () => {} }), {}), given);
  assert.deepEqual(
    found.map(({ length }) => length),
    expected.map(({ length }) => length),
  );
  for (const [i, values] of expected.entries())
    for (const [j, value] of values.entries())
      assert.ok(Math.abs(value - (found[i]?.[j] as number)) <= 2e-6, `output ${i}: ${found[i]}, not ${values}`);
  return expected;
}

const noise = (length: number, seed = 1) =>
  Float32Array.from({ length }, (_, i) => 2 * Math.sin((i + seed) * (seed + 1.7)));
const whole = (...values: number[]) => Int32Array.from(values);

describe("elements at places, written as .onnx", () => {
  test("BUCKETIZE, BROADCAST_ARGS", async () => {
    const bucketize = (dtype: Tensor["dtype"]) =>
      single("bucketize", { boundaries: [-1, 0, 2] }, [[dtype, [2, 3]]], [], [["int32", [2, 3]]]);
    const [counts] = await same(bucketize("float32"), Float32Array.of(-3, -1, -0.5, 0, 1.9, 2));
    assert.deepEqual(counts, [0, 1, 1, 2, 2, 3]);
    await same(bucketize("int32"), whole(-3, -1, 0, 1, 2, 9));
    const shapes = single(
      "broadcastArgs",
      {},
      [
        ["int32", [3]],
        ["int32", [2]],
      ],
      [],
      [["int32", [3]]],
    );
    assert.deepEqual(await same(shapes, whole(4, 1, 5), whole(7, 1)), [[4, 7, 5]]);
  });

  test("MATRIX_SET_DIAG, SPARSE_TO_DENSE, HASHTABLE_LOOKUP", async () => {
    for (const [rows, columns] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const x: Port = ["float32", [2, rows, columns]];
      await same(single("matrixSetDiag", {}, [x, ["float32", [2, 2]]], [], [x]), noise(12), noise(4, 2));
    }
    const dense = [
      [whole(0, 1, 2, 0), [2, 2]],
      [whole(3, 2), [2]],
    ] as const;
    const node = single(
      "sparseToDense",
      {},
      [],
      [...dense, [noise(2), [2]], [Float32Array.of(9), []]],
      [["float32", [3, 2]]],
    );
    // a graph of constants alone has an input that nothing reads
    const graph = { ...node, tensors: [...node.tensors, { name: "x", dtype: "float32", shape: [1] } as const] };
    await same({ ...graph, inputs: [{ name: "x", tensor: (graph.tensors.length - 1) as never }] }, noise(1));
    const keys = [
      [whole(2, 5, 9), [3]],
      [noise(6), [3, 2]],
    ] as const;
    const table = single("hashtableLookup", {}, [["int32", [4]]], keys, [
      ["float32", [4, 2]],
      ["uint8", [4]],
    ]);
    const [, hits] = await same(table, whole(9, 3, 2, 0));
    assert.deepEqual(hits, [1, 0, 1, 0]);
  });

  test("RIGHT_SHIFT, SCATTER_ND of bytes, GATHER behind batches", async () => {
    const shift = single(
      "rightShift",
      {},
      [
        ["int32", [5]],
        ["int32", [5]],
      ],
      [],
      [["int32", [5]]],
    );
    assert.deepEqual(await same(shift, whole(-9, 9, -1, 2 ** 31 - 1, -5), whole(1, 2, 31, 30, 0)), [
      [-5, 2, -1, 1, -5],
    ]);
    const bytes: Port = ["int8", [2], [0.5, 3]];
    const places = [[whole(3, 3), [2, 1]]] as const;
    const scatter = single("scatterNd", {}, [bytes], places, [["int8", [4], [0.5, 3]]]);
    const swapped = {
      ...scatter,
      nodes: scatter.nodes.map((node) => ({ ...node, inputs: [1, 0, 2] })),
    } as unknown as Graph;
    const shape: Tensor = { name: "s", dtype: "int32", shape: [1], data: new Uint8Array(whole(4).buffer) };
    const tensors = [...swapped.tensors.slice(0, 2), shape, ...swapped.tensors.slice(2)];
    const outputs = [{ name: "y0", tensor: 3 as never }];
    const own = {
      ...swapped,
      tensors,
      outputs,
      nodes: swapped.nodes.map((node) => ({ ...node, outputs: [3] as never })),
    };
    assert.deepEqual(await same(own as Graph, Int8Array.of(50, -20)), [[0, 0, 0, 30]]);
    const gather = single(
      "gather",
      { axis: 2, batchDims: 1 },
      [
        ["float32", [2, 3, 4, 5]],
        ["int32", [2, 2, 2]],
      ],
      [],
      [["float32", [2, 3, 2, 2, 5]]],
    );
    await same(gather, noise(120), whole(0, 3, 1, 1, 2, 0, 3, 3));
  });
});

describe("boxes, written as .onnx", () => {
  const count = 7;
  const most = 4;
  /** Anchors side by side, that overlap their neighbours. */
  const anchors = Float32Array.from({ length: 4 * count }, (_, i) => [0.3 * (i >> 2), 0.5, 0.5, 0.5][i & 3] as number);
  const scores = (columns: number) => Float32Array.from({ length: count * columns }, (_, i) => ((i * 37) % 101) / 101);
  const graph = (columns: number, attributes: object, perDetection: number) => {
    const rows = most * perDetection;
    return single(
      "detectionPostProcess",
      {
        mostDetections: most,
        classesPerDetection: perDetection,
        detectionsPerClass: 2,
        everyClass: false,
        scoreThreshold: 0.2,
        overlapThreshold: 0.3,
        classes: 3,
        scales: [10, 10, 5, 5],
        ...attributes,
      },
      [
        ["float32", [1, count, 4]],
        ["float32", [1, count, columns]],
      ],
      [[anchors, [count, 4]]],
      [
        ["float32", [1, rows, 4]],
        ["float32", [1, rows]],
        ["float32", [1, rows]],
        ["float32", [1]],
      ],
    );
  };

  test("of their best classes, and of every class", async () => {
    for (const columns of [3, 4])
      for (const [attributes, perDetection] of [
        [{}, 1],
        [{}, 2],
        [{}, 4],
        [{ scoreThreshold: 0.97 }, 1],
        [{ everyClass: true }, 1],
        [{ everyClass: true, scoreThreshold: 0.97 }, 2],
      ] as const) {
        const offsets = Float32Array.from(noise(4 * count, 3), (value) => value / 2);
        const found = await same(graph(columns, attributes, perDetection), offsets, scores(columns));
        assert.ok((found[3]?.[0] as number) <= most);
      }
  });

  test("with scores that do not fall", async () => {
    const boxes: Constant = [
      Float32Array.from({ length: 4 * count }, (_, i) => [0, 0.3 * (i >> 2), 1, 0.3 * (i >> 2) + 0.5][i & 3] as number),
      [count, 4],
    ];
    const nms = (sigma: number) => {
      const scalars = [whole(most), Float32Array.of(0.2), Float32Array.of(0.1), Float32Array.of(sigma)];
      const node = single(
        "nonMaxSuppressionV5",
        {},
        [["float32", [count]]],
        [boxes, ...scalars.map((values): Constant => [values, []])],
        [
          ["int32", [most]],
          ["float32", [most]],
          ["int32", []],
        ],
      );
      // boxes come before their scores
      const nodes = node.nodes.map((each) => ({ ...each, inputs: [1, 0, ...each.inputs.slice(2)] }));
      return { ...node, nodes } as unknown as Graph;
    };
    await same(nms(0), scores(1));
    assert.throws(
      () => writeOnnx(nms(0.5)),
      (error) => error instanceof Pint8Error && error.code === "UNSUPPORTED",
    );
  });
});
