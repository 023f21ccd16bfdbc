/** Layers that share weights, as the steps of an unrolled recurrent network do: pruned and trained as one, and one in the file. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, type TensorId, tensorOf } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { floatsOf } from "../../bindings/optimize/linear/layers.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { tapGraph } from "../../bindings/optimize/tap.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { train } from "../../bindings/optimize/train/train.ts";
import { buildNetwork } from "./support/networks.ts";

const SIZE = 8;

/** Four steps of h = tanh(W·x + U·h), then a dense layer. */
function recurrent(): Graph {
  const to = buildNetwork([1, 4 * SIZE], 5);
  const [w, u] = [to.weights([12, SIZE], 0.4), to.weights([12, 12], 0.3)];
  const [b, c] = [to.weights([12]), to.weights([12])];
  const none = { activation: "none" } as const;
  const dense = (x: TensorId, weights: TensorId, bias: TensorId) =>
    to.node("fullyConnected", [x, weights, bias], { ...none, keepDims: false });
  const steps = to.nodes("split", 4, [to.integers(1), to.input], { count: 4 });
  let h = to.node("tanh", [dense(steps[0], w, b)], {});
  for (const x of steps.slice(1)) h = to.node("tanh", [to.node("add", [dense(x, w, b), dense(h, u, c)], none)], {});
  return to.graph(dense(h, to.weights([3, 12]), to.weights([3])));
}

const samples = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => {
    const random = randomOf(seed, i);
    const few = Array.from({ length: 3 }, () => random.normal());
    const of = (k: number) => few.reduce((sum, v, j) => sum + v * Math.cos(k * (j + 1) + j), 0.2 * random.normal());
    return { inputs: [Float32Array.from({ length: 4 * SIZE }, (_, k) => of(k))] };
  });
const data = (count: number, seed: number) => datasetOf(samples(count, seed), { size: count });

/** Weights by how many layers read them. */
function sharedBy(graph: Graph): readonly number[] {
  const counts = new Map<TensorId, number>();
  for (const { kind, inputs } of graph.nodes)
    if (kind === "fullyConnected") counts.set(inputs[1] as TensorId, (counts.get(inputs[1] as TensorId) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => a - b);
}

async function apart(a: Graph, b: Graph): Promise<number> {
  let [error, energy] = [0, 0];
  const taps = await Promise.all([a, b].map((graph) => tapGraph(graph, [graph.outputs[0]?.tensor as TensorId])));
  for (const { inputs } of samples(200, 9)) {
    const [found, wanted] = taps.map((tap) => (tap.run(inputs)[0] as Float32Array).slice()) as [
      Float32Array,
      Float32Array,
    ];
    for (const [i, value] of wanted.entries()) {
      error += (value - (found[i] as number)) ** 2;
      energy += value ** 2;
    }
  }
  for (const tap of taps) tap.close();
  return error / energy;
}

describe("layers that share weights", () => {
  const dense = recurrent();

  for (const finish of [0, 60])
    test(`are pruned together, with ${finish} steps at the end`, async () => {
      const { graph, layers } = await prune(dense, data(256, 1), { sparsity: 0.5, finish });
      assert.deepEqual(sharedBy(graph), [1, 3, 4]);
      assert.deepEqual(
        layers.map(({ weights }) => weights),
        [96, 144, 36],
      );
      for (const { zeros } of layers) assert.ok(zeros > 0);
      const found = await apart(graph, dense);
      assert.ok(found < (finish ? 0.02 : 0.04), `${found}`);
    });

  test("no data: the smallest weights of all", async () => {
    const { graph, layers } = await prune(dense, undefined, { sparsity: 0.5 });
    assert.deepEqual(sharedBy(graph), [1, 3, 4]);
    assert.equal(layers.length, 3);
  });

  for (const rounding of ["gptq", "adaround"] as const)
    test(`int4 by ${rounding}: rounded alike`, async () => {
      const { graph } = await quantize(dense, data(64, 1), { weights: "int4", rounding });
      assert.deepEqual(sharedBy(graph), [1, 3, 4]);
      const found = await apart(graph, dense);
      assert.ok(found < 0.02, `${found}`);
    });

  test("trained with two outputs, each in its place", async () => {
    const hidden = dense.nodes.filter(({ kind }) => kind === "tanh").at(-1)?.outputs[0] as TensorId;
    const both = { ...dense, outputs: [{ name: "hidden", tensor: hidden }, ...dense.outputs] };
    const options = { teacher: both, steps: 1, batch: 8, rate: 0, decay: 0, normalization: "none" } as const;
    const trained = await train(both, data(8, 2), options);
    assert.deepEqual(sharedBy(trained), [1, 3, 4]);
    for (const k of [0, 1]) {
      const only = (graph: Graph) => ({ ...graph, outputs: [graph.outputs[k] as Graph["outputs"][number]] });
      assert.ok((await apart(only(trained), only(both))) < 1e-9);
    }
  });

  test("a step of training moves them by the sum of their gradients", async () => {
    const rate = 1e-3;
    const given = samples(16, 2).map(({ inputs }, i) => ({
      inputs,
      targets: [Float32Array.of(Math.sin(i), Math.cos(i), 1)],
    }));
    const all = () => datasetOf(given, { size: given.length });
    const options = { objective: "values", steps: 1, batch: 16, rate, decay: 0, normalization: "none" } as const;
    const trained = await train(dense, all(), options);
    assert.deepEqual(sharedBy(trained), [1, 3, 4]);
    const lossOf = async (graph: Graph) => {
      let loss = 0;
      const tap = await tapGraph(graph, [graph.outputs[0]?.tensor as TensorId]);
      for (const { inputs, targets } of given)
        for (const [i, y] of (tap.run(inputs)[0] as Float32Array).entries())
          loss += (y - (targets[0]?.[i] as number)) ** 2;
      tap.close();
      return loss;
    };
    const idOf = (graph: Graph) =>
      graph.nodes.filter(({ kind }) => kind === "fullyConnected")[0]?.inputs[1] as TensorId;
    const [before, after] = [floatsOf(dense, idOf(dense)), floatsOf(trained, idOf(trained))];
    for (let at = 0; at < before.length; at += 7) {
      const moved = (by: number): Graph => {
        const weights = before.slice();
        weights[at] = (weights[at] as number) + by;
        const id = idOf(dense);
        const tensor = { ...tensorOf(dense, id), data: new Uint8Array(weights.buffer) };
        return { ...dense, tensors: dense.tensors.map((each, i) => (i === id ? tensor : each)) };
      };
      const slope = (await lossOf(moved(0.01))) - (await lossOf(moved(-0.01)));
      // AdamW's first step is the rate against the gradient's sign.
      const step = (after[at] as number) - (before[at] as number);
      if (Math.abs(slope) > 1e-3) assert.ok(Math.abs(step + rate * Math.sign(slope)) < 0.05 * rate, `${at}: ${step}`);
    }
  });
});
