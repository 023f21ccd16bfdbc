/** Reductions over all places of what a convolution gives: samples and channels are left, whichever comes last inside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { runPasses } from "../../../bindings/passes/index.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx } from "../build-onnx.ts";

/** Two channels of four places, as they are and with their signs changed. */
const weights = { name: "w", dims: [2, 2, 1], type: 1, values: [1, 0, 0, -1] } as const;
const X = Float32Array.of(1, 5, 2, -4, -3, 7, 2, 6);

for (const [operator, expected] of [
  ["ReduceMax", [5, 3]],
  ["ReduceMean", [1, -3]],
  ["ReduceSum", [4, -12]],
] as const)
  for (const keepdims of [0, 1])
    test(`${operator} of a sequence's places, keepdims ${keepdims}`, async () => {
      const axes = { name: "axes", dims: [1], type: 7, values: [2] } as const;
      const bytes = buildOnnx({
        nodes: [
          { operator: "Conv", inputs: ["x", "w"], outputs: ["c"] },
          { operator, inputs: ["c", "axes"], outputs: ["r"], int: { keepdims } },
          { operator: "Reshape", inputs: ["r", "flat"], outputs: ["y"] },
        ],
        inputs: [{ name: "x", dims: [1, 2, 4] }],
        outputs: [{ name: "y" }],
        initializers: [weights, axes, { name: "flat", dims: [2], type: 7, values: [1, 2] }],
      });
      const { nodes } = runPasses(importModel(bytes, {}));
      const after = nodes.slice(nodes.findIndex(({ kind }) => kind === "conv2d"));
      assert.ok(!after.some(({ kind }) => kind === "transpose"));
      const model = await loadModel(bytes);
      assert.deepEqual(Array.from(Object.values(model.run([X]))[0] as Float32Array), expected);
      model.close();
    });
