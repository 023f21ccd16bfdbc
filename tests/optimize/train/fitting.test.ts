/** Changes that a teacher bears, found by asking it: networks of one layer, of which it is known. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { bytesOf } from "../../../bindings/optimize/constants.ts";
import type { Dataset } from "../../../bindings/optimize/data/types.ts";
import { AUGMENTATION } from "../../../bindings/optimize/train/augment.ts";
import { distil } from "../../../bindings/optimize/train/distil.ts";
import { fitting } from "../../../bindings/optimize/train/fitting.ts";
import { goalOf } from "../../../bindings/optimize/train/objective.ts";
import { storeOf } from "../../../bindings/optimize/train/store.ts";

const SIZE = 12;
const PIXELS = SIZE * SIZE;

/** Scores of two classes: ± (Σ weight · pixel − bias). */
function linear(weight: (x: number) => number, bias: number, end: "softmax" | "none" = "softmax"): Graph {
  const w = Float32Array.from({ length: 2 * PIXELS }, (_, i) => weight(i % SIZE) * (i < PIXELS ? -0.5 : 0.5));
  const float = (name: string, shape: readonly number[], data?: Float32Array) =>
    ({ name, dtype: "float32", shape, ...(data && { data: bytesOf(data) }) }) as const;
  const id = (at: number) => at as TensorId;
  return {
    name: "linear",
    tensors: [
      float("image", [1, SIZE, SIZE, 1]),
      float("flat", [1, PIXELS]),
      float("weights", [2, PIXELS], w),
      float("bias", [2], Float32Array.of(bias / 2, -bias / 2)),
      float("scores", [1, 2]),
      float("probabilities", [1, 2]),
    ],
    nodes: [
      { kind: "reshape", where: "0", inputs: [id(0)], outputs: [id(1)], attributes: { shape: [1, PIXELS] } },
      {
        kind: "fullyConnected",
        where: "1",
        inputs: [id(1), id(2), id(3)],
        outputs: [id(4)],
        attributes: { activation: "none", keepDims: false },
      },
      { kind: "softmax", where: "2", inputs: [id(4)], outputs: [id(5)], attributes: { beta: 1 } },
    ].slice(0, end === "softmax" ? 3 : 2) as never,
    inputs: [{ name: "image", tensor: id(0) }],
    outputs: [{ name: "scores", tensor: id(end === "softmax" ? 5 : 4) }],
    subgraphs: [],
  };
}

/** Pictures of which each is one of two, in turns; the corners reach both ends of the range. */
function pictures(pixel: (of: number, x: number) => number, [lo, hi]: readonly [number, number] = [0, 1]): Dataset {
  const samples = Array.from({ length: 40 }, (_, i) => {
    const values = Float32Array.from({ length: PIXELS }, (_, at) => lo + (hi - lo) * pixel(i % 2, at % SIZE));
    values[0] = lo;
    values[PIXELS - 1] = hi;
    return { inputs: [values] };
  });
  return {
    size: samples.length,
    async *[Symbol.asyncIterator]() {
      yield* samples;
    },
  };
}

async function found(graph: Graph, data: Dataset, objective: "classes" | "values" = "classes") {
  const goal = goalOf(graph, objective);
  return fitting(await storeOf(data, [[SIZE, SIZE, 1]], goal), goal, { teacher: graph, threads: 1 });
}

describe("changes that fit", () => {
  test("who tells left from right is neither mirrored nor inverted, but lit otherwise and turned", async () => {
    const sided = linear((x) => (x < SIZE / 2 ? -1 : 1), 0);
    const kinds = await found(
      sided,
      pictures((of, x) => (of === Number(x < SIZE / 2) ? 0.2 : 0.8)),
    );
    assert.deepEqual(kinds, AUGMENTATION);
  });

  test("who doubts anyway is asked for what is lost: twice the doubt would be no answer at all", async () => {
    // Doubt 0.4, upside down 0.6, chance 0.5: less than twice the doubt, and yet every class is another.
    const unsure = linear(() => 2 * 0.0235, PIXELS * 0.0235);
    const kinds = await found(
      unsure,
      pictures((of) => 0.44 + 0.12 * of),
    );
    assert.equal(kinds.flip, 0.5);
    assert.equal(kinds.invert, undefined);
  });

  test("who tells bright from dark is mirrored, and lit as far as that changes no class", async () => {
    const light = linear(() => 2, PIXELS);
    const {
      brightness = 0,
      contrast,
      ...others
    } = await found(
      light,
      pictures((of) => 0.44 + 0.12 * of),
    );
    assert.equal(brightness, (AUGMENTATION.brightness as number) / 2);
    assert.equal(contrast, AUGMENTATION.contrast);
    assert.equal(others.flip, 0.5);
    assert.equal(others.invert, undefined);
    assert.equal(others.rotation, AUGMENTATION.rotation);
  });

  test("who reads columns that stand closely is not moved: spectrograms", async () => {
    const comb = linear((x) => (x % 2 === 0 ? -1 : 1), 0);
    const kinds = await found(
      comb,
      pictures((of, x) => (of === x % 2 ? 0.2 : 0.8), [-8, 4]),
    );
    const { noise, brightness, contrast } = AUGMENTATION;
    assert.ok((kinds.shift ?? 0) < 1, `${kinds.shift}`);
    assert.deepEqual([kinds.noise, kinds.brightness, kinds.contrast], [noise, brightness, contrast]);
  });

  test("who gives how bright a picture is bears a turn, and little light; numbers that are no pixels stay as they are", async () => {
    const values = linear(() => 1, 0, "none");
    const light = (of: number) => 0.3 + 0.4 * of;
    const kinds = await found(values, pictures(light), "values");
    assert.equal(kinds.rotation, AUGMENTATION.rotation);
    assert.equal(kinds.flip, 0.5);
    assert.equal(kinds.invert, undefined);
    assert.equal(kinds.brightness, (AUGMENTATION.brightness as number) / 2);
    assert.deepEqual(await found(values, pictures(light, [-8, 4]), "values"), {});
  });

  test("who gives where something is bears no other place", async () => {
    const place = linear((x) => x, 0, "none");
    const column = pictures((of, x) => Number(x === 3 + 5 * of));
    const kinds = await found(place, column, "values");
    assert.ok((kinds.shift ?? 0) < (AUGMENTATION.shift as number));
    assert.equal(kinds.flip, undefined);
    assert.ok((kinds.noise ?? 0) > 0);
  });

  test("is what distilling takes unless it is told", async () => {
    const comb = linear((x) => (x % 2 === 0 ? -1 : 1), 0);
    const data = pictures((of, x) => (of === x % 2 ? 0.2 : 0.8));
    const options = { student: comb, epochs: 2, batch: 8, threads: 1, copies: 2 } as const;
    const bytes = async (more: object) =>
      (await distil(comb, data, { ...options, ...more })).tensors.map((t) => t.data);
    const fits = await found(comb, data);
    assert.deepEqual(await bytes({}), await bytes({ augment: fits }));
    assert.notDeepEqual(await bytes({}), await bytes({ augment: AUGMENTATION }));
    await assert.rejects(bytes({ augment: "none" }), { code: "INVALID_OPTION" });
  });
});
