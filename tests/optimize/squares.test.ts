/** Powers of integers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { buildNetwork } from "./support/networks.ts";

/** x [1,8] → a layer → a power → a layer. */
function powerOf(...exponents: readonly number[]) {
  const to = buildNetwork([1, 8], 5);
  const dense = (x: typeof to.input, size: number, depth: number) =>
    to.node("fullyConnected", [x, to.weights([size, depth]), to.weights([size])], {
      activation: "none",
      keepDims: false,
    });
  const by = to.floats(...exponents);
  return to.graph(dense(to.node("pow", [dense(to.input, 6, 8), by], {}), 4, 6));
}

const samples = () => {
  const random = randomOf(3);
  return Array.from({ length: 40 }, () => ({ inputs: [Float32Array.from({ length: 8 }, () => random.normal())] }));
};

test("a square is a product on integers", async () => {
  const graph = powerOf(2);
  const { graph: small, floats, outputs: found } = await quantize(graph, datasetOf(samples()));
  assert.deepEqual(floats, []);
  assert.ok(small.nodes.some(({ kind, inputs: [a, b] }) => kind === "mul" && a === b));
  assert.ok((found[0]?.snr ?? 0) > 25, `${found[0]?.snr} dB`);
});

test("other powers stay float", async () => {
  for (const exponents of [[3], [2, 3, 2, 2, 2, 2]])
    assert.deepEqual((await quantize(powerOf(...exponents), datasetOf(samples()))).floats, ["pow"]);
});
