/** Sums that are small beside their operands: on integers a few steps of the operands' scales would be all that there is of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TensorId } from "../../bindings/graph.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const { samples, data } = normalSamples();

/** Numbers around 30, and what is made of them. */
function network(make: (to: Builder, x: TensorId) => TensorId) {
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: TensorId, bias: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH], 0.7), bias], { ...none, keepDims: false });
  const x = dense(to.input, to.floats(...Array.from({ length: WIDTH }, () => 30)));
  return to.graph(dense(make(to, x), to.weights([WIDTH])));
}

/** The mean of squares less the square of the mean, by which x is divided. */
const normalized = (to: Builder, x: TensorId) => {
  const mean = (y: TensorId) => to.node("mean", [y, to.integers(1)], { keepDims: true });
  const square = (y: TensorId) => to.node("mul", [y, y], none);
  const middle = mean(x);
  const variance = to.node("sub", [mean(square(x)), square(middle)], none);
  return to.node("mul", [to.node("sub", [x, middle], none), to.node("rsqrt", [variance], {})], none);
};

describe("quantized sums of what is far coarser", () => {
  for (const activations of ["int8", "int16"] as const)
    test(`a variance by squares, ${activations}: float, and near`, async () => {
      const float = network(normalized);
      const { graph, floats } = await quantize(float, data, { activations });
      if (activations === "int8") assert.ok(floats.includes("sub"), floats.join());
      const near = await nearness(float, graph, samples);
      assert.ok(near > (activations === "int8" ? 15 : 30), `${near} dB`);
    });

  test("comparisons of what needs a scale of 1 or more, which TFLite's kernels do not take: float", async () => {
    for (const [size, stays] of [
      [100, true],
      [1, false],
    ] as const) {
      const float = network((to, x) => {
        const large = to.node("mul", [x, to.floats(size)], none);
        return to.node(
          "selectV2",
          [to.node("greater", [large, to.floats(30 * size)], {}), x, to.node("relu", [x], {})],
          {},
        );
      });
      const { floats } = await quantize(float, data);
      assert.equal(floats.includes("greater"), stays, floats.join());
    }
  });

  test("x + x³ before TANH, which sees little of it: runs, and is near", async () => {
    const float = network((to, x) => {
      const small = to.node("mul", [x, to.floats(0.05)], none);
      const cube = to.node("mul", [to.node("mul", [x, x], none), x], none);
      return to.node("tanh", [to.node("add", [small, to.node("mul", [cube, to.floats(-0.05 / 900)], none)], none)], {});
    });
    for (const activations of ["int8", "int16"] as const) {
      const near = await nearness(float, (await quantize(float, data, { activations })).graph, samples);
      assert.ok(near > (activations === "int8" ? 15 : 40), `${activations}: ${near} dB`);
    }
  });

  test("SOFTMAX of more numbers than its fixed scale has steps for: float, and near; of few: int8", async () => {
    for (const [width, floats] of [
      [1200, ["softmax"]],
      [6, []],
    ] as const) {
      const to = buildNetwork([1, WIDTH], 6);
      const dense = (x: TensorId, outputs: number, inputs: number, size: number) =>
        to.node("fullyConnected", [x, to.weights([outputs, inputs], size)], { ...none, keepDims: false });
      const shares = to.node("softmax", [dense(to.input, width, WIDTH, 0.2)], { beta: 1 });
      const float = to.graph(dense(shares, 4, width, 1));
      const found = await quantize(float, data);
      assert.deepEqual(found.floats, floats);
      const near = await nearness(float, found.graph, samples);
      assert.ok(near > 20, `${width}: ${near} dB`);
    }
  });

  test("sums of numbers of one size: integers", async () => {
    const float = network((to, x) => to.node("add", [x, to.node("mul", [x, to.floats(0.5)], none)], none));
    assert.deepEqual((await quantize(float, data)).floats, []);
  });
});
