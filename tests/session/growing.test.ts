/** Loops whose state grows, and branches whose results differ in shape, against what they say in a few lines of JavaScript. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyNode, Graph } from "../../bindings/graph.ts";
import { loadModule, planGraph, runPasses } from "../../bindings/public/index.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, int32, node } from "../passes/graphs.ts";

const real = (name: string, shape: readonly number[], rest: Partial<Tensor> = {}): Tensor => ({
  name,
  dtype: "float32",
  shape,
  ...rest,
});
const integer = (name: string, value?: number): Tensor => ({
  name,
  dtype: "int32",
  shape: [],
  ...(value !== undefined && { data: int32(value) }),
});
const list = (name: string, ...values: number[]): Tensor => ({
  name,
  dtype: "int32",
  shape: [values.length],
  data: int32(...values),
});
const bool = (name: string): Tensor => ({ name, dtype: "bool", shape: [] });
const plus = { activation: "none" } as const;

const BELOW = graph(
  [real("v", [2, 1]), integer("i"), integer("n"), bool("more")],
  [node("less", [1, 2], [3], {})],
  [0, 1, 2],
  [3],
);

/** The list v with the sum of its places i − 2 and i − 1 behind it, along the axis; i + 1, and n. */
const body = (shape: readonly number[], axis: 0 | 1): Graph =>
  graph(
    [
      ...[real("v", shape), integer("i"), integer("n"), integer("one", 1), integer("two", 2), integer("begin")],
      ...[list("begins", 0, 0), list("sizes", ...shape), real("last", shape), list("axes", axis), real("sum", [1, 1])],
      ...[real("longer", [3, 1]), integer("after"), list("zero", 0), list("shape1", 1)],
      { name: "begin1", dtype: "int32", shape: [1] },
      { name: "places", dtype: "int32", shape: [2] },
    ],
    [
      node("sub", [1, 4], [5], plus),
      node("reshape", [5, 14], [15], { shape: [1] }),
      node("concat", axis === 0 ? [15, 13] : [13, 15], [16], { axis: 0, ...plus }),
      node("slice", [0, 16, 7], [8], {}),
      node("sum", [8, 9], [10], { keepDims: true }),
      node("concat", [0, 10], [11], { axis, ...plus }),
      node("add", [1, 3], [12], plus),
    ],
    [0, 1, 2],
    [11, 12, 2],
  );

/** [1, 1, 2, 3, 5, …]: as many as n says, two at least. */
function fibonacci(axis: 0 | 1, turns?: number, then: readonly AnyNode[] = []): Graph {
  const shape = axis === 0 ? [2, 1] : [1, 2];
  const start = new Uint8Array(Float32Array.of(1, 1).buffer);
  const tensors = [
    ...[real("v", shape, { data: start }), integer("i", 2), integer("n", turns), real("y", [2, 1])],
    ...[integer("last"), integer("n2"), list("axes", 0), real("total", [1])],
  ];
  const loop = node("while", [0, 1, 2], [3, 4, 5], { subgraphs: [], bodies: [BELOW, body(shape, axis)] });
  return graph(tensors, [loop, ...then], turns === undefined ? [2] : [], [then.length > 0 ? 7 : 3, 4]);
}

async function open(network: Graph, module: "simd" | "scalar" = "simd"): Promise<Session> {
  const kernels = await loadModule(module, undefined, "full");
  return Session.open(planGraph(runPasses(network), { module, moduleHash: kernels.hash }), kernels);
}

const expected = (count: number) => {
  const values = [1, 1];
  while (values.length < count) values.push((values.at(-1) as number) + (values.at(-2) as number));
  return Float32Array.from(values);
};

describe("a loop whose state grows", () => {
  for (const module of ["simd", "scalar"] as const)
    for (const axis of [0, 1] as const)
      test(`as often as a run says, along axis ${axis}: ${module}`, async () => {
        const session = await open(fibonacci(axis), module);
        for (const n of [7, 0, 3, 20]) {
          const { y, last } = session.run([Int32Array.of(n)]);
          assert.deepEqual(y, expected(n));
          assert.deepEqual(last, Int32Array.of(Math.max(n, 2)));
        }
        assert.throws(() => session.run([Int32Array.of(1000)]), /at most 128/);
        session.close();
      });

  test("as often as constants say: its shapes are known", async () => {
    const session = await open(fibonacci(1, 9));
    assert.deepEqual(session.outputs[0]?.shape, [1, 9]);
    assert.deepEqual(session.run([]).y, expected(9));
    session.close();
    assert.throws(() => runPasses(fibonacci(1, 1000)), /at most 128 turns/);
  });

  test("its rows go on through operators after it", async () => {
    const session = await open(fibonacci(0, undefined, [node("sum", [3, 6], [7], { keepDims: false })]));
    for (const n of [2, 8])
      assert.deepEqual(session.run([Int32Array.of(n)]).total, Float32Array.of(expected(n).reduce((a, b) => a + b)));
    session.close();
  });
});

describe("branches whose results differ in shape", () => {
  const yes = graph(
    [real("x", [3, 2]), real("twice", [6, 2])],
    [node("concat", [0, 0], [1], { axis: 0, ...plus })],
    [0],
    [1],
  );
  const first = graph(
    [real("x", [3, 2]), list("begins", 0, 0), list("sizes", 1, 2), real("row", [1, 2])],
    [node("slice", [0, 1, 2], [3], {})],
    [0],
    [3],
  );
  const network = (data?: number, no = first) =>
    graph(
      [
        { ...bool("is"), ...(data !== undefined && { data: Uint8Array.of(data) }) },
        real("x", [3, 2]),
        real("y", [6, 2]),
      ],
      [node("if", [0, 1], [2], { subgraphs: [], bodies: [yes, no] })],
      data === undefined ? [0, 1] : [1],
      [2],
    );
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);

  test("the one that a run takes", async () => {
    const session = await open(network());
    assert.deepEqual(session.run([Uint8Array.of(1), x]).y, Float32Array.of(...x, ...x));
    assert.deepEqual(session.run([Uint8Array.of(0), x]).y, x.slice(0, 2));
    session.close();
  });

  test("the one that a constant takes", async () => {
    const session = await open(network(0));
    assert.deepEqual(session.outputs[0]?.shape, [1, 2]);
    assert.deepEqual(session.run([x]).y, x.slice(0, 2));
    session.close();
  });

  test("are refused where they change variables", () => {
    const state = real("state", [1, 2], { variable: true, resource: "/state", data: new Uint8Array(8) });
    const stateful = {
      ...first,
      tensors: [...first.tensors, state],
      nodes: [...first.nodes, node("assignVariable", [4, 3], [], {})],
    };
    assert.throws(() => runPasses(network(undefined, stateful)), /change no variable/);
  });
});
