/** Columns, scales and linear regressions of ai.onnx.ml. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from "../build-onnx.ts";

async function run(
  node: Omit<NodeSpec, "domain" | "outputs">,
  dims: readonly number[],
  own: readonly TensorSpec[] = [],
) {
  const spec: GraphSpec = {
    nodes: [{ ...node, domain: "ai.onnx.ml", outputs: ["y"] }],
    inputs: [{ name: "x", dims }],
    outputs: [{ name: "y" }],
    initializers: own,
  };
  const model = await loadModel(buildOnnx(spec), { module: "simd" });
  const count = dims.reduce((all, size) => all * size, 1);
  const { y } = model.run([Float32Array.from({ length: count }, (_, i) => i - 2)]);
  const shape = model.outputs[0]?.shape;
  model.close();
  return [shape, Array.from(y as Float32Array)];
}

test("ArrayFeatureExtractor takes columns; of a list it makes a row", async () => {
  const places: TensorSpec = { name: "i", dims: [1, 3], type: 7, values: [2, 0, 2] };
  const node = { operator: "ArrayFeatureExtractor", inputs: ["x", "i"] };
  assert.deepEqual(await run(node, [2, 3], [places]), [
    [2, 3],
    [0, -2, 0, 3, 1, 3],
  ]);
  assert.deepEqual(await run(node, [3], [places]), [
    [1, 3],
    [0, -2, 0],
  ]);
});

test("Scaler takes off before it multiplies, by one number or one for each column", async () => {
  const node = { operator: "Scaler", inputs: ["x"], floats: { offset: [1, 2, 3], scale: [2] } };
  assert.deepEqual(await run(node, [2, 3]), [
    [2, 3],
    [-6, -6, -6, 0, 0, 0],
  ]);
});

test("LinearRegressor has a row of coefficients for each target", async () => {
  const floats = { coefficients: [1, 2, 3, -1, 0, 1], intercepts: [10, 20] };
  const node = { operator: "LinearRegressor", inputs: ["x"], floats, int: { targets: 2 } };
  assert.deepEqual(await run(node, [2, 3]), [
    [2, 2],
    [6, 22, 24, 22],
  ]);
  const few = { ...node, int: { targets: 4 } };
  await assert.rejects(run(few, [2, 3]), /as many coefficients for each target, received 6 for 4/);
  const transformed = { ...node, string: { post_transform: "SOFTMAX" } };
  await assert.rejects(run(transformed, [2, 3]), /expected post_transform NONE, received SOFTMAX/);
});
