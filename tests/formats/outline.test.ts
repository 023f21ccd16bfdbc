/** A model that cannot run is told whole: every operator, and each refusal beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectModel } from "../../bindings/public/index.ts";
import { buildTflite } from "./build-tflite.ts";

test("inspect reports all operators of a model that cannot run, with each refusal and its types", async () => {
  const image = { name: "x", dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [0] } as const;
  const model = buildTflite({
    tensors: [image, { ...image, name: "a" }, { ...image, name: "b", dtype: "float32" }, { ...image, name: "y" }],
    operators: [
      { code: "LSH_PROJECTION", inputs: [0], outputs: [1] },
      { code: "RELU", inputs: [1], outputs: [3] },
      { code: "TILE", inputs: [0], outputs: [2] },
    ],
    inputs: [0],
    outputs: [3],
  });
  const { operators, refusal, inputs } = await inspectModel(model, { module: "scalar" });
  assert.match(refusal, /^node 0 \(LSH_PROJECTION\): expected operators that pint8 runs/);
  assert.deepEqual(inputs[0]?.shape, [1, 4]);
  assert.deepEqual(
    operators.map(({ where }) => where),
    ["node 0 (LSH_PROJECTION)", "node 1 (RELU)", "node 2 (TILE)"],
  );
  assert.match(operators[0]?.refusal ?? "", /an operator that pint8 runs, received LSH_PROJECTION$/);
  assert.equal(operators[1]?.refusal, "");
  assert.match(operators[2]?.refusal ?? "", /^C1/);
  assert.equal(operators[2]?.outputs[0]?.dtype, "float32");
});
