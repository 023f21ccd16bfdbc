/** Recurrent networks of ONNX, whose steps stand before the one sample: many samples at once, and their gradients. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { samplesInFront } from "../../../bindings/optimize/leading.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";
import { setSamples } from "../../../bindings/optimize/samples.ts";
import { ownWeights } from "../../../bindings/optimize/train/prepare.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { tiesOf } from "../../../bindings/optimize/train/ties.ts";
import { openTrainer } from "../../../bindings/optimize/train/trainer.ts";
import { runPasses } from "../../../bindings/passes/index.ts";
import { buildOnnx, type NodeSpec, node, type TensorSpec } from "../../formats/build-onnx.ts";
import { worst } from "../support/differences.ts";

const [STEPS, WIDTH, UNITS, CLASSES, BATCH] = [4, 3, 5, 4, 3];
const random = randomOf(11);
const normals = (length: number) => Array.from({ length }, () => 0.4 * random.normal());

/** Steps in front, a layer of `gates` gates in so many directions, and what follows it. */
function network(kind: "LSTM" | "GRU", directions: 1 | 2, ends: readonly NodeSpec[]): Graph {
  const rows = (kind === "LSTM" ? 4 : 3) * UNITS;
  const floats = (name: string, ...dims: readonly number[]): TensorSpec => ({
    ...{ name, dims, type: 1 },
    values: normals(dims.reduce((a, b) => a * b, 1)),
  });
  const direction = directions === 2 ? "bidirectional" : "forward";
  const own = { int: { hidden_size: UNITS, ...(kind === "GRU" && { linear_before_reset: 1 }) }, string: { direction } };
  const integers = (name: string, ...values: readonly number[]): TensorSpec => ({
    ...{ name, dims: [values.length], type: 7 as const },
    values,
  });
  return importModel(
    buildOnnx({
      inputs: [{ name: "x", dims: [1, STEPS, WIDTH] }],
      outputs: [{ name: "z", dims: [1, CLASSES] }],
      initializers: [
        ...[floats("w", directions, rows, WIDTH), floats("r", directions, rows, UNITS)],
        ...[floats("b", directions, 2 * rows), floats("v", directions * UNITS, CLASSES), floats("c", CLASSES)],
        ...[
          integers("flat", 0, 0, -1),
          integers("first", 0),
          { name: "last", dims: [], type: 7, values: [-1] } as const,
        ],
        integers("all", -1, directions * UNITS),
      ],
      nodes: [
        node("Transpose", "x", "t", { ints: { perm: [1, 0, 2] } }),
        node(kind, "t w r b", "y h", own),
        ...ends,
        node("Gemm", "e v c", "z"),
      ],
    }),
    {},
  );
}

/** The last step, the mean of all behind the sample or before it, and the state. */
const ENDS: Readonly<Record<string, readonly NodeSpec[]>> = {
  last: [
    node("Transpose", "y", "p", { ints: { perm: [0, 2, 1, 3] } }),
    node("Reshape", "p flat", "q"),
    node("Transpose", "q", "s", { ints: { perm: [1, 0, 2] } }),
    node("Gather", "s last", "e", { int: { axis: 1 } }),
  ],
  mean: [
    node("Transpose", "y", "p", { ints: { perm: [0, 2, 1, 3] } }),
    node("Reshape", "p flat", "q"),
    node("Tanh", "q", "s"),
    node("ReduceMean", "s", "e", { ints: { axes: [0] }, int: { keepdims: 0 } }),
  ],
  state: [node("Transpose", "h", "p", { ints: { perm: [1, 0, 2] } }), node("Reshape", "p all", "e")],
};

const CASES = (["LSTM", "GRU"] as const).flatMap((kind) =>
  ([1, 2] as const).flatMap((directions) =>
    Object.keys(ENDS).map((end) => ({ kind, directions, end, name: `${kind}, ${directions}, ${end}` })),
  ),
);

describe("a sequence before its sample", () => {
  for (const { kind, directions, end, name } of CASES) {
    const graph = runPasses(network(kind, directions, ENDS[end] as readonly NodeSpec[]));
    const inputs = Float32Array.from(normals(BATCH * STEPS * WIDTH));

    test(`${name}: several samples at once give what each gives`, async () => {
      const turned = samplesInFront(graph, graph.tensors);
      assert.ok(turned !== undefined);
      const [one, all] = await Promise.all([openRunner(graph), openRunner(setSamples(turned, BATCH))]);
      const found = (all.run([inputs])[0] as Float32Array).slice();
      for (let i = 0; i < BATCH; i++) {
        const [y] = one.run([inputs.slice(i * STEPS * WIDTH, (i + 1) * STEPS * WIDTH)]);
        for (const [j, value] of (y as Float32Array).entries())
          assert.ok(Math.abs(value - (found[i * CLASSES + j] as number)) < 1e-6);
      }
      one.close();
      all.close();
    });

    test(`${name}: gradients are those of differences, weights of all steps in one place`, async () => {
      const own = ownWeights(graph, false);
      const ties = tiesOf(graph, own);
      assert.ok(ties.size >= STEPS - 2);
      const options = { batch: BATCH, loss: { hard: 1 }, decay: 0, normalized: [], threads: 1, ties } as const;
      const trainer = await openTrainer(own, options);
      const rows = (kind === "LSTM" ? 4 : 3) * UNITS;
      const weights = directions * (rows * (WIDTH + UNITS) + CLASSES * UNITS);
      assert.ok(trainer.layout.decayed < weights + 4 * 9, `${trainer.layout.decayed} floats for ${weights}`);
      const found = worst(trainer, { inputs: [inputs], labels: Int32Array.of(1, 3, 0) });
      trainer.close();
      assert.ok(found < 1e-3, `${found}`);
    });
  }

  test("samples that cannot be brought in front run one by one", async () => {
    const [apart, flat, , mean] = ENDS.mean as readonly [NodeSpec, NodeSpec, NodeSpec, NodeSpec];
    const graph = runPasses(network("LSTM", 1, [apart, flat, node("Softmax", "q", "s", { int: { axis: 0 } }), mean]));
    assert.equal(samplesInFront(graph, graph.tensors), undefined);
    const own = ownWeights(graph, false);
    const options = { batch: BATCH, loss: { hard: 1 }, decay: 0, normalized: [], threads: 1 } as const;
    const trainer = await openTrainer(own, { ...options, ties: tiesOf(graph, own) });
    const inputs = [Float32Array.from(normals(BATCH * STEPS * WIDTH))];
    const found = worst(trainer, { inputs, labels: Int32Array.of(1, 3, 0) });
    trainer.close();
    assert.ok(found < 1e-3, `${found}`);
  });
});
