/** Gradients of the losses of places, decisions, values and embeddings, against differences. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph } from "../../../bindings/graph.ts";
import type { LossWeights, Objective } from "../../../bindings/optimize/train/kinds.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { type Batch, openTrainer } from "../../../bindings/optimize/train/trainer.ts";
import { worst } from "../support/differences.ts";
import { EMBEDDINGS, logistic, pixels, SIZE, softmax, toFront } from "../support/pixels.ts";

describe("gradients are those of differences", () => {
  const normals = (length: number, seed = 0) => {
    const random = randomOf(11, seed);
    return Float32Array.from({ length }, () => random.normal());
  };
  const labels = Int32Array.from({ length: 2 * SIZE * SIZE }, (_, i) => (i % 4) - 1);
  const compare = async (
    graph: Graph,
    objective: Objective,
    loss: Partial<LossWeights>,
    data: Omit<Batch, "inputs">,
  ) => {
    const trainer = await openTrainer(graph, { batch: 2, loss, objective, decay: 0, normalized: [], threads: 1 });
    const found = worst(trainer, { inputs: [normals(2 * SIZE * SIZE)], ...data });
    trainer.close();
    assert.ok(found < 1e-3, `${found}`);
  };
  const map = (numbers = 3, seed = 1) => normals(2 * SIZE * SIZE * numbers, seed);
  test("a softmax for each pixel, some of which do not count", () =>
    compare(pixels(3, softmax), "classes", { hard: 1 }, { labels }));
  test("classes at the front, and a teacher", () =>
    compare(pixels(3, toFront), "classes", { hard: 0.2, soft: 2, temperature: 2 }, { labels, teacher: map() }));
  test("decisions, some of which do not count", () =>
    compare(pixels(1, logistic), "classes", { hard: 1 }, { labels: labels.map((label) => Math.min(label, 1)) }));
  test("decisions, and a teacher's chances", () => {
    const given = { labels: labels.map((label) => Math.min(label, 1)), teacher: map(1) };
    return compare(pixels(1, logistic), "classes", { hard: 0.3, soft: 2, temperature: 2 }, given);
  });
  test("values of each pixel", () => compare(pixels(3), "values", { hard: 1 }, { targets: map() }));
  test("values, half of them a teacher's", () =>
    compare(pixels(3), "values", { hard: 0.5, squared: 0.5 }, { targets: map(), teacher: map(3, 2) }));
  test("values behind a logistic", () => compare(pixels(3, logistic), "values", { squared: 1 }, { teacher: map() }));
  test("embeddings", () => compare(pixels(8), "embeddings", { cosine: 1 }, { teacher: map(8) }));
  test("embeddings of length 1, and their squares", () => {
    const graph = pixels(8, (to, x) => to.node("l2Normalization", [x], { activation: "none" }));
    return compare(graph, "embeddings", { cosine: 1, squared: 0.3 }, { teacher: map(8) });
  });
  test("the cosine with zeros has none", async () => {
    const options = { batch: 1, loss: { cosine: 1 }, objective: "embeddings", decay: 0, normalized: [] } as const;
    const trainer = await openTrainer(EMBEDDINGS, { ...options, threads: 1 });
    const result = trainer.step({ inputs: [normals(SIZE * SIZE)], teacher: new Float32Array(16) }, 0, 1);
    assert.equal(result.loss, 1);
    assert.ok(trainer.arrays.gradients.every((value) => value === 0));
    trainer.close();
  });
});
