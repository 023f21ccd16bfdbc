/** Linear models and support vector machines of ai.onnx.ml; expected values are those of onnxruntime 1.32. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Given, near, ran } from "./running.ts";

const X = [1, 0, 0, 1, -1, -1];

const machine = (kernel: string, rest: Readonly<Record<string, readonly number[]>> = {}): Given => ({
  operator: "SVMClassifier",
  outputs: "l y",
  string: { kernel_type: kernel },
  ints: { vectors_per_class: [1, 1, 2], classlabels_ints: [4, 5, 6] },
  floats: {
    kernel_params: [0.5, 0.25, 3],
    support_vectors: [1, 0, 0, 1, 1, 1, -1, 0],
    coefficients: [0.5, -1, 0.25, 1, 1, 0.5, -0.5, 2],
    rho: [0.1, -0.2, 0.3],
    ...rest,
  },
});

test("SVMClassifier: scores of each two classes by every kernel, labels by votes", async () => {
  const expected = {
    LINEAR: [0.6, 0.05, -2.2, -0.9, 0.05, 0.3, 0.6, -0.7, 2.8],
    RBF: [0.23212, 1.08697, 0.45134, -0.71606, 0.68739, 1.23249, 0.05896, 0.49319, 1.54495],
    POLY: [0.29531, 0.31172, 0.06563, -0.31406, -0.06328, 0.33125, 0.10781, 0.10078, 1.34687],
    SIGMOID: [0.17266, 0.34902, -0.38495, -0.41269, 0.44862, 0.78984, 0.22246, 0.03144, 1.76541],
  };
  for (const [kernel, y] of Object.entries(expected)) {
    const { values, shapes } = await ran(machine(kernel), [3, 2], X);
    assert.deepEqual(values.l, [4, 5, 4]);
    assert.deepEqual(near(values.y), y, kernel);
    assert.deepEqual(shapes.y, [3, 3]);
  }
});

test("chances of all classes from those of each two are settled in a loop", async () => {
  const { values } = await ran(machine("RBF", { prob_a: [-1, -0.5, -2], prob_b: [0.1, 0, -0.1] }), [3, 2], X);
  assert.deepEqual(values.l, [4, 5, 4]);
  const expected = [0.41197, 0.3993, 0.18874, 0.25411, 0.65468, 0.09121, 0.38635, 0.50408, 0.10958];
  assert.deepEqual(near(values.y), expected);
});

test("SVMRegressor, and of one class its side", async () => {
  const node = (inside: number): Given => ({
    operator: "SVMRegressor",
    string: { kernel_type: "RBF" },
    int: { n_supports: 2, one_class: inside },
    floats: { kernel_params: [0.5, 0, 0], support_vectors: [1, 0, 0, 1], coefficients: [1, -2], rho: [0.25] },
  });
  const { values, shapes } = await ran(node(0), [3, 2], X);
  assert.deepEqual(near(values.y), [0.51424, -1.38212, 0.16792]);
  assert.deepEqual(shapes.y, [3, 1]);
  assert.deepEqual((await ran(node(1), [3, 2], X)).values.y, [1, -1, 1]);
});

test("LinearClassifier: one row of coefficients stands for the second of two classes", async () => {
  const node = (rows: number, transform: string): Given => ({
    operator: "LinearClassifier",
    outputs: "l y",
    string: { post_transform: transform },
    ints: { classlabels_ints: [4, 5] },
    floats: { coefficients: [1, -1, 0.5, 2].slice(0, 2 * rows), intercepts: [0.25, 0].slice(0, rows) },
  });
  const one = await ran(node(1, "NONE"), [3, 2], X);
  assert.deepEqual(one.values, { l: [5, 4, 5], y: [-0.25, 1.25, 1.75, -0.75, 0.75, 0.25] });
  const logistic = await ran(node(1, "LOGISTIC"), [3, 2], X);
  assert.deepEqual(near(logistic.values.y), [0.2227, 0.7773, 0.67918, 0.32082, 0.43782, 0.56218]);
  const two = await ran(node(2, "SOFTMAX"), [3, 2], X);
  assert.deepEqual(two.values.l, [4, 5, 4]);
  assert.deepEqual(near(two.values.y), [0.67918, 0.32082, 0.06009, 0.93991, 0.93991, 0.06009]);
  const whole = await ran(node(2, "NONE"), [3, 2], X, { type: "int64" });
  assert.deepEqual(whole.values.y, [1.25, 0.5, -0.75, 2, 0.25, -2.5]);
});

test("lists of numbers that do not fit are refused", async () => {
  await assert.rejects(ran(machine("LINEAR", { rho: [1] }), [3, 2], X), /expected 3 rho, received 1/);
  await assert.rejects(ran(machine("RBF", { coefficients: [1] }), [3, 2], X), /expected 8 coefficients, received 1/);
  await assert.rejects(
    ran(machine("RBF", { support_vectors: [1, 2, 3] }), [3, 2], X),
    /expected 8 support_vectors, received 3/,
  );
  await assert.rejects(
    ran(machine("RBF", { support_vectors: [1, 2, 3, 4] }), [3, 2], X),
    /expected 8 support_vectors, received 4/,
  );
  await assert.rejects(ran(machine("OTHER"), [3, 2], X), /expected a known kernel_type/);
});
