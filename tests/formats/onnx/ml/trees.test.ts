/** Ensembles of trees of ai.onnx.ml; expected values are those of onnxruntime 1.32. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TensorSpec } from "../../build-onnx.ts";
import { type Given, near, ran } from "./running.ts";

/** Rows of two features. */
const X = [0, 1, 0, 1.5, 0.5, 2, 0.5, 3, Number.NaN, Number.NaN];

/** Two trees: one of two tests and three leaves, one of a test and two leaves. */
const NODES = {
  nodes_treeids: [0, 0, 0, 0, 0, 1, 1, 1],
  nodes_nodeids: [0, 1, 2, 3, 4, 0, 1, 2],
  nodes_featureids: [0, 1, 0, 0, 0, 1, 0, 0],
  nodes_truenodeids: [1, 3, 0, 0, 0, 1, 0, 0],
  nodes_falsenodeids: [2, 4, 0, 0, 0, 2, 0, 0],
};
const VALUES = [0, 1, 0, 0, 0, 2, 0, 0];
const LEAVES = { treeids: [0, 0, 0, 1, 1], nodeids: [2, 3, 4, 1, 2] };

const modes = (a: string, b = a, c = a) => [a, b, "LEAF", "LEAF", "LEAF", c, "LEAF", "LEAF"];

const under = (prefix: string, lists: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(Object.entries(lists).map(([name, list]) => [`${prefix}_${name}`, list]));

/** A regression of the trees whose leaves have these targets. */
function regressor(
  tests: readonly string[],
  ids: readonly number[] = [0, 0, 0, 0, 0],
  rest: Partial<Given> = {},
): Given {
  return {
    operator: "TreeEnsembleRegressor",
    strings: { nodes_modes: tests },
    ...rest,
    ints: { ...NODES, ...under("target", { ...LEAVES, ids }), ...rest.ints },
    floats: { nodes_values: VALUES, target_weights: [1, 2, 4, 8, 16], ...rest.floats },
  };
}

/** A classification of them. */
function classifier(
  ids: readonly number[],
  weights: readonly number[],
  labels: readonly number[],
  rest: Partial<Given> = {},
): Given {
  return {
    operator: "TreeEnsembleClassifier",
    outputs: "l y",
    strings: { nodes_modes: modes("BRANCH_LEQ") },
    ...rest,
    ints: { ...NODES, ...under("class", { ...LEAVES, ids }), classlabels_int64s: labels },
    floats: { nodes_values: VALUES, class_weights: weights, ...rest.floats },
  };
}

test("each test of TreeEnsembleRegressor, also of NaN", async () => {
  const expected = {
    BRANCH_LEQ: [10, 12, 9, 17, 17],
    BRANCH_LT: [9, 9, 17, 17, 17],
    BRANCH_GTE: [18, 18, 10, 10, 17],
    BRANCH_GT: [17, 17, 18, 10, 17],
    BRANCH_EQ: [18, 20, 9, 17, 17],
    BRANCH_NEQ: [9, 9, 18, 10, 10],
  };
  for (const [mode, y] of Object.entries(expected))
    assert.deepEqual((await ran(regressor(modes(mode)), [5, 2], X)).values.y, y, mode);
});

test("tests of several kinds; NaN is true where a node says so", async () => {
  const missing = { nodes_missing_value_tracks_true: [1, 0, 0, 0, 0, 1, 0, 0] };
  const node = regressor(modes("BRANCH_LEQ", "BRANCH_GT", "BRANCH_EQ"), undefined, { ints: missing });
  const { values, shapes } = await ran(node, [5, 2], X);
  assert.deepEqual(values.y, [20, 18, 9, 17, 12]);
  assert.deepEqual(shapes.y, [5, 1]);
});

test("the mean, least and greatest of trees, and base values", async () => {
  const expected = {
    AVERAGE: [105, 106, 104.5, 108.5, 108.5],
    MIN: [102, 104, 101, 101, 101],
    MAX: [108, 108, 108, 116, 116],
  };
  for (const [name, y] of Object.entries(expected)) {
    const rest = { string: { aggregate_function: name }, floats: { base_values: [100] } };
    assert.deepEqual((await ran(regressor(modes("BRANCH_LEQ"), undefined, rest), [5, 2], X)).values.y, y, name);
  }
});

test("of several targets those that no leaf gave a score have no base either", async () => {
  const expected = {
    SUM: [0, 210, 104, 208, 101, 208, 101, 216, 101, 216],
    MIN: [0, 202, 104, 208, 101, 208, 101, 216, 101, 216],
  };
  for (const [name, y] of Object.entries(expected)) {
    const rest = { int: { n_targets: 2 }, string: { aggregate_function: name }, floats: { base_values: [100, 200] } };
    const { values, shapes } = await ran(regressor(modes("BRANCH_LEQ"), [0, 1, 0, 1, 1], rest), [5, 2], X);
    assert.deepEqual(values.y, y, name);
    assert.deepEqual(shapes.y, [5, 2]);
  }
});

test("a score for both of two classes: chances by one half, others by their sign", async () => {
  const ids = [0, 0, 0, 0, 0];
  const chances = await ran(classifier(ids, [0.125, 0.25, 0.375, 0.125, 0.25], [7, 9]), [5, 2], X);
  assert.deepEqual(chances.values.l, [7, 7, 7, 7, 7]);
  assert.deepEqual(chances.values.y, [0.625, 0.375, 0.5, 0.5, 0.75, 0.25, 0.625, 0.375, 0.625, 0.375]);
  const weights = [-1, 0.5, 2, 0.25, -0.5];
  const logistic = { string: { post_transform: "LOGISTIC" } };
  const signed = await ran(classifier(ids, weights, [7, 9], logistic), [5, 2], X);
  assert.deepEqual(signed.values.l, [9, 9, 7, 7, 7]);
  assert.deepEqual(near(signed.values.y?.slice(0, 4)), [0.32082, 0.67918, 0.09535, 0.90465]);
  const base = await ran(classifier(ids, weights, [7, 9], { floats: { base_values: [0.5] } }), [5, 2], X);
  assert.deepEqual(base.values.y, [-1.25, 1.25, -2.75, 2.75, 0.25, -0.25, 1, -1, 1, -1]);
});

test("two classes with scores of their own, and three of which some have none", async () => {
  const weights = [0.25, 0.5, 0.75, 0.25, 0.5];
  const two = await ran(classifier([0, 1, 0, 1, 1], weights, [7, 9]), [5, 2], X);
  assert.deepEqual(two.values.l, [1, 1, 1, 1, 1]);
  assert.deepEqual(two.values.y, [0, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25, 0.5, 0.25, 0.5]);
  const three = await ran(classifier([0, 1, 2, 1, 2], weights, [7, 9, 11]), [5, 2], X);
  assert.deepEqual(three.values.l, [9, 11, 7, 11, 11]);
  assert.deepEqual(three.types, { l: "int64", y: "float32" });
  assert.deepEqual(three.values.y?.slice(0, 6), [0, 0.75, 0, 0, 0.25, 0.75]);
  const negative = weights.map((weight) => -weight);
  const softmax = { string: { post_transform: "SOFTMAX" } };
  const below = await ran(classifier([0, 1, 2, 1, 2], negative, [7, 9, 11], softmax), [5, 2], X);
  assert.deepEqual(below.values.l, [9, 9, 7, 7, 7]);
  assert.deepEqual(near(below.values.y?.slice(0, 3)), [0.40447, 0.19106, 0.40447]);
});

const doubles = (name: string, values: readonly number[]): TensorSpec => {
  const raw = new Uint8Array(Float64Array.from(values).buffer);
  return { name, dims: [values.length], type: 11, raw };
};

test("float64 is compared in all its bits", async () => {
  const node: Given = {
    operator: "TreeEnsembleRegressor",
    strings: { nodes_modes: ["BRANCH_LEQ", "BRANCH_GTE", "LEAF", "LEAF", "LEAF"] },
    ints: {
      nodes_treeids: [0, 0, 0, 0, 0],
      nodes_nodeids: [0, 1, 2, 3, 4],
      nodes_featureids: [0, 0, 0, 0, 0],
      nodes_truenodeids: [1, 3, 0, 0, 0],
      nodes_falsenodeids: [2, 4, 0, 0, 0],
      ...under("target", { treeids: [0, 0, 0], nodeids: [2, 3, 4], ids: [0, 0, 0] }),
    },
    tensor: {
      nodes_values_as_tensor: doubles("v", [0.1, 0, 0, 0, 0]),
      target_weights_as_tensor: doubles("w", [1, 2, 4]),
    },
  };
  const x = [0.1, 0.1 + 2 ** -56, 0.1 + 2 ** -53, -0, 0, Number.NaN, -Number.MIN_VALUE];
  const { values, types } = await ran(node, [7, 1], x, { type: "float64" });
  assert.deepEqual(values.y, [2, 1, 1, 2, 2, 1, 4]);
  assert.equal(types.y, "float32");
});

test("TreeEnsemble: leaves in lists of their own, membership", async () => {
  const floats = (name: string, values: readonly number[]): TensorSpec => ({
    name,
    dims: [values.length],
    type: 1,
    values,
  });
  const node: Given = {
    operator: "TreeEnsemble",
    int: { n_targets: 2, aggregate_function: 1 },
    ints: {
      nodes_featureids: [0, 1],
      nodes_truenodeids: [1, 0],
      nodes_trueleafs: [0, 1],
      nodes_falsenodeids: [2, 1],
      nodes_falseleafs: [1, 1],
      leaf_targetids: [0, 1, 0],
      tree_roots: [0],
    },
    tensor: {
      nodes_modes: { name: "m", dims: [2], type: 2, raw: Uint8Array.of(0, 6) },
      nodes_splits: floats("s", [0.5, 0]),
      leaf_weights: floats("w", [1, 2, 4]),
      membership_values: floats("v", [1.5, 3, Number.NaN]),
    },
  };
  const { values } = await ran(node, [5, 2], X, { version: 5 });
  assert.deepEqual(values.y, [0, 2, 1, 0, 0, 2, 1, 0, 4, 0]);
});

test("labels that are strings may be left aside, and are no output", async () => {
  const { ints, ...rest } = classifier([0, 1, 2, 1, 2], [1, 2, 3, 4, 5], []);
  const { classlabels_int64s: _, ...others } = ints ?? {};
  const strings = { nodes_modes: modes("BRANCH_LEQ"), classlabels_strings: ["a", "b", "c"] };
  const node = { ...rest, ints: others, strings };
  await assert.rejects(ran(node, [5, 2], X), /expected labels that are numbers, received strings/);
});

test("attributes that contradict each other are refused", async () => {
  const with_ = (ints: Readonly<Record<string, readonly number[]>>) =>
    ran(regressor(modes("BRANCH_LEQ"), undefined, { ints }), [5, 2], X);
  await assert.rejects(with_({ nodes_nodeids: [0, 1] }), /expected 8 nodes_nodeids, received 2/);
  await assert.rejects(with_({ nodes_truenodeids: [1, 9, 0, 0, 0, 1, 0, 0] }), /received node 9 of tree 0/);
  await assert.rejects(with_({ nodes_truenodeids: [1, 0, 0, 0, 0, 1, 0, 0] }), /nodes in a circle/);
  await assert.rejects(with_({ nodes_truenodeids: [1, 1, 0, 0, 0, 1, 0, 0] }), /nodes in a circle/);
  await assert.rejects(
    with_({ nodes_featureids: [2, 1, 0, 0, 0, 1, 0, 0] }),
    /expected features from 0 to 1, received 2/,
  );
  await assert.rejects(with_({ target_ids: [0, 0, 0, 0, 1] }), /expected targets from 0 to 0, received 1/);
  await assert.rejects(with_({ target_nodeids: [2, 3, 3, 1, 2] }), /expected a weight for each leaf/);
  await assert.rejects(ran(regressor(modes("BRANCH_LIKE")), [5, 2], X), /expected a known test, received BRANCH_LIKE/);
});
