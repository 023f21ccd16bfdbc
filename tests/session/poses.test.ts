/** PosenetDecoderOp: people that are planted in heatmaps and offsets are found, in models and in saved plans. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import { loadModel, loadModule, loadPlan } from "../../bindings/public/index.ts";
import { Queue } from "../../bindings/session/poses.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { refusedModel } from "../formats/refused.ts";
import { flexMap } from "../formats/tflite/flex.ts";

const [SIZE, STRIDE] = [33, 16];
const EDGES = "0-1 1-3 0-2 2-4 0-5 5-7 7-9 5-11 11-13 13-15 0-6 6-8 8-10 6-12 12-14 14-16"
  .split(" ")
  .map((edge) => edge.split("-").map(Number) as [number, number]);

type Place = readonly [number, number];
/** A person's 17 places around (y, x). */
const person = (y: number, x: number): readonly Place[] =>
  Array.from({ length: 17 }, (_, id) => [y + Math.floor(id / 4), x + 2 * (id % 4)]);

interface Person {
  readonly places: readonly Place[];
  /** Log-odds of each keypoint; the nose's is one more. */
  readonly score: number;
}

const OPTIONS = { max_detections: 5, score_threshold: 0.5, stride: STRIDE, nms_radius: 20 };

/** Fields in which each person's keypoints lead to the next ones; places right of column 16 belong to the last person. */
function fieldsOf(people: readonly Person[]) {
  const field = (channels: number, value: number) => new Float32Array(SIZE * SIZE * channels).fill(value);
  const [heatmaps, shorts, mids, longs] = [field(17, -9), field(34, 0), field(64, 0), field(34, 0)];
  for (const { places, score } of people) {
    for (const [id, [y, x]] of places.entries()) heatmaps[(y * SIZE + x) * 17 + id] = id === 0 ? score + 1 : score;
    for (const [edge, [a, b]] of EDGES.entries())
      for (const [from, to, channel] of [
        [a, b, edge],
        [b, a, edge + 32],
      ] as const) {
        const [start, end] = [places[from], places[to]] as [Place, Place];
        const at = (start[0] * SIZE + start[1]) * 64 + channel;
        mids[at] = STRIDE * (end[0] - start[0]);
        mids[at + 16] = STRIDE * (end[1] - start[1]);
      }
  }
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++)
      for (let id = 0; id < 17; id++) {
        const { places } = (x > 16 ? people.at(-1) : people[0]) as Person;
        const at = (y * SIZE + x) * 34 + id;
        longs[at] = STRIDE * ((places[id] as Place)[0] - y);
        longs[at + 17] = STRIDE * ((places[id] as Place)[1] - x);
      }
  return [heatmaps, shorts, mids, longs] as const;
}

const CHANNELS = [17, 34, 64, 34];

function model(inputs: 3 | 4, options: { readonly [key: string]: number } = OPTIONS): Uint8Array {
  const shapes = [[1, 5, 17, 2], [1, 5, 17], [1, 5], [1], [1, 5, 33, 33]].slice(0, inputs + 1);
  const fields = CHANNELS.slice(0, inputs).map((channels) => [1, SIZE, SIZE, channels]);
  return buildTflite({
    tensors: [...fields, ...shapes].map((shape, i) => ({ name: `t${i}`, dtype: "float32", shape })),
    operators: [
      {
        code: "CUSTOM",
        custom: "PosenetDecoderOp",
        customOptions: flexMap(options),
        inputs: fields.map((_, i) => i),
        outputs: shapes.map((_, i) => inputs + i),
      },
    ],
    inputs: fields.map((_, i) => i),
    outputs: shapes.map((_, i) => inputs + i),
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const LEFT = { places: person(4, 3), score: 2 };
const RIGHT = { places: person(20, 20), score: 3 };
const WEAK = { places: person(26, 2), score: -1.5 };

function check(outputs: readonly Float32Array[], expected: readonly Person[]): void {
  const [places, scores, poses, count] = outputs as [Float32Array, Float32Array, Float32Array, Float32Array];
  assert.deepEqual([...count], [expected.length]);
  for (const [i, { places: own, score }] of expected.entries()) {
    assert.deepEqual(
      [...places.slice(34 * i, 34 * i + 34)],
      own.flat().map((at) => at * STRIDE),
    );
    const each = Array.from({ length: 17 }, (_, id) => sigmoid(id === 0 ? score + 1 : score));
    for (const [id, value] of each.entries()) assert.ok(Math.abs((scores[17 * i + id] as number) - value) < 1e-6);
    assert.ok(Math.abs((poses[i] as number) - each.reduce((a, b) => a + b) / 17) < 1e-6);
  }
  assert.ok(places.slice(34 * expected.length).every((value) => value === 0));
}

test("people are found by their scores, weak ones are not", async () => {
  const session = await loadModel(model(3), { module: "simd" });
  const run = (...people: readonly Person[]) => Object.values(session.run(fieldsOf(people).slice(0, 3) as never));
  check(run(LEFT, WEAK, RIGHT) as never, [RIGHT, LEFT]);
  check(run(WEAK) as never, []);
  session.close();
});

test("keypoints under those of a surer person do not count", async () => {
  const session = await loadModel(model(3), { module: "scalar" });
  // The other's wrists and ankles stand where the first's do; the rest is elsewhere.
  const places = LEFT.places.map(([y, x], id): Place => ([9, 10, 15, 16].includes(id) ? [y, x] : [y + 12, x]));
  const other = { places, score: 2 };
  const [, , poses, count] = Object.values(session.run(fieldsOf([LEFT, other]).slice(0, 3) as never)) as Float32Array[];
  assert.deepEqual([...(count as Float32Array)], [2]);
  const [first, second] = poses as unknown as [number, number];
  assert.ok(Math.abs(first - second - (4 * sigmoid(2)) / 17) < 1e-6, `${first} and ${second}`);
  session.close();
});

test("masks, from a saved plan", async () => {
  const fields = fieldsOf([LEFT, RIGHT]);
  const graph = runPasses(importModel(model(4), {}));
  const { name, hash } = await loadModule("simd");
  const plan = planGraph(graph, { module: name, moduleHash: hash });
  await assert.rejects(compileModel(plan), (error) => error instanceof Pint8Error && error.code === "UNSUPPORTED");
  const session = await loadPlan(writePlan(plan));
  const outputs = Object.values(session.run(fields as never)) as Float32Array[];
  check(outputs, [RIGHT, LEFT]);
  const [right, left] = [0, 1].map((i) => (outputs[4] as Float32Array).slice(i * SIZE * SIZE, (i + 1) * SIZE * SIZE));
  const columns = Array.from({ length: SIZE * SIZE }, (_, i) => i % SIZE);
  assert.deepEqual(
    [...(right as Float32Array)],
    columns.map((x) => Number(x > 16)),
  );
  assert.deepEqual(
    [...(left as Float32Array)],
    columns.map((x) => Number(x <= 16)),
  );
  session.close();
});

test("what it refuses", async () => {
  await refusedModel(model(3, { ...OPTIONS, max_detections: 0 }), "INVALID_MODEL", /"max_detections" from 1 to 1000/);
  await refusedModel(model(3, { ...OPTIONS, stride: 0.5 }), "INVALID_MODEL", /"stride" from 1/);
});

/** Of libstdc++'s std::priority_queue, with the same pushes and pops. */
const ORDER = [
  1, 5, 10, 14, 15, 16, 7, 19, 32, 33, 21, 38, 22, 24, 17, 37, 8, 34, 6, 31, 4, 3, 20, 18, 35, 28, 23, 9, 29, 30, 11,
  27, 25, 0, 39, 2, 12, 26, 13, 36,
];

test("equal scores leave the queue in the order of C++'s", () => {
  const queue = new Queue();
  let state = 7;
  const left: number[] = [];
  for (let id = 0; id < 40; id++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    queue.push({ y: 0, x: 0, id, score: (state >>> 24) % 5 });
    if (id % 4 === 3) left.push(queue.pop().id);
  }
  while (queue.size > 0) left.push(queue.pop().id);
  assert.deepEqual(left, ORDER);
});
