/** What data says that regressions and segmentations should give. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openData } from "../../bindings/cli/data.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { all, dataFolder, IMAGES, npy, port, text } from "./data-files.ts";

const { folder, put } = dataFolder("targets");

test("numbers that are not whole are what a regression should give", async () => {
  const inputs = put("r.npy", npy("<f4", [2, 4], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
  const targets = put("t.npy", npy("<f4", [2, 2], Float32Array.of(0.5, 1, -2, 3)));
  const csv = put("r.csv", text("a,b,c,d,target\n1,2,3,4,0.5\n5,6,7,8,-1\n"));
  const of = async (options: Parameters<typeof openData>[0]) =>
    (await all(await openData(options, [port(1, 4)]))).map((each) => [...(each.targets?.[0] ?? []), each.label]);
  assert.deepEqual(await of({ data: inputs, labels: targets }), [
    [0.5, 1, undefined],
    [-2, 3, undefined],
  ]);
  assert.deepEqual(await of({ data: csv }), [
    [0.5, undefined],
    [-1, undefined],
  ]);
  const several = put("s.csv", text("a,y_1,b,c,d,y_2\n1,0,2,3,4,10\n5,-2,6,7,8,20\n"));
  const expected = [
    [0, 10, undefined],
    [-2, 20, undefined],
  ];
  assert.deepEqual(await of({ data: several }), expected);
  assert.deepEqual(await of({ data: several, labels: "y_1, y_2" }), expected);
  assert.deepEqual(await of({ data: inputs, labels: put("l.csv", text("x; y\n0; 10\n-2; 20\n")) }), expected);
  assert.deepEqual(await of({ data: inputs, labels: put("m.csv", text("0 10\n-2 20\n")) }), expected);
  const below = put("below.npy", npy("<i4", [2], Int32Array.of(3, -1)));
  assert.deepEqual(await of({ data: inputs, labels: below }), [
    [3, undefined],
    [-1, undefined],
  ]);
  const few = put("few.npy", npy("<f4", [3, 1], Float32Array.of(0.5, 1.5, 2)));
  await assert.rejects(openData({ data: inputs, labels: few }, [port(1, 4)]), /expected 2 targets/);
});

test("a 1 among zeros is a class, where all examples have one", async () => {
  const inputs = put(
    "r.npy",
    npy(
      "<f4",
      [3, 4],
      Float32Array.from({ length: 12 }, (_, i) => i),
    ),
  );
  const hot = [0, 0, 1, 1, 0, 0, 0, 0, 1];
  const of = async (options: Parameters<typeof openData>[0]) =>
    (await all(await openData(options, [port(1, 4)]))).map(({ label, targets }) => label ?? targets?.[0]?.length);
  assert.deepEqual(
    await of({ data: inputs, labels: put("hot.npy", npy("<f4", [3, 3], Float32Array.from(hot))) }),
    [2, 0, 2],
  );
  assert.deepEqual(await of({ data: inputs, labels: put("hot.csv", text("0,0,1\n1,0,0\n0,0,1\n")) }), [2, 0, 2]);
  const table = text("a,b,c,d,class_a,class_b\n1,2,3,4,0,1\n5,6,7,8,1,0\n");
  assert.deepEqual(await of({ data: put("columns.csv", table) }), [1, 0]);
  for (const other of [
    [0, 0, 1, 1, 0, 0, 0, 0, 0],
    [0, 0, 1, 1, 0, 1, 0, 0, 1],
    [0, 0, 1, 1, 0, 0, 0, 0.5, 1],
  ])
    assert.deepEqual(
      await of({ data: inputs, labels: put("o.npy", npy("<f4", [3, 3], Float32Array.from(other))) }),
      [3, 3, 3],
    );
});

test("numbers that are no classes of a model are named", async () => {
  const graph = freshNetwork("mlp:0.25", { shape: [1, 4], classes: 3, seed: 0 });
  const samples = [0, -1].map((label) => ({ inputs: [new Float32Array(4)], targets: [Float32Array.of(label)] }));
  const said = {
    code: "INVALID_INPUT",
    message: /expected labels below 3, as many as the model has scores, received -1/,
  };
  await assert.rejects(evaluate(graph, datasetOf(samples)), said);
});

test("classes of a picture's places, also for files of pictures", async () => {
  const maps = put(
    "maps.npy",
    npy(
      "|u1",
      [3, 2, 2],
      Uint8Array.from({ length: 12 }, (_, i) => i % 4),
    ),
  );
  const samples = await all(await openData({ data: put("a.idx", IMAGES), labels: maps }, [port(1, 2, 2, 1)]));
  assert.deepEqual(
    samples.map(({ targets, label }) => [...(targets?.[0] ?? []), label]),
    Array.from({ length: 3 }, () => [0, 1, 2, 3, undefined]),
  );
  for (const name of ["0", "1"]) put(`arrays/${name}.npy`, npy("<f4", [2], new Float32Array(2)));
  const options = { data: join(folder, "arrays"), labels: put("arrays.csv", text("0.5,1\n2,3\n")) };
  const files = await all(await openData(options, [port(1, 2)]));
  assert.deepEqual(
    files.map(({ targets }) => [...(targets?.[0] ?? [])]),
    [
      [0.5, 1],
      [2, 3],
    ],
  );
});
