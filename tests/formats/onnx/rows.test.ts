/** Rows that a mask chooses, as many as a run finds: what becomes of them, and values that go to their places. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GraphSpec, node, type TensorSpec } from "../build-onnx.ts";
import { runOnnx } from "../run-graph.ts";

const longs = (name: string, values: readonly number[], dims = [values.length]): TensorSpec => ({
  name,
  type: 7,
  dims,
  values,
});

/** Whole numbers from −8 to 8 that repeat late. */
const numbers = (count: number, seed: number) => Array.from({ length: count }, (_, i) => (((i + seed) * 37) % 17) - 8);

/** As PyTorch writes `x.masked_scatter(mask, values)`: the first of the values, as many as the mask has places. */
const maskedScatter = (count: number): GraphSpec => ({
  nodes: [
    node("Greater", "mask zero", "isOn"),
    node("NonZero", "isOn", "columns"),
    node("Transpose", "columns", "rows", { ints: { perm: [1, 0] } }),
    node("Reshape", "values flat", "list"),
    node("Shape", "rows", "shape"),
    node("Gather", "shape begin", "size", { int: { axis: 0 } }),
    node("Slice", "list begin size begin", "part"),
    node("ScatterND", "x rows part", "y"),
  ],
  inputs: [
    { name: "x", dims: [3, 4] },
    { name: "mask", dims: [3, 4] },
    { name: "values", dims: [count] },
  ],
  outputs: [{ name: "y" }],
  initializers: [{ name: "zero", type: 1, dims: [], values: [0] }, longs("flat", [-1]), longs("begin", [0])],
});

test("values go to the places of a mask", async () => {
  const x = numbers(12, 0);
  for (const count of [12, 5])
    for (const on of [[1, 2, 7, 11], [], [0, 5, 6, 8, 9]]) {
      const mask = x.map((_, i) => (on.includes(i) ? 1 : 0));
      const values = Array.from({ length: count }, (_, i) => 100 + i);
      const expected = x.map((value, i) => (on.includes(i) ? 100 + on.indexOf(i) : value));
      assert.deepEqual(await runOnnx(maskedScatter(count), [x, mask, values]), [expected]);
    }
});

const [SEEN, WIDTH] = [8, 5];
/** Rows whose first value is above a half, as `x[x[:, 0] > 0.5]` gives them, and what becomes of them. */
const filtered = (nodes: GraphSpec["nodes"], outputs: string): GraphSpec => ({
  nodes: [
    node("Gather", "x first", "score", { int: { axis: 1 } }),
    node("Greater", "score half", "isKept"),
    node("NonZero", "isKept", "columns"),
    node("Transpose", "columns", "rows", { ints: { perm: [1, 0] } }),
    node("GatherND", "x rows", "kept"),
    ...nodes,
  ],
  inputs: [{ name: "x", dims: [SEEN, WIDTH] }],
  outputs: outputs.split(" ").map((name) => ({ name })),
  initializers: [
    longs("first", [0], []),
    { name: "half", type: 1, dims: [], values: [0.5] },
    longs("axis1", [1]),
    longs("two", [2]),
    longs("flat", [-1]),
    longs("six", [6], []),
    longs("zero2", [0, 0]),
    longs("zero", [0]),
  ],
});
const SCORES = [9, 0, 6, -1, 8, 7, 0, 5];
const TABLE = SCORES.flatMap((score, i) => [score, ...[3, 1, 4, 2].map((v) => (v * (i + 2)) % 7)]);
const KEPT = SCORES.flatMap((score, i) => (score > 0.5 ? [TABLE.slice(i * WIDTH, (i + 1) * WIDTH)] : []));

test("rows of a computed number: their best columns, running sums, and in order", async () => {
  const nodes = [
    node("ArgMax", "kept", "best", { int: { axis: 1, keepdims: 0 } }),
    node("ReduceMax", "kept", "most", { int: { keepdims: 0 }, ints: { axes: [1] } }),
    node("CumSum", "kept one", "sums"),
    node("TopK", "kept two", "top places", { int: { axis: 1 } }),
    node("Gather", "kept first", "keys", { int: { axis: 1 } }),
    node("Shape", "keys", "size"),
    node("TopK", "keys size", "sorted order", { int: { axis: 0 } }),
    node("Unsqueeze", "order axis1", "orders"),
    node("GatherND", "kept orders", "inOrder"),
  ];
  const graph = filtered(nodes, "best most sums top inOrder");
  const initializers = [...(graph.initializers ?? []), longs("one", [1], [])];
  const byValue = (row: readonly number[]) => [...row].sort((a, b) => b - a);
  let sum = 0;
  assert.deepEqual(await runOnnx({ ...graph, initializers }, [TABLE]), [
    KEPT.map((row) => row.indexOf(Math.max(...row))),
    KEPT.map((row) => Math.max(...row)),
    KEPT.flatMap((row) => {
      sum = 0;
      return row.map((value) => {
        sum += value;
        return sum;
      });
    }),
    KEPT.flatMap((row) => byValue(row).slice(0, 2)),
    [...KEPT].sort((a, b) => (b[0] as number) - (a[0] as number)).flat(),
  ]);
});

test("rows of a computed number, filled up as PyTorch's exporters write it", async () => {
  const rest = [node("Shape", "kept", "sizes"), node("Gather", "sizes first", "count", { int: { axis: 0 } })];
  const left = [...rest, node("Sub", "six count", "left")];
  const expected = [...KEPT.flat(), ...new Array(WIDTH).fill(0)];
  const dynamo = [
    ...left,
    node("Reshape", "left flat", "left1"),
    node("Concat", "zero zero left1 zero", "pads", { int: { axis: 0 } }),
    node("Pad", "kept pads", "y"),
  ];
  assert.deepEqual(await runOnnx(filtered(dynamo, "y"), [TABLE]), [expected]);
  const script = [
    ...left,
    node("Unsqueeze", "left zero", "left1"),
    node("Concat", "zero zero zero left1", "ends", { int: { axis: 0 } }),
    node("Reshape", "ends pairs", "turned"),
    node("Slice", "turned last least zero last", "upside"),
    node("Transpose", "upside", "sides", { ints: { perm: [1, 0] } }),
    node("Reshape", "sides flat", "pads"),
    node("Pad", "kept pads", "y"),
  ];
  const graph = filtered(script, "y");
  const initializers = [
    ...(graph.initializers ?? []),
    longs("pairs", [-1, 2]),
    longs("last", [-1]),
    longs("least", [-(2 ** 31)]),
  ];
  assert.deepEqual(await runOnnx({ ...graph, initializers }, [TABLE]), [expected]);
});

test("values expanded to as many as a mask has", async () => {
  // x[mask] = value, a row of values for each row of the mask
  const put: GraphSpec = {
    nodes: [
      node("Greater", "mask half", "isOn"),
      node("Unsqueeze", "isOn last", "isOn2"),
      node("Expand", "isOn2 sizes", "all"),
      node("NonZero", "all", "found"),
      node("Transpose", "found", "rows", { ints: { perm: [1, 0] } }),
      node("Cast", "isOn", "ones", { int: { to: 7 } }),
      node("ReduceSum", "ones", "count", { int: { keepdims: 1 } }),
      node("Concat", "count width", "wanted", { int: { axis: 0 } }),
      node("Expand", "value wanted", "values"),
      node("Reshape", "values last", "list"),
      node("ScatterND", "x rows list", "y"),
    ],
    inputs: [
      { name: "x", dims: [3, 2] },
      { name: "mask", dims: [3] },
      { name: "value", dims: [2] },
    ],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "half", type: 1, dims: [], values: [0.5] },
      longs("last", [-1]),
      longs("sizes", [3, 2]),
      longs("width", [2]),
    ],
  };
  assert.deepEqual(
    await runOnnx(put, [
      [1, 2, 3, 4, 5, 6],
      [1, 0, 1],
      [8, 9],
    ]),
    [[8, 9, 3, 4, 8, 9]],
  );
});
