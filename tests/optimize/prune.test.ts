/** Pruning: patterns, budgets, and what a small network computes afterwards. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { tapGraph } from "../../bindings/optimize/tap.ts";
import { numbers } from "./support/numbers.ts";

const at = (array: ArrayLike<number>, i: number) => array[i] as number;

/** dense 12 → 16 relu, 16 → 9, on [1,12]. */
function network(dtype: "float32" | "int8" = "float32"): Graph {
  const next = numbers(99);
  const constant = (name: string, shape: number[]) => {
    const data = Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, next);
    return { name, dtype: "float32" as const, shape, data: new Uint8Array(data.buffer) };
  };
  const value = (name: string) => ({ name, dtype: "float32" as const, shape: [] });
  const dense = (inputs: number[], outputs: number[], activation: string, where: string) =>
    ({ kind: "fullyConnected", where, inputs, outputs, attributes: { activation, keepDims: false } }) as never;
  const tensors = [
    { name: "x", dtype: "float32" as const, shape: [1, 12] },
    ...[constant("w1", [16, 12]), constant("b1", [16]), value("h"), constant("w2", [9, 16]), value("y")],
  ];
  const graph: Graph = {
    name: "small",
    tensors,
    nodes: [dense([0, 1, 2], [3], "relu", "node 0"), dense([3, 4], [5], "none", "node 1")],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 5 as TensorId }],
    subgraphs: [],
  };
  if (dtype === "float32") return graph;
  const quantization = { scale: [0.1], zeroPoint: [0], axis: 0 };
  const integer = tensors.map((tensor) => {
    const data = "data" in tensor && tensor.name !== "b1" ? new Uint8Array(tensor.data.length / 4).fill(3) : undefined;
    const bias = tensor.name === "b1";
    return {
      name: tensor.name,
      shape: tensor.shape,
      quantization,
      ...(bias ? { dtype: "int32" as const, data: new Uint8Array(64) } : { dtype: "int8" as const }),
      ...(data ? { data } : {}),
    };
  });
  return { ...graph, tensors: integer };
}

/** Examples whose inputs hang together. */
function examples(count: number, length = 12): AsyncIterable<Sample> & { readonly list: readonly Sample[] } {
  const next = numbers(7);
  const list = Array.from({ length: count }, () => {
    const [p, q] = [next(), next()];
    return { inputs: [Float32Array.from({ length }, (_, i) => 0.3 * next() + (i % 2 ? p : q))] };
  });
  return {
    list,
    async *[Symbol.asyncIterator]() {
      yield* list;
    },
  };
}

async function outputs(graph: Graph, { list }: { readonly list: readonly Sample[] }): Promise<readonly number[]> {
  const tap = await tapGraph(graph, [graph.outputs[0]?.tensor as TensorId]);
  const all = list.flatMap(({ inputs }) => [...(tap.run(inputs)[0] as Float32Array)]);
  tap.close();
  return all;
}

function floats(graph: Graph, name: string): Float32Array {
  const data = graph.tensors.find((tensor) => tensor.name === name)?.data ?? new Uint8Array(0);
  return new Float32Array(data.slice().buffer);
}

/** Squared error by variance. */
async function relativeError(graph: Graph, data: ReturnType<typeof examples>): Promise<number> {
  const [is, should] = [await outputs(graph, data), await outputs(network(), data)];
  const mean = should.reduce((sum, y) => sum + y, 0) / should.length;
  const error = is.reduce((sum, y, i) => sum + (y - at(should, i)) ** 2, 0);
  return error / should.reduce((sum, y) => sum + (y - mean) ** 2, 0);
}

describe("prune", () => {
  test("as many zeros as asked for, in any pattern, the same each time; the graph that was given stays as it is", async () => {
    const data = examples(200);
    const given = network();
    const before = floats(given, "w1").slice();
    for (const [pattern, sparsity, tolerance] of [
      ["unstructured", 0.6, 1],
      ["block", 0.4, 32],
      ["2:4", 0.5, 0],
    ] as const) {
      const result = await prune(given, data, { pattern, sparsity });
      const [w1, w2] = [floats(result.graph, "w1"), floats(result.graph, "w2")];
      const zeros = [...w1, ...w2].filter((w) => w === 0).length;
      assert.ok(Math.abs(zeros - sparsity * 336) <= tolerance, `${pattern}: ${zeros}`);
      assert.equal(result.sparsity, zeros / 336);
      assert.equal(result.samples, 200);
      assert.deepEqual(floats((await prune(given, data, { pattern, sparsity })).graph, "w1"), w1);
      for (const [w, inputs] of [
        [w1, 12],
        [w2, 16],
      ] as const)
        for (let i = 0; i < w.length; i += 4) {
          const four = [0, 1, 2, 3].map((j) => (at(w, i + j) === 0 ? 1 : 0));
          const count = four.reduce<number>((sum, zero) => sum + zero, 0);
          if (pattern === "2:4") assert.equal(count, 2);
          // A block's eight outputs have the same zeros, four by four.
          if (pattern === "block" && Math.floor(i / inputs) % 8 === 0) {
            assert.ok(count === 0 || count === 4);
            const rows = Math.min(8, w.length / inputs - i / inputs);
            for (let r = 0; r < rows; r++) assert.equal(at(w, i + r * inputs) === 0, count === 4);
          }
        }
    }
    assert.deepEqual(floats(given, "w1"), before);
  });

  test("least squares makes up for what is gone: far less error than the smallest weights leave", async () => {
    const data = examples(300);
    const least = await relativeError((await prune(network(), data, { sparsity: 0.5 })).graph, data);
    const magnitude = await relativeError((await prune(network(), undefined, { sparsity: 0.5 })).graph, data);
    const uniform = await relativeError(
      (await prune(network(), data, { sparsity: 0.5, allocation: "uniform" })).graph,
      data,
    );
    assert.ok(least < 0.04, `${least}`);
    assert.ok(magnitude > 3 * least, `${magnitude} ${least}`);
    assert.ok(uniform < 0.05, `${uniform}`);
  });

  test("without data what stays is as it was", async () => {
    const { graph, samples } = await prune(network(), undefined, { sparsity: 0.3 });
    const [w, dense] = [floats(graph, "w1"), floats(network(), "w1")];
    assert.ok(w.some((each) => each === 0));
    for (const [i, each] of w.entries()) assert.ok(each === 0 || each === at(dense, i));
    assert.equal(samples, 0);
  });

  test("one example is enough to run, and inputs that never fire are harmless", async () => {
    const one = {
      list: [{ inputs: [new Float32Array(12)] }],
      async *[Symbol.asyncIterator]() {
        yield* this.list;
      },
    };
    const { graph } = await prune(network(), one, { sparsity: 0.5 });
    for (const y of await outputs(graph, one)) assert.ok(Number.isFinite(y));
    const inputs = (i: number) => [Float32Array.from({ length: 12 }, (_, k) => (k === 0 ? i / 33 : 0.1))];
    const still = { ...one, list: Array.from({ length: 33 }, (_, i) => ({ inputs: inputs(i) })) };
    const constant = await prune(network(), still, { sparsity: 0.5 });
    const [dense, found] = [await outputs(network(), one), await outputs(constant.graph, one)];
    for (const y of [...dense, ...found]) assert.ok(Number.isFinite(y));
  });

  test("tuned towards the dense network: zeros stay, and the error falls", async () => {
    const data = examples(100);
    const pruned = await prune(network(), data, { sparsity: 0.7 });
    const tune = { steps: 150, batch: 50, threads: 1 };
    const tuned = await prune(network(), data, { sparsity: 0.7, tune });
    for (const name of ["w1", "w2"]) {
      const [before, after] = [floats(pruned.graph, name), floats(tuned.graph, name)];
      assert.ok(
        after.every((w, i) => (w === 0) === (at(before, i) === 0)),
        name,
      );
    }
    const [least, trained] = [await relativeError(pruned.graph, data), await relativeError(tuned.graph, data)];
    assert.ok(trained < least, `${trained} ${least}`);
  });

  test("in several cuts, trained between them: as many zeros as in one", async () => {
    const data = examples(100);
    const tune = { steps: 80, batch: 50, threads: 1 };
    for (const [pattern, sparsity] of [
      ["unstructured", 0.7],
      ["2:4", 0.5],
    ] as const) {
      const { graph, sparsity: found } = await prune(network(), data, { pattern, sparsity, tune, cuts: 3 });
      const zeros = [...floats(graph, "w1"), ...floats(graph, "w2")].filter((w) => w === 0).length;
      assert.ok(Math.abs(zeros - sparsity * 336) <= 1, `${zeros}`);
      assert.equal(found, zeros / 336);
      assert.ok((await relativeError(graph, data)) < 0.2);
    }
  });

  test("progress tells phases; a signal ends the work with its reason", async () => {
    const phases = new Set<string>();
    await prune(network(), examples(20), { onProgress: ({ phase }) => phases.add(phase) });
    assert.deepEqual([...phases], ["read", "measure", "eliminate", "solve"]);
    const reason = new Error("enough");
    await assert.rejects(prune(network(), examples(20), { signal: AbortSignal.abort(reason) }), reason);
  });

  const nan = {
    async *[Symbol.asyncIterator]() {
      yield { inputs: [new Float32Array(12).fill(Number.NaN)] };
    },
  };
  const refusals: readonly [string, Parameters<typeof prune>, string, RegExp][] = [
    ["no examples", [network(), examples(0)], "INVALID_INPUT", /at least one example/],
    ["another size", [network(), examples(3, 11)], "INVALID_INPUT", /expected 12 numbers .*received 11/],
    ["not finite", [network(), nan], "INVALID_INPUT", /finite/],
    ["a quantized model", [network("int8"), examples(3)], "INVALID_GRAPH", /float/],
    ["all weights", [network(), undefined, { sparsity: 1 }], "INVALID_OPTION", /above 0 and below 1/],
    ["70 % of 2:4", [network(), undefined, { sparsity: 0.7, pattern: "2:4" }], "INVALID_OPTION", /0.5/],
    ["no such pattern", [network(), undefined, { pattern: "4:8" as never }], "INVALID_OPTION", /2:4/],
    ["tuning without data", [network(), undefined, { tune: {} }], "INVALID_OPTION", /tune/],
    ["no cuts", [network(), undefined, { cuts: 0 }], "INVALID_OPTION", /cuts/],
    ["no samples", [network(), examples(3), { samples: 0 }], "INVALID_OPTION", /samples/],
  ];
  for (const [name, given, code, message] of refusals)
    test(`refused: ${name}`, () => assert.rejects(prune(...given), { name: "Pint8Error", code, message }));
});
