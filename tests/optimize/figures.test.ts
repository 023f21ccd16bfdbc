/** What figures of a model say where outputs or layers can be read in two ways. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { topFive, worstFirst } from "../../bindings/optimize/evaluate/figures.ts";
import { reportHtml } from "../../bindings/optimize/evaluate/report.ts";
import { buildNetwork } from "./support/networks.ts";

describe("figures", () => {
  test("numbers that LOGISTIC ends are values where some sample's targets are no decisions", async () => {
    const to = buildNetwork([1, 2]);
    const model = to.graph(to.node("logistic", [to.input], {} as never));
    const x = [Float32Array.of(2, 2)];
    const decided = { inputs: x, targets: [Float32Array.of(0, 1)] };
    const grey = { inputs: x, targets: [Float32Array.of(0.5, 0.5)] };
    const figures = (...list: readonly Sample[]) =>
      evaluate(model, datasetOf(list), { against: model, layerSamples: 0 });
    const decisions = await figures(decided, decided);
    assert.deepEqual([decisions.model.classes?.top1, decisions.model.targets], [0.5, undefined]);
    assert.equal(topFive(decisions.model.classes), undefined);
    assert.deepEqual([decisions.compared, decisions.agreement], ["decision", 1]);
    const values = await figures(decided, grey);
    const yes = 1 / (1 + Math.exp(-2));
    assert.equal(values.model.classes, undefined);
    assert.ok(Math.abs((values.model.targets?.meanError ?? 0) - (1 + 2 * (yes - 0.5)) / 4) < 1e-6);
    assert.deepEqual([values.compared, values.agreement], [undefined, undefined]);
  });

  test("a map of chances whose one channel stands first is decisions; classes that are reshaped are values", async () => {
    for (const [kind, compared] of [
      ["logistic", "decision"],
      ["softmax", undefined],
    ] as const) {
      const to = buildNetwork([1, 2, 2, 1]);
      const chances = to.node(kind, [to.input], { beta: 1 } as never);
      const model = to.graph(to.node("reshape", [chances], { shape: [1, 1, 2, 2] }));
      const sample = { inputs: [Float32Array.of(2, -1, 3, -2)], targets: [Float32Array.of(1, 0, 0, 0)] };
      const found = await evaluate(model, datasetOf([sample]), { against: model, layerSamples: 0 });
      assert.equal(found.compared, compared);
      assert.equal(found.model.classes?.top1, compared && 0.75);
    }
  });

  test("what the functions that read a layer level hurts nothing: it comes behind", async () => {
    const clipped = (limit: number, factor: number) => {
      const to = buildNetwork([1, 4]);
      const least = to.node("minimum", [to.input, to.floats(limit)], {});
      const level = to.node("relu6", [least], {});
      return to.graph(to.node("mul", [level, to.floats(factor)], { activation: "none" }));
    };
    const data = datasetOf([{ inputs: [Float32Array.of(1, 20, 30, 40)] }]);
    const found = await evaluate(clipped(6, 0.9), data, { against: clipped(100, 1) });
    const [first, second, third] = worstFirst(found.layers ?? []);
    assert.deepEqual([first?.where, first?.behind], ["node 2 (mul)", undefined]);
    assert.ok([second, third].some((layer) => layer?.behind === Number.POSITIVE_INFINITY));
    assert.ok(Math.min(second?.snr ?? 0, third?.snr ?? 0) < (first?.snr ?? 0));
    const page = reportHtml([found]);
    assert.match(page, /∞ behind it/);
    assert.doesNotMatch(page, /<th>top-1</);
  });

  test("of layers that say the same one is listed, of those without an error all", () => {
    const layer = (name: string, snr: number, meanError: number) => {
      const histogram = { low: 0, high: 1, counts: [1] };
      return { name, where: name, snr, cosine: 1, meanError, histogram };
    };
    const none = [layer("d", Number.POSITIVE_INFINITY, 0), layer("e", Number.POSITIVE_INFINITY, 0)];
    const listed = worstFirst([layer("a", 30, 0.1), layer("reshape", 30, 0.1), layer("b", 20, 0.1), ...none]);
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["b", "a", "d", "e"],
    );
  });
});
