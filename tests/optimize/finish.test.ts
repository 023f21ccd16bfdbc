/** The steps that end pruning by examples alone: nearer to the dense network, zeros kept, and left out where they would not help. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, tensorOf } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { finished } from "../../bindings/optimize/prune/finish.ts";
import { settingsOf } from "../../bindings/optimize/prune/options.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";

const SIZE = 12;

/** Numbers that hang together by a few others. */
const inputs = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => {
    const random = randomOf(seed, i);
    const few = Array.from({ length: 4 }, () => 2 * random.normal());
    const of = (k: number) => few.reduce((sum, value, j) => sum + value * Math.cos(k * (j + 1) + j), random.normal());
    return [Float32Array.from({ length: SIZE }, (_, k) => of(k))];
  });
const dataOf = (all: readonly Float32Array[][]) =>
  datasetOf(
    all.map((each) => ({ inputs: each })),
    { size: all.length },
  );
const data = (count: number, seed: number) => dataOf(inputs(count, seed));

/** Larger weights than fresh ones, so that activations clip. */
function grown(graph: Graph): Graph {
  const larger = (data: Uint8Array) => new Uint8Array(new Float32Array(data.slice().buffer).map((w) => 3 * w).buffer);
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => (tensor.data ? { ...tensor, data: larger(tensor.data) } : tensor)),
  };
}

const dense = grown(freshNetwork("mlp:0.5", { shape: [1, SIZE], classes: 5, seed: 4 }));
const weights = (graph: Graph) =>
  graph.nodes
    .filter(({ kind }) => kind === "fullyConnected")
    .map(({ inputs: [, w] }) => Buffer.from(tensorOf(graph, w as never).data as Uint8Array).toString("hex"));
const zerosOf = (graph: Graph) =>
  weights(graph).map((hex) => (hex.match(/.{8}/g) ?? []).map((w) => /^0{6}[08]0$/.test(w)));

async function apart(graph: Graph, from: Graph): Promise<number> {
  const { outputs } = await evaluate(graph, data(300, 2), { against: from, layerSamples: 0 });
  return outputs?.meanError as number;
}

describe("steps that end pruning", () => {
  for (const [pattern, of] of [
    ["unstructured", dense],
    ["block", dense],
    ["2:4", dense],
  ] as const)
    test(`${pattern}: other examples come nearer to the dense network, and zeros stay`, async () => {
      const solved = await prune(of, data(256, 1), { pattern, finish: 0 });
      const ended = await prune(of, data(256, 1), { pattern });
      const [before, after] = [await apart(solved.graph, of), await apart(ended.graph, of)];
      assert.ok(after < 0.97 * before, `${before} to ${after}`);
      assert.deepEqual(zerosOf(ended.graph), zerosOf(solved.graph));
      assert.equal(ended.sparsity, solved.sparsity);
    });

  test("channels: the smaller network comes nearer", async () => {
    const [solved, ended] = [
      await prune(dense, data(256, 1), { pattern: "channels", finish: 0 }),
      await prune(dense, data(256, 1), { pattern: "channels" }),
    ];
    const [before, after] = [await apart(solved.graph, dense), await apart(ended.graph, dense)];
    assert.ok(after < 0.97 * before, `${before} to ${after}`);
  });

  test("few examples are solved alone", async () => {
    const [solved, ended] = [await prune(dense, data(100, 1), { finish: 0 }), await prune(dense, data(100, 1))];
    assert.deepEqual(weights(ended.graph), weights(solved.graph));
  });

  test("steps after which the examples that were kept back are far off are not taken", async () => {
    // Every eighth is kept back: those are of this data, all others are noise a thousand times as large.
    const far = inputs(256, 5).map((each, i) =>
      i % 8 === 7 ? each : each.map((values) => values.map((value) => 1000 * value)),
    );
    const { graph } = await prune(dense, data(256, 1), { finish: 0 });
    const settings = settingsOf({});
    const end = (all: Float32Array[][]) => finished(graph, dense, [], dataOf(all), all, settings, {});
    assert.equal(await end(far), graph);
    assert.notEqual(await end(inputs(256, 5)), graph);
  });

  test("a number of steps that is none is refused", async () => {
    await assert.rejects(prune(dense, data(9, 1), { finish: -1 }), { code: "INVALID_OPTION" });
    await assert.rejects(prune(dense, data(9, 1), { finish: 0.5 }), { code: "INVALID_OPTION" });
  });
});
