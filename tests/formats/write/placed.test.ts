/** Operators that put elements at places, or count, as .onnx and read back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { type Constant, noise, type Port, same, single, whole } from "./single.ts";

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

test("shapes and attributes that ask for files without end are refused", () => {
  const many = 2 ** 30;
  const isRefused = (error: unknown) => error instanceof Pint8Error && /UNSUPPORTED|INVALID_GRAPH/.test(error.code);
  const size: Constant = [whole(many, many), [2]];
  const corners = { alignCorners: true, halfPixelCenters: true };
  const matrix: Port = ["float32", [many, many]];
  const graphs = [
    single("matrixSetDiag", {}, [matrix, ["float32", [many]]], [], [matrix]),
    single("resizeNearestNeighbor", corners, [["float32", [1, 2, 2, 1]]], [size], [["float32", [1, many, many, 1]]]),
    single(
      "nonZero",
      { form: "rows" },
      [["bool", [many]]],
      [],
      [
        ["int64", [many, 1]],
        ["int32", []],
      ],
    ),
    single(
      "detectionPostProcess",
      {
        mostDetections: many,
        classesPerDetection: 1,
        classes: 3,
        everyClass: true,
        detectionsPerClass: many,
        scales: [1, 1, 1, 1],
      },
      [
        ["float32", [1, many, 4]],
        ["float32", [1, many, 3]],
      ],
      [[new Float32Array(4), [1, 4]]],
      [
        ["float32", [1, many, 4]],
        ["float32", [1, many]],
        ["float32", [1, many]],
        ["float32", [1]],
      ],
    ),
  ];
  for (const graph of graphs) assert.throws(() => writeOnnx(graph), isRefused, graph.nodes[0]?.kind);
  assert.throws(() => writeTflite(graphs[2] as Graph), isRefused);
});
