/** Pruning under a bound of time: choices against all there are, and what cannot be asked for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { layersOf as layersOfGraph } from "../../bindings/optimize/linear/layers.ts";
import { type Choice, cheapest } from "../../bindings/optimize/prune/latency/budget.ts";
import { int8Times } from "../../bindings/optimize/prune/latency/times.ts";
import { settingsOf } from "../../bindings/optimize/prune/options.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { withSolutions } from "../../bindings/optimize/prune/rewrite.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { dataset, digits, model, skip } from "./support/digits.ts";

/** Layers of choices that cost more the more they save. */
function layersOf(seed: number): readonly (readonly Choice[])[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: 5 }, () => {
    let [saves, cost] = [0, 0];
    return Array.from({ length: 4 }, (_, i) => {
      if (i > 0) [saves, cost] = [saves + next() - 0.1, cost + next()];
      return { saves, cost };
    });
  });
}

const sums = (layers: readonly (readonly Choice[])[], chosen: readonly number[]) => ({
  saves: layers.reduce((sum, choices, i) => sum + (choices[chosen[i] as number] as Choice).saves, 0),
  cost: layers.reduce((sum, choices, i) => sum + (choices[chosen[i] as number] as Choice).cost, 0),
});

describe("choices by cost and time saved", () => {
  for (const seed of [1, 2, 3, 4])
    test(`as cheap as the best of all ${4 ** 5}, seed ${seed}`, () => {
      const layers = layersOf(seed);
      for (const wanted of [0.3, 1, 2]) {
        let least = Infinity;
        for (let code = 0; code < 4 ** 5; code++) {
          const all = sums(
            layers,
            layers.map((_, i) => (code >> (2 * i)) & 3),
          );
          if (all.saves >= wanted * 1.005) least = Math.min(least, all.cost);
        }
        const { saves, cost } = sums(layers, cheapest(layers, wanted));
        assert.ok(saves >= wanted * 0.99, `${saves} of ${wanted}`);
        assert.ok(cost <= least + 1e-9, `${cost}, best ${least}`);
      }
    });

  test("what cannot be saved gets all that can; nothing wanted costs nothing", () => {
    const layers = layersOf(7);
    const most = layers.reduce((sum, choices) => sum + Math.max(...choices.map(({ saves }) => saves)), 0);
    assert.equal(sums(layers, cheapest(layers, 100)).saves, most);
    assert.deepEqual(cheapest(layers, 0), [0, 0, 0, 0, 0]);
  });
});

describe("a bound of time", () => {
  test("is a bound, of patterns that save time, in place of a sparsity", () => {
    assert.equal(settingsOf({ latency: 80, pattern: "block" }).latency, 80);
    assert.throws(() => settingsOf({ latency: 80, sparsity: 0.5 }), /a bound of time or a sparsity/);
    assert.throws(() => settingsOf({ latency: 120 }), /latency: expected per cent/);
    for (const pattern of ["channels", "2:4"] as const)
      assert.throws(() => settingsOf({ latency: 80, pattern }), /unstructured or block/);
  });

  test("is reported with what was reached", { skip }, async () => {
    const graph = model("digits_f32.tflite");
    const few = dataset(digits(0, 16));
    const { latency, layers } = await prune(graph, few, { latency: 1, pattern: "block" });
    assert.equal(latency?.most, 1);
    assert.equal(latency?.met, false, "hardly any time at all: not to be had");
    assert.ok(latency.reached > 1 && latency.reached < 200);
    assert.ok(layers.some(({ zeros, weights }) => zeros > weights / 2));
    const [once, again] = await int8Times([graph, graph]);
    assert.ok((once as number) > 0 && (again as number) < Infinity);
  });

  test("networks with a layer that zeros have silenced are timed too", { skip }, async () => {
    const graph = model("digits_f32.tflite");
    const [layer] = layersOfGraph(graph);
    assert.ok(layer);
    const [weights, bias] = [new Float64Array(layer.outputs * layer.inputs), new Float64Array(layer.outputs).fill(-1)];
    const silent = withSolutions(graph, [[layer, { weights, bias }]]);
    await assert.rejects(quantize(silent, dataset(digits(0, 4)), {}), /never fires|outputs other than 0/);
    const [time] = await int8Times([silent]);
    assert.ok((time as number) > 0 && (time as number) < Infinity);
  });
});
