/** Columns, scales, encodings and linear regressions of ai.onnx.ml; expected values are those of onnxruntime 1.32. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from "../../build-onnx.ts";
import { near, ran } from "./running.ts";

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
  await assert.rejects(run(few, [2, 3]), /expected 12 coefficients, received 6/);
  const other = { ...node, string: { post_transform: "OTHER" } };
  await assert.rejects(run(other, [2, 3]), /expected a known post_transform, received OTHER/);
});

test("Normalizer divides rows by their greatest, their sum or their length; rows of zeros stay", async () => {
  const expected = {
    MAX: [1, -1.33333, 0.33333, 0, 0, 0, 3, 1, 2],
    L1: [0.375, -0.5, 0.125, 0, 0, 0, -0.5, -0.16667, -0.33333],
    L2: [0.58835, -0.78446, 0.19612, 0, 0, 0, -0.80178, -0.26726, -0.53452],
  };
  for (const [norm, y] of Object.entries(expected)) {
    const { values } = await ran({ operator: "Normalizer", string: { norm } }, [3, 3], [3, -4, 1, 0, 0, 0, -3, -1, -2]);
    assert.deepEqual(near(values.y), y, norm);
  }
  const whole = await ran({ operator: "Normalizer", string: { norm: "L1" } }, [2], [3, -1], { type: "int64" });
  assert.deepEqual([whole.values.y, whole.shapes.y, whole.types.y], [[0.75, -0.25], [2], "float32"]);
});

test("Binarizer and Imputer", async () => {
  const above = await ran({ operator: "Binarizer", float: { threshold: 0.5 } }, [3], [0.5, 0.75, -1]);
  assert.deepEqual(above.values.y, [0, 1, 0]);
  const none = {
    operator: "Imputer",
    float: { replaced_value_float: Number.NaN },
    floats: { imputed_value_floats: [7, 8] },
  };
  const filled = await ran(none, [2, 2], [1, Number.NaN, Number.NaN, 2]);
  assert.deepEqual(filled.values.y, [1, 8, 7, 2]);
  const ints = { operator: "Imputer", int: { replaced_value_int64: 3 }, ints: { imputed_value_int64s: [9] } };
  const whole = await ran(ints, [2, 2], [1, 3, 3, 2], { type: "int64" });
  assert.deepEqual([whole.values.y, whole.types.y], [[1, 9, 9, 2], "int64"]);
  await assert.rejects(ran({ operator: "Imputer" }, [2, 2], [1, 2, 3, 4]), /expected values for what is missing/);
});

test("OneHotEncoder has a column for each category; of the same ones the last counts", async () => {
  const node = { operator: "OneHotEncoder", ints: { cats_int64s: [3, 1, 3] } };
  const { values, shapes } = await ran(node, [2, 1], [3.5, 2]);
  assert.deepEqual(
    [values.y, shapes.y],
    [
      [0, 0, 1, 0, 0, 0],
      [2, 1, 3],
    ],
  );
  const strings = { operator: "OneHotEncoder", strings: { cats_strings: ["a"] } };
  await assert.rejects(ran(strings, [2, 1], [3, 2]), /expected categories that are numbers, received strings/);
});

test("LabelEncoder: of equal keys the first counts; NaN is a key from version 4 on", async () => {
  const ints = { keys_int64s: [2, 5, 2], values_int64s: [10, 20, 30] };
  const whole = await ran({ operator: "LabelEncoder", ints }, [2, 2], [5, 2, 7, 2 ** 32 + 2], { type: "int64" });
  assert.deepEqual(whole.values.y, [20, 10, -1, -1]);
  const node = {
    operator: "LabelEncoder",
    floats: { keys_floats: [0, Number.NaN, 2.5] },
    ints: { values_int64s: [1, 2, 3] },
    int: { default_int64: 7 },
  };
  const x = [-0, Number.NaN, 2.5, 1];
  assert.deepEqual((await ran(node, [4], x, { version: 2 })).values.y, [1, 7, 3, 7]);
  assert.deepEqual((await ran(node, [4], x, { version: 4 })).values.y, [1, 2, 3, 7]);
  const words = { operator: "LabelEncoder", floats: { keys_floats: [0] }, strings: { values_strings: ["a"] } };
  await assert.rejects(ran(words, [1], [0]), /expected values that are numbers, received strings/);
});

test("FeatureVectorizer cuts rows or fills them up", async () => {
  const node = (width: number) => ({ operator: "FeatureVectorizer", ints: { inputdimensions: [width] } });
  assert.deepEqual((await ran(node(3), [2, 2], [1, 2, 3, 4])).values.y, [1, 2, 0, 3, 4, 0]);
  assert.deepEqual((await ran(node(1), [2, 2], [1, 2, 3, 4], { type: "int64" })).values.y, [1, 3]);
});

test("ZipMap of whole numbers is the table of chances; strings are refused", async () => {
  const node = { operator: "ZipMap", ints: { classlabels_int64s: [4, 7] } };
  const { values, shapes } = await ran(node, [2, 2], [0.25, 0.75, 1, 0]);
  assert.deepEqual(
    [values.y, shapes.y],
    [
      [0.25, 0.75, 1, 0],
      [2, 2],
    ],
  );
  const words = { operator: "ZipMap", strings: { classlabels_strings: ["a", "b"] } };
  await assert.rejects(ran(words, [2, 2], [0, 1, 1, 0]), /expected classes that are numbers, received strings/);
});

test("CDist: distances of all rows of two tables", async () => {
  const table: TensorSpec = { name: "t", dims: [3, 2], type: 1, values: [0, 0, 3, 4, 1, 0] };
  for (const [metric, y] of Object.entries({
    sqeuclidean: [1, 20, 0],
    euclidean: [1, Math.fround(Math.sqrt(20)), 0],
  })) {
    const node: NodeSpec = {
      operator: "CDist",
      domain: "com.microsoft",
      inputs: ["x", "t"],
      outputs: ["y"],
      string: { metric },
    };
    const spec: GraphSpec = {
      nodes: [node],
      inputs: [{ name: "x", dims: [1, 2] }],
      outputs: [{ name: "y" }],
      initializers: [table],
    };
    const model = await loadModel(buildOnnx(spec), { module: "simd" });
    assert.deepEqual(Array.from(model.run([Float32Array.of(1, 0)]).y as Float32Array), y);
    model.close();
  }
});
