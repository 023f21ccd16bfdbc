/** NON_MAX_SUPPRESSION among equal scores: in the order of the reference's heap. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { buildTflite, type TensorSpec } from "../formats/build-tflite.ts";

const real = (name: string, value: number): TensorSpec => ({
  name,
  dtype: "float32",
  shape: [],
  data: Float32Array.of(value),
});

/** Scores of boxes apart from each other, and their order by TensorFlow 2.21's BUILTIN_REF. */
const ORDERS: readonly (readonly [scores: readonly number[], places: readonly number[]])[] = [
  [new Array<number>(10).fill(0.5), [0, 2, 6, 9, 8, 5, 7, 4, 1, 3]],
  [
    [0.5, 0.25, 0.5, 0.75, 0.25, 0.5, 0.75, 0.5, 0.25, 0.5, 0.75, 0.5],
    [3, 6, 10, 2, 11, 9, 5, 0, 7, 1, 4, 8],
  ],
];

test("boxes of equal scores", async () => {
  for (const [scores, places] of ORDERS) {
    const { length } = scores;
    const model = buildTflite({
      tensors: [
        { name: "boxes", dtype: "float32", shape: [length, 4] },
        { name: "scores", dtype: "float32", shape: [length] },
        { name: "most", dtype: "int32", shape: [], data: Int32Array.of(length) },
        real("overlap", 0.5),
        real("threshold", 0.125),
        { name: "places", dtype: "int32", shape: [length] },
        { name: "count", dtype: "int32", shape: [] },
      ],
      operators: [{ code: "NON_MAX_SUPPRESSION_V4", inputs: [0, 1, 2, 3, 4], outputs: [5, 6] }],
      inputs: [0, 1],
      outputs: [5, 6],
    });
    const boxes = Float32Array.from({ length: 4 * length }, (_, i) => [0, 0, 1, 1][i % 4] as number);
    for (let i = 0; i < length; i++) for (const side of [0, 2]) boxes[4 * i + side] = 2 * i + side / 2;
    for (const module of ["scalar", "simd"] as const) {
      const session = await loadModel(model, { module });
      const found = session.run([boxes, Float32Array.from(scores)]);
      assert.deepEqual([...(found.places as Int32Array)], places);
      assert.deepEqual(found.count, Int32Array.of(length));
      session.close();
    }
  }
});
