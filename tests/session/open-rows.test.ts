/** Parts of open rows, softmax of them, and rows of which several tensors have as many, against JavaScript's own arrays. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyNode, Attributes } from "../../bindings/graph.ts";
import { loadModule, planGraph, runPasses } from "../../bindings/public/index.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor, TypedArray } from "../../bindings/tensor.ts";
import { graph, int32, node } from "../passes/graphs.ts";

const plain = (name: string, dtype: Tensor["dtype"], shape: readonly number[], data?: Uint8Array): Tensor => ({
  name,
  dtype,
  shape,
  ...(data && { data }),
});
const list = (...values: number[]) => plain("", "int32", [values.length], int32(...values));

async function open(tensors: readonly Tensor[], nodes: readonly AnyNode[], inputs: readonly number[], output: number) {
  const kernels = await loadModule("scalar", undefined, "full");
  const passed = runPasses(graph(tensors, nodes, inputs, [output]));
  const session = await Session.open(planGraph(passed, { module: "scalar", moduleHash: kernels.hash }), kernels);
  return (...given: TypedArray[]) => Object.values(session.run(given))[0] as TypedArray;
}

/** The rows of x whose condition holds, in tensor 3. */
const KEPT = [
  node("where", [1], [2], {}),
  node("reshape", [2, 5], [4], { shape: [-1] }),
  node("gather", [0, 4], [3], { axis: 0, batchDims: 0 }),
];
const keptOf = (inner: readonly number[]) => [
  plain("x", "float32", [6, ...inner]),
  plain("is", "bool", [6]),
  plain("places", "int64", [6, 1]),
  plain("kept", "float32", [6, ...inner]),
  plain("flat", "int64", [6]),
  list(-1),
];
const MASKS = [
  [1, 0, 1, 1, 0, 1],
  [1, 1, 1, 1, 1, 1],
  [0, 0, 0, 0, 1, 0],
  [0, 0, 0, 0, 0, 0],
].map((mask) => Uint8Array.from(mask));
const X = Float32Array.of(5, -3, 2, 8, 0.5, 1);
const kept = (x: Float32Array, mask: Uint8Array) => x.filter((_, i) => mask[Math.floor((i * 6) / x.length)] === 1);

const NO_MASKS = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
const slice = (masks: Partial<Attributes["stridedSlice"]>) =>
  node("stridedSlice", [3, 6, 7, 8], [9], { ...NO_MASKS, ...masks });

describe("parts of open rows", () => {
  for (const [name, begin, end, masks] of [
    ["the rest", 1, 0, { endMask: 1 }],
    ["the first", 0, 2, { beginMask: 1 }],
    ["the last", -2, 0, { endMask: 1 }],
    ["all but the last", 0, -1, {}],
    ["within", 1, 3, {}],
    ["the other way", 3, 1, {}],
  ] as const)
    test(name, async () => {
      const tensors = [...keptOf([]), list(begin), list(end), list(1), plain("y", "float32", [1])];
      const run = await open(tensors, [...KEPT, slice(masks)], [0, 1], 9);
      for (const mask of MASKS) {
        const last = "endMask" in masks ? undefined : end;
        assert.deepEqual(run(X, mask), kept(X, mask).slice(begin, last));
      }
    });

  test("one row, from the front and from the back", async () => {
    for (const [at, wanted] of [
      [0, 0],
      [-1, 3],
      [-2, 2],
    ] as const) {
      const tensors = [...keptOf([]), list(at), list(at + 1), list(1), plain("y", "float32", [])];
      const run = await open(tensors, [...KEPT, slice({ shrinkAxisMask: 1 })], [0, 1], 9);
      assert.deepEqual(run(X, MASKS[0] as Uint8Array), Float32Array.of([5, 2, 8, 1][wanted] as number));
    }
  });

  test("of each row a part, too, and a computed end", async () => {
    const wide = Float32Array.from({ length: 18 }, (_, i) => i);
    const tensors = [...keptOf([3]), list(1, 1), plain("end", "int32", [2]), list(1, 1), plain("y", "float32", [1, 2])];
    const run = await open(tensors, [...KEPT, slice({ endMask: 2 })], [0, 1, 7], 9);
    assert.deepEqual(run(wide, MASKS[0] as Uint8Array, Int32Array.of(3, 0)), Float32Array.of(7, 8, 10, 11));
    assert.deepEqual(run(wide, MASKS[1] as Uint8Array, Int32Array.of(-4, 0)), Float32Array.of(4, 5));
  });
});

test("softmax of a vector of open length", async () => {
  const run = await open(
    [...keptOf([]), plain("y", "float32", [6])],
    [...KEPT, node("softmax", [3], [6], { beta: 1 })],
    [0, 1],
    6,
  );
  for (const mask of MASKS) {
    const powers = Array.from(kept(X, mask), (value) => Math.exp(value - 8));
    const sum = powers.reduce((a, b) => a + b, 0);
    const found = run(X, mask) as Float32Array;
    assert.equal(found.length, powers.length);
    for (const [i, value] of powers.entries()) assert.ok(Math.abs((found[i] as number) - value / sum) < 1e-6);
  }
});

test("places in rows that are open themselves", async () => {
  const run = await open(
    [
      ...keptOf([]),
      plain("zero", "float32", [], new Uint8Array(4)),
      plain("more", "bool", [6]),
      plain("y", "int64", [6, 1]),
    ],
    [...KEPT, node("greater", [3, 6], [7], {}), node("where", [7], [8], {})],
    [0, 1],
    8,
  );
  assert.deepEqual(run(X, MASKS[1] as Uint8Array), BigInt64Array.of(0n, 2n, 3n, 4n, 5n));
  assert.deepEqual(run(X, MASKS[0] as Uint8Array), BigInt64Array.of(0n, 1n, 2n, 3n));
  assert.deepEqual(run(X, MASKS[3] as Uint8Array), new BigInt64Array(0));
});

test("the mean of segments, as many as a run says: both sums have as many rows", async () => {
  const ones = new Uint8Array(Float32Array.from({ length: 5 }, () => 1).buffer);
  const run = await open(
    [
      ...[plain("x", "float32", [5, 2]), plain("ids", "int32", [5]), plain("n", "int32", [])],
      ...[plain("sums", "float32", [1, 2]), plain("ones", "float32", [5, 1], ones), plain("counts", "float32", [1, 1])],
      ...[
        plain("one", "float32", [], ones.slice(0, 4)),
        plain("most", "float32", [1, 1]),
        plain("y", "float32", [1, 2]),
      ],
    ],
    [
      node("unsortedSegmentSum", [4, 1, 2], [5], {}),
      node("maximum", [5, 6], [7], {}),
      node("unsortedSegmentSum", [0, 1, 2], [3], {}),
      node("div", [3, 7], [8], { activation: "none" }),
    ],
    [0, 1, 2],
    8,
  );
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const ids = Int32Array.of(0, 2, 0, 2, 1);
  assert.deepEqual(run(x, ids, Int32Array.of(4)), Float32Array.of(3, 4, 9, 10, 5, 6, 0, 0));
  assert.deepEqual(run(x, ids, Int32Array.of(1)), Float32Array.of(3, 4));
  assert.throws(() => run(x, ids, Int32Array.of(2 ** 20)), /at most 65536/);
});

test("each row again and again, as often as a run says", async () => {
  const run = await open(
    [
      ...[plain("x", "float32", [3, 1, 2]), plain("n", "int32", []), list(1), list(1), plain("times", "int32", [3])],
      ...[plain("n1", "int32", [1]), plain("tiled", "float32", [1, 1, 1]), list(-1, 2), plain("y", "float32", [1, 2])],
    ],
    [
      node("reshape", [1, 2], [5], { shape: [1] }),
      node("concat", [2, 5, 3], [4], { axis: 0, activation: "none" }),
      node("tile", [0, 4], [6], {}),
      node("reshape", [6, 7], [8], { shape: [-1, 2] }),
    ],
    [0, 1],
    8,
  );
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);
  assert.deepEqual(run(x, Int32Array.of(2)), Float32Array.of(1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6));
  assert.deepEqual(run(x, Int32Array.of(0)), new Float32Array(0));
  assert.throws(() => run(x, Int32Array.of(2 ** 15)), /at most/);
});
