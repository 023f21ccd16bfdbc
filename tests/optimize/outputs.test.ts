/** Models of several outputs: each is judged by itself, and labels may be of any. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graphOf } from "../formats/run-graph.ts";

/** x [1,3] and constants → the sums "near" and "far", both lists of three numbers. */
function sums(near: number, far: number, names = ["near", "far"]) {
  const list = { dtype: "float32", shape: [1, 3] } as const;
  const constant = (name: string, value: number): Tensor => ({
    name,
    dtype: "float32",
    shape: [],
    data: new Uint8Array(Float32Array.of(value).buffer),
  });
  const tensors: Tensor[] = [
    { name: "x", ...list },
    constant("a", near),
    constant("b", far),
    ...names.map((name) => ({ name, ...list })),
  ];
  const plain = { activation: "none" };
  const graph = graphOf(
    tensors,
    [0],
    [3, 4],
    [
      ["add", [0, 1], [3], plain],
      ["mul", [0, 2], [4], plain],
    ],
  );
  return graph;
}

const sample = (x: readonly number[], rest: Partial<Sample> = {}): Sample => ({
  inputs: [Float32Array.from(x)],
  ...rest,
});
const samples = [sample([1, 2, 3], { label: 0 }), sample([3, 2, 1], { label: 2 }), sample([4, 2, 1], { label: 1 })];

test("each output is as far from the other model's as it is", async () => {
  const found = await evaluate(sums(1, 1), datasetOf(samples), { against: sums(1.5, 101), layerSamples: 0 });
  const [near, far] = found.byOutput ?? [];
  assert.deepEqual([near?.name, far?.name], ["near", "far"]);
  assert.ok(Math.abs((near?.meanError ?? 0) - 0.5) < 1e-6);
  assert.ok(Math.abs((far?.meanError ?? 0) - (100 * 19) / 9) < 1e-3);
  assert.ok(found.outputs && found.outputs.meanError > 100);
});

test("labels of the output that is named; of another model by its name, or its place", async () => {
  const turned = sums(0, -1);
  const data = () => datasetOf(samples);
  assert.equal((await evaluate(turned, data())).model.classes?.top1, 0);
  const named = await evaluate(turned, data(), { output: "far", against: sums(0, -1, ["p", "q"]), layerSamples: 0 });
  for (const each of [named.model, named.against]) assert.equal(each?.classes?.top1, 2 / 3);
  assert.equal(named.agreement, 1);
  assert.deepEqual(
    named.byOutput?.map(({ name, meanError }) => [name, meanError]),
    [
      ["far", 0],
      ["near", 0],
    ],
  );
  await assert.rejects(evaluate(turned, data(), { output: "none" }), /output: expected near, far, received none/);
});

test("targets of all outputs stay in their order", async () => {
  const targets = [Float32Array.of(1, 2, 3), Float32Array.of(2, 4, 6)];
  const data = datasetOf([sample([1, 2, 3], { targets })]);
  const { model } = await evaluate(sums(0, 3), data, { output: "far" });
  assert.deepEqual(
    model.targetsByOutput?.map(({ name, meanError }) => [name, meanError]),
    [
      ["far", 2],
      ["near", 0],
    ],
  );
});
