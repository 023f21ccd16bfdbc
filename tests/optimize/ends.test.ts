/** States of recurrent networks in one tensor: parts of many sizes, which are taken apart and put together as floats. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { nearness } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const WIDTH = 8;
const none = { activation: "none", keepDims: false } as const;

/** Two rows, each through a layer of its own, put together again; the second is `size` times as large. */
function made(size: number) {
  const random = randomOf(3);
  const samples = Array.from({ length: 60 }, () => [
    Float32Array.from({ length: 2 * WIDTH }, (_, i) => random.normal() * (i < WIDTH ? 1 : size)),
  ]);
  const to = buildNetwork([1, 2 * WIDTH], 6);
  const parts = to.nodes("split", 2, [to.integers(1), to.input], { count: 2 });
  const layers = parts.map((x) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH]), to.weights([WIDTH])], none),
  );
  const graph = to.graph(to.node("concat", layers, { axis: 1, activation: "none" }));
  return {
    graph,
    samples,
    data: datasetOf(
      samples.map((inputs) => ({ inputs })),
      { size: samples.length },
    ),
  };
}

describe("quantized ends of parts", () => {
  test("of many sizes: moved as floats, and the small ones are near", async () => {
    const { graph, samples, data } = made(100);
    const { graph: small, floats } = await quantize(graph, data);
    assert.deepEqual(floats, ["split", "concat"]);
    const first = (each: typeof graph) => {
      const cut = each.nodes.filter(({ kind }) => kind === "concat").at(-1);
      return { ...each, outputs: [{ name: "first", tensor: cut?.inputs[0] as never }] };
    };
    const near = await nearness(first(graph), first(small), samples);
    assert.ok(near > 30, `${near} dB`);
  });

  test("of one size, or with integer ends: integers", async () => {
    const alike = made(1.2);
    assert.deepEqual((await quantize(alike.graph, alike.data)).floats, []);
    const other = made(100);
    assert.deepEqual((await quantize(other.graph, other.data, { io: "int8" })).floats, []);
  });
});
