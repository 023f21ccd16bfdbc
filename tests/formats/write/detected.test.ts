/** Boxes and the best of them, as .onnx and read back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { type Constant, noise, same, single, whole } from "./single.ts";

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
