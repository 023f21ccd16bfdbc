/** Weights of half precision: what it cannot hold stays float, and so do biases and other constants of a few numbers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;

/** Inputs less a large mean, a hidden layer, and values of this size. */
function made(size: number) {
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: number, weights: number, bias: number) =>
    to.node("fullyConnected", [x as never, to.weights([WIDTH, WIDTH], weights), to.weights([WIDTH], bias)], {
      ...none,
      keepDims: false,
    });
  const large = to.node("add", [to.input, to.floats(...Array(WIDTH).fill(7001.5))], none);
  const centred = to.node("sub", [large, to.floats(...Array(WIDTH).fill(7001.25))], none);
  return to.graph(dense(dense(centred, 0.5, 0.5), size, 100 * size));
}

describe("half-precision weights", () => {
  for (const [size, last] of [
    [1000, "float16"],
    [1e6, "float32"],
  ] as const)
    test(`of values of ${size}: ${last}, with means and biases as they are`, async () => {
      const dense = made(size);
      const { graph, layers } = await quantize(dense, undefined, { weights: "float16" });
      assert.deepEqual(
        layers.map(({ weights }) => weights),
        ["float16", last],
      );
      const near = await nearness(dense, graph, normalSamples().samples);
      assert.ok(near > 60, `${near} dB`);
    });
});
