/** HARD_SWISH and GELU in several steps are one operator; with int16 activations, which HARD_SWISH has not, it is steps of integers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { nameCurves } from "../../bindings/optimize/prepare/curves.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const { samples, data } = normalSamples();
const none = { activation: "none" } as const;

/** A function between two layers. */
function network(curve: (to: Builder, x: TensorId) => TensorId): Graph {
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH], 2)], { ...none, keepDims: false });
  return to.graph(dense(curve(to, dense(to.input))));
}

type Curve = (to: Builder, x: TensorId) => TensorId;
const times = (to: Builder, a: TensorId, b: TensorId) => to.node("mul", [a, b], none);
const plus = (to: Builder, a: TensorId, value: number) => to.node("add", [a, to.floats(value)], none);
/** max(x/6 + ½, 0) and the lesser of it and `most`. */
const gate = (to: Builder, x: TensorId, most = 1) => {
  const sum = plus(to, times(to, x, to.floats(1 / 6)), 0.5);
  return to.node("minimum", [to.floats(most), to.node("maximum", [to.floats(0), sum], {})], {});
};
const six = (to: Builder, x: TensorId) => to.node("add", [x, to.floats(3)], { activation: "relu6" });
const cubic = (to: Builder, x: TensorId, share: number) => {
  const cube = times(to, to.node("pow", [x, to.floats(3)], {}), to.floats(share));
  return to.node("tanh", [times(to, to.node("add", [x, cube], none), to.floats(Math.sqrt(2 / Math.PI)))], {});
};

const swishes: Readonly<Record<string, Curve>> = {
  "x · clip(x/6 + ½, 0, 1), as in ONNX": (to, x) => times(to, x, gate(to, x)),
  "x · RELU6(x + 3) / 6": (to, x) => to.node("div", [times(to, x, six(to, x)), to.floats(6)], none),
  "(RELU6(x + 3) · ⅙) · x, by two operators": (to, x) =>
    times(to, times(to, to.node("relu6", [plus(to, x, 3)], {}), to.floats(1 / 6)), x),
};
const gelus: Readonly<Record<string, Curve>> = {
  "½x · (1 + tanh(…))": (to, x) => times(to, times(to, x, to.floats(0.5)), plus(to, cubic(to, x, 0.044715), 1)),
  "(x · (1 + tanh(…))) · ½": (to, x) => times(to, times(to, x, plus(to, cubic(to, x, 0.044715), 1)), to.floats(0.5)),
};
/** What resembles these and is something else. */
const others: Readonly<Record<string, Curve>> = {
  "a gate that ends at 1.01": (to, x) => times(to, x, gate(to, x, 1.01)),
  "a cube with another share": (to, x) => times(to, times(to, x, to.floats(0.5)), plus(to, cubic(to, x, 0.0449), 1)),
  "another tensor's gate": (to, x) => times(to, x, gate(to, to.node("logistic", [x], {}))),
  "a gate of each channel": (to, x) => times(to, x, to.node("mul", [six(to, x), to.weights([WIDTH], 1 / 6)], none)),
};

const kindsOf = ({ nodes }: Graph) => nodes.map(({ kind }) => kind);

describe("functions in several steps", () => {
  for (const [kind, forms] of [
    ["hardSwish", swishes],
    ["gelu", gelus],
  ] as const)
    for (const [name, curve] of Object.entries(forms))
      test(`${name} is one ${kind}, and near as int8 and int16`, async () => {
        const float = network(curve);
        const named = nameCurves(float);
        assert.deepEqual(kindsOf(named), ["fullyConnected", kind, "fullyConnected"]);
        assert.ok((await nearness(float, named, samples)) > 100);
        const int8 = await quantize(float, data, { activations: "int8" });
        assert.ok(kindsOf(int8.graph).includes(kind));
        assert.ok((await nearness(float, int8.graph, samples)) > 25);
        const int16 = await quantize(float, data, { activations: "int16" });
        assert.deepEqual(int16.floats, []);
        assert.ok((await nearness(float, int16.graph, samples)) > 35);
      });

  for (const [name, curve] of Object.entries(others))
    test(`${name} stays as it is`, () => {
      const float = network(curve);
      assert.equal(nameCurves(float), float);
    });

  test("steps that something else reads, too, stay for it", async () => {
    const float = network((to, x) => {
      const own = gate(to, x);
      return to.node("add", [times(to, x, own), own], none);
    });
    const named = nameCurves(float);
    assert.ok(kindsOf(named).includes("hardSwish") && kindsOf(named).includes("minimum"));
    assert.ok((await nearness(float, named, samples)) > 100);
  });

  test("an operator HARD_SWISH becomes integers of int16, too", async () => {
    const float = network((to, x) => to.node("hardSwish", [x], {}));
    const { graph, floats } = await quantize(float, data, { activations: "int16" });
    assert.deepEqual(floats, []);
    assert.ok((await nearness(float, graph, samples)) > 35);
  });
});
