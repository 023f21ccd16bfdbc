/** Gradients of every operator that can be trained, against differences of the loss. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph } from "../../../bindings/graph.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";
import { TRAINABLE } from "../../../bindings/optimize/train/gradients/index.ts";
import { normalizedLayers } from "../../../bindings/optimize/train/norm.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { fittingBatch } from "../../../bindings/optimize/train/train.ts";
import { openTrainer, type TrainerOptions } from "../../../bindings/optimize/train/trainer.ts";
import { runPasses } from "../../../bindings/passes/index.ts";
import { worst } from "../support/differences.ts";
import { CASES, conv, depthwise, type Middle, transposing, unary } from "../support/middles.ts";
import { buildNetwork } from "../support/networks.ts";

const BATCH = 3;
const CLASSES = 5;

/** A layer before it, so that its input has a gradient, and the mean and a dense layer after it. */
function networkOf(middle: Middle): Graph {
  const to = buildNetwork([1, 5, 4, 3], 5);
  const x = conv([6, 3, 3, 3], {})(to, to.input);
  const y = middle(to, x);
  const mean = to.node("mean", [unary("tanh")(to, y), to.integers(1, 2)], { keepDims: false });
  const width = widthOf(middle);
  const flat = to.node("reshape", [mean], { shape: [1, width] });
  const dense = [flat, to.weights([CLASSES, width], 1), to.weights([CLASSES])] as const;
  return to.graph(to.node("fullyConnected", dense, { activation: "none", keepDims: false }));
}

/** Channels that a layer of 6 gives. */
function widthOf(middle: Middle): number {
  const to = buildNetwork([1, 5, 4, 6]);
  const y = middle(to, to.input);
  return runPasses(to.graph(y)).tensors[y]?.shape.at(-1) ?? 0;
}

const random = randomOf(7);
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
const DATA = {
  inputs: [normals(BATCH * 5 * 4 * 3)],
  labels: Int32Array.of(1, 4, 0),
  teacher: normals(BATCH * CLASSES),
};
const LABELS = { hard: 1, soft: 0, temperature: 1, squared: 0 };

/** The largest difference between gradients and differences, relative to the largest gradient of the array that they are of. */
async function compare(graph: Graph, options: Partial<TrainerOptions> = {}): Promise<number> {
  const trainer = await openTrainer(graph, {
    batch: BATCH,
    loss: LABELS,
    decay: 0,
    normalized: [],
    threads: 1,
    ...options,
  });
  try {
    return worst(trainer, DATA);
  } finally {
    trainer.close();
  }
}

describe("a step computes what the engine does", () => {
  for (const [name, middle] of Object.entries(CASES))
    test(name, async () => {
      const graph = networkOf(middle);
      const trainer = await openTrainer(graph, { batch: BATCH, loss: LABELS, decay: 0, normalized: [], threads: 1 });
      const runner = await openRunner(graph);
      try {
        trainer.step(DATA, 0, 1);
        for (let sample = 0; sample < BATCH; sample++) {
          const size = 5 * 4 * 3;
          const input = (DATA.inputs[0] as Float32Array).subarray(sample * size, (sample + 1) * size);
          const [expected] = runner.run([input]) as readonly [Float32Array];
          for (const [i, value] of expected.entries())
            assert.ok(Math.abs(value - (trainer.logits[sample * CLASSES + i] as number)) < 1e-4, `score ${i}`);
        }
      } finally {
        trainer.close();
        runner.close();
      }
    });
});

describe("gradients are those of differences", () => {
  for (const [name, middle] of Object.entries(CASES))
    test(name, async () => {
      const found = await compare(networkOf(middle));
      assert.ok(found < 1e-3, `${found}`);
    });

  test("batch normalization", async () => {
    const graph = networkOf((to, x) => depthwise(6, { activation: "none" })(to, conv([6, 1, 1, 6], {})(to, x)));
    const found = await compare(graph, { normalized: normalizedLayers(graph) });
    assert.ok(found < 1e-3, `${found}`);
  });

  test("batch normalization of groups", async () => {
    const graph = networkOf((to, x) => conv([9, 3, 3, 2], {})(to, unary("tanh")(to, x)));
    const found = await compare(graph, { normalized: normalizedLayers(graph) });
    assert.ok(found < 1e-3, `${found}`);
  });

  test("pictures with their channels first, in batches", async () => {
    const to = buildNetwork([1, 3, 90, 90]);
    const last = to.node("transpose", [to.input, to.integers(0, 2, 3, 1)], {});
    const mean = to.node("mean", [conv([4, 3, 3, 3], {})(to, last), to.integers(1, 2)], { keepDims: false });
    (await openTrainer(to.graph(mean), { batch: 64, loss: LABELS, decay: 0, normalized: [], threads: 1 })).close();
  });

  test("batches that nobody chose fit into memory", () => {
    const of = (size: number) => {
      const to = buildNetwork([1, size, size, 3]);
      return fittingBatch(runPasses(to.graph(conv([32, 3, 3, 3], {})(to, to.input)), { only: "none" }));
    };
    assert.deepEqual([of(28), of(1024), of(4096)], [125, 7, 1]);
  });

  test("batch normalization of a transposed convolution", async () => {
    const graph = networkOf((to, x) => transposing(to, x, [10, 8], { activation: "none" }));
    const found = await compare(graph, { normalized: normalizedLayers(graph) });
    assert.ok(found < 1e-3, `${found}`);
  });

  for (const [name, loss] of Object.entries({
    "Kullback–Leibler": { hard: 0, soft: 4, temperature: 2, squared: 0 },
    squares: { squared: 0.1 },
    "a cosine": { cosine: 0.7 },
    "all four": { hard: 0.3, soft: 2, temperature: 3, squared: 0.2, cosine: 0.5 },
  }))
    test(`loss: ${name}`, async () => {
      const found = await compare(networkOf(conv([9, 1, 1, 6], {})), { loss });
      assert.ok(found < 1e-3, `${found}`);
    });

  test("every operator that can be trained is among them", () => {
    const kinds = new Set(
      Object.values(CASES).flatMap((middle) => networkOf(middle).nodes.map(({ kind }) => kind as string)),
    );
    assert.deepEqual(
      TRAINABLE.filter((kind) => !kinds.has(kind)),
      [],
    );
  });
});
