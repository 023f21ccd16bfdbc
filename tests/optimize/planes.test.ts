/** Channels before the places, as PyTorch has them, or behind: the same pictures, networks and teachers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openData } from "../../bindings/cli/data.ts";
import { arrayDataset } from "../../bindings/optimize/data/arrays.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { moved } from "../../bindings/optimize/data/planes.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { AUGMENTATION } from "../../bindings/optimize/train/augment.ts";
import { distil, freshFor } from "../../bindings/optimize/train/distil.ts";
import { augment } from "../../bindings/optimize/train/pictures.ts";
import { fromPlanes, isPlanar } from "../../bindings/optimize/train/planes.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { all, dataFolder, npy, port } from "./data-files.ts";

const LAST = [1, 6, 5, 3];
const FIRST = [1, 3, 6, 5];
const toFront = moved(LAST, FIRST) as (values: Float32Array) => Float32Array;
const random = randomOf(5);
const pictures = Array.from({ length: 24 }, () =>
  Float32Array.from({ length: 90 }, () => Math.floor(random.uniform() * 256)),
);
const { put } = dataFolder("planes");

test("numbers are moved there and back, several samples at once; what is no such order is left", () => {
  const two = Float32Array.from({ length: 24 }, (_, i) => i);
  const there = moved([1, 2, 3, 2], [1, 2, 2, 3])?.(two);
  assert.deepEqual([...(there ?? [])].slice(0, 14), [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11, 12, 14]);
  assert.deepEqual(moved([1, 2, 2, 3], [1, 2, 3, 2])?.(there as Float32Array), two);
  for (const [from, to] of [
    [
      [1, 4, 4, 3],
      [1, 4, 4, 3],
    ],
    [
      [1, 48],
      [1, 4, 4, 3],
    ],
    [
      [1, 4, 4, 1],
      [1, 1, 4, 4],
    ],
    [
      [1, 4, 6, 3],
      [1, 6, 4, 3],
    ],
  ] as const)
    assert.equal(moved(from, to), undefined);
});

describe("arrays of either order fit inputs of either", () => {
  const bytes = (order: (values: Float32Array) => Float32Array) =>
    Uint8Array.from(pictures.flatMap((each) => [...order(each)]));
  const same = (values: Float32Array) => values;
  for (const [name, mean] of [
    ["one mean", [100]],
    ["a mean for each channel", [10, 20, 30]],
  ] as const)
    test(`pixels, ${name}`, async () => {
      const options = { mean, std: [50] };
      const wanted = pictures.map((each) => each.map((v, i) => (v - (mean[i % mean.length] as number)) / 50));
      for (const [rows, order] of [
        [LAST, same],
        [FIRST, toFront],
      ] as const)
        for (const [to, expected] of [
          [LAST, same],
          [FIRST, toFront],
        ] as const) {
          const data = put("x.npy", npy("|u1", [24, ...rows.slice(1)], bytes(order)));
          const found = await all(await openData({ data, ...options }, [port(...to)]));
          assert.deepEqual(
            found.map(({ inputs }) => inputs[0]),
            wanted.map(expected),
          );
        }
    });
  test("numbers, whose report says so", async () => {
    const data = arrayDataset(
      [port(...LAST)],
      [{ shape: [24, 3, 6, 5], values: pictures.flatMap((each) => [...toFront(each)]), pixels: "numbers" }],
    );
    assert.equal(data.preparation, "numbers as they are, channels moved");
    assert.deepEqual(
      (await all(data)).map(({ inputs }) => inputs[0]),
      pictures,
    );
  });
});

test("a picture of planes is changed as one of pixels is", () => {
  const [a, b] = [new Float32Array(90), new Float32Array(90)];
  const kinds = { ...AUGMENTATION, noise: 0, flip: 0.5 };
  const [height, width, channels] = [6, 5, 3];
  augment(pictures[0] as Float32Array, a, { height, width, channels, planar: false }, [0, 255], kinds, randomOf(1));
  augment(
    toFront(pictures[0] as Float32Array),
    b,
    { height, width, channels, planar: true },
    [0, 255],
    kinds,
    randomOf(1),
  );
  assert.deepEqual(b, toFront(a));
});

describe("networks that take planes", () => {
  const last = freshNetwork("ds-cnn:0.5", { shape: LAST, classes: 4, seed: 1 });
  const first = fromPlanes(last, FIRST);
  const labelled = (order: (values: Float32Array) => Float32Array) =>
    datasetOf(
      pictures.map((each, i) => ({ inputs: [order(each).map((v) => v / 255)], label: i % 4 })),
      { size: 24 },
    );
  const planes = labelled(toFront);

  test("are known by what moves their channels", () => {
    assert.deepEqual([last, first].map(isPlanar), [false, true]);
    const grey = freshNetwork("ds-cnn:0.5", { shape: [1, 8, 8, 1], classes: 4, seed: 1 });
    assert.deepEqual([grey, freshFor(fromPlanes(grey, [1, 1, 8, 8]), "ds-cnn", 0)].map(isPlanar), [false, true]);
  });

  test("teach fresh students of the same input, whose windows go over places", async () => {
    const student = freshFor(first, "ds-cnn:0.5", 1);
    assert.deepEqual(student.tensors[student.inputs[0]?.tensor ?? 0]?.shape, FIRST);
    const weights = (graph: typeof last) => graph.tensors.filter(({ data }) => data).map(({ shape }) => shape.join());
    assert.deepEqual(weights(student).slice(0, -1), weights(last));
    const once = { epochs: 1, batch: 8, threads: 1, student: "ds-cnn:0.5" } as const;
    const [a, b] = [
      await distil(first, planes, once),
      await distil(
        last,
        labelled((v) => v),
        once,
      ),
    ];
    const { outputs } = await evaluate(a, planes, { against: b });
    assert.ok((outputs?.meanError ?? 1) < 1e-5, `${outputs?.meanError}`);
  });

  test("teach students that take pixels, and are compared with them", async () => {
    const { outputs } = await evaluate(
      last,
      labelled((v) => v),
      { against: first },
    );
    assert.equal(outputs?.meanError, 0);
    const once = { epochs: 1, batch: 8, threads: 1, student: last } as const;
    const [a, b] = [
      await distil(
        first,
        labelled((v) => v),
        once,
      ),
      await distil(
        last,
        labelled((v) => v),
        once,
      ),
    ];
    assert.deepEqual(a, b);
    const small = freshNetwork("ds-cnn:0.5", { shape: [1, 4, 4, 3], classes: 4, seed: 1 });
    await assert.rejects(distil(small, planes, { ...once, student: first }), {
      code: "INVALID_OPTION",
      message: /teacher: expected inputs of the student's size, \[1,3,6,5\], received \[1,4,4,3\]/,
    });
  });
});
