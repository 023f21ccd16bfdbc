/** Students of tables whose columns and values are of sizes of their own: as near as if all were of one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph } from "../../../bindings/graph.ts";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../../bindings/optimize/evaluate/evaluate.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import { distil } from "../../../bindings/optimize/train/distil.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { buildNetwork } from "../support/networks.ts";

const none = { activation: "none" } as const;
const flat = { ...none, keepDims: false } as const;

/** A dense network of columns of these sizes around as large means, whose one value is `unit` large and stands `unit` · 4 from 0. */
function teacher(sizes: readonly number[], unit: number): Graph {
  const to = buildNetwork([1, sizes.length], 7);
  const centred = to.node("sub", [to.input, to.floats(...sizes)], none);
  const even = to.node("mul", [centred, to.floats(...sizes.map((size) => 1 / size))], none);
  const hidden = to.node(
    "tanh",
    [to.node("fullyConnected", [even, to.weights([12, 6], 0.6), to.weights([12])], flat)],
    {},
  );
  const y = to.node("fullyConnected", [hidden, to.weights([1, 12], 0.4), to.weights([1])], flat);
  return to.graph(to.node("add", [to.node("mul", [y, to.floats(unit)], none), to.floats(4 * unit)], none));
}

const dataOf = (sizes: readonly number[], seed: number) => {
  const samples = Array.from({ length: 600 }, (_, i) => {
    const random = randomOf(seed, i);
    return { inputs: [Float32Array.from(sizes, (size) => size * (1 + random.normal()))] };
  });
  return datasetOf(samples, { size: samples.length });
};

const ALIKE = [1, 1.2, 0.9, 1, 1.1, 0.8];
const MANY = [0.01, 2000, 1, 30, 0.2, 5];

async function student(
  sizes: readonly number[],
  unit: number,
): Promise<{ readonly graph: Graph; readonly error: number }> {
  const from = teacher(sizes, unit);
  const options = { student: "mlp", epochs: 12, objective: "values", threads: 1 } as const;
  const graph = await distil(from, dataOf(sizes, 1), options);
  const { outputs } = await evaluate(graph, dataOf(sizes, 2), { against: from, layerSamples: 0 });
  return { graph, error: (outputs?.meanError as number) / unit };
}

describe("students of tables", () => {
  test("columns of many sizes and a value of another unit: as near as of one size", async () => {
    const [even, many] = [await student(ALIKE, 1), await student(MANY, 250)];
    assert.ok(even.error < 0.2, `${even.error}`);
    assert.ok(many.error < 1.5 * even.error, `${many.error} and ${even.error}`);
    assert.equal(many.graph.nodes.at(-1)?.kind, "fullyConnected");
    assert.ok(!even.graph.nodes.some(({ kind }) => kind === "mul"));
    const { floats } = await quantize(many.graph, dataOf(MANY, 1));
    assert.deepEqual(floats, ["sub", "mul"]);
  });
});
