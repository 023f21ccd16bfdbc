/** What networks are trained for: classes of each place, values, embeddings; chosen by output and data, their gradients, and that they learn. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import type { Dataset, Sample } from "../../../bindings/optimize/data/types.ts";
import { evaluate } from "../../../bindings/optimize/evaluate/evaluate.ts";
import { prune } from "../../../bindings/optimize/prune/prune.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import { freshNetwork } from "../../../bindings/optimize/train/architectures/index.ts";
import { AUGMENTATION } from "../../../bindings/optimize/train/augment.ts";
import { distil, freshFor } from "../../../bindings/optimize/train/distil.ts";
import type { Objective } from "../../../bindings/optimize/train/kinds.ts";
import { goalOf } from "../../../bindings/optimize/train/objective.ts";
import type { Progress } from "../../../bindings/optimize/train/options.ts";
import { augment, augmentPlaces } from "../../../bindings/optimize/train/pictures.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { train } from "../../../bindings/optimize/train/train.ts";
import { type Builder, buildNetwork } from "../support/networks.ts";
import { DECISIONS, EMBEDDINGS, FRESH, logistic, pixels, SIZE, softmax, toFront, VALUES } from "../support/pixels.ts";

/** One channel, which stands first or last alike. */
const logisticPlane = (to: Builder, x: TensorId) =>
  to.node("reshape", [logistic(to, x)], { shape: [1, 1, SIZE, SIZE] });

const plane = (to: Builder, x: TensorId) => to.node("reshape", [x], { shape: [1, 1, SIZE, SIZE] });

describe("what a network is trained for", () => {
  const of = (graph: Graph, sample?: Partial<Sample>, objective?: Objective) => {
    const { objective: own, places, width, grid } = goalOf(graph, objective, sample && { inputs: [], ...sample });
    return `${own} ${places} × ${width} [${grid}]`;
  };
  const targets = (count: number) => ({ targets: [new Float32Array(count)] });
  for (const [name, found, expected] of [
    ["probabilities", of(freshNetwork("ds-cnn", FRESH), { label: 1 }), "classes 1 × 2 []"],
    ["a softmax for each pixel", of(pixels(3, softmax)), "classes 64 × 3 [8,8]"],
    ["classes moved to the front", of(pixels(3, toFront)), "classes 64 × 3 [8,8]"],
    ["softmax, then moved", of(pixels(3, (to, x) => toFront(to, softmax(to, x)))), "classes 64 × 3 [8,8]"],
    ["labels of each pixel", of(pixels(3), targets(64)), "classes 64 × 3 [8,8]"],
    ["numbers of each pixel", of(pixels(3), targets(192)), "values 64 × 3 [8,8]"],
    ["numbers, moved", of(pixels(3, toFront), targets(192)), "values 24 × 8 [3,8]"],
    ["a number of each pixel", of(pixels(1)), "values 64 × 1 [8,8]"],
    ["a number of each pixel, as PyTorch has it", of(pixels(1, plane)), "values 8 × 8 [1,8]"],
    ["… moved", of(pixels(1, toFront)), "values 8 × 8 [1,8]"],
    ["a chance of each pixel", of(pixels(1, logistic)), "classes 64 × 1 [8,8]"],
    ["a chance of each pixel, as PyTorch has it", of(pixels(1, logisticPlane)), "classes 64 × 1 [8,8]"],
    [
      "decisions of each pixel",
      of(pixels(1, logistic), { targets: [new Float32Array(64).fill(1)] }),
      "classes 64 × 1 [8,8]",
    ],
    [
      "parts of each pixel",
      of(pixels(1, logistic), { targets: [new Float32Array(64).fill(0.5)] }),
      "values 64 × 1 [8,8]",
    ],
    ["several chances", of(DECISIONS, targets(2)), "classes 2 × 1 []"],
    ["two numbers without targets", of(VALUES), "classes 1 × 2 []"],
    ["two targets", of(VALUES, targets(2)), "values 1 × 2 []"],
    ["what is said", of(VALUES, undefined, "embeddings"), "embeddings 1 × 2 []"],
    ["L2 normalization", of(EMBEDDINGS, { label: 3 }), "embeddings 1 × 16 []"],
  ] as const)
    test(name, () => assert.equal(found, expected));
});

/** Pictures of a bright square in noise: where its middle is, and which pixels are it. */
function squares(count: number, seed: number, answer: (x: number, y: number) => Partial<Sample>): Dataset {
  const samples = Array.from({ length: count }, (_, i): Sample => {
    const random = randomOf(seed, i);
    const [x, y] = [1 + Math.floor(random.uniform() * 6), 1 + Math.floor(random.uniform() * 6)];
    const inputs = [Float32Array.from({ length: SIZE * SIZE }, (_, at) => inside(at, x, y) + random.normal() * 0.1)];
    return { inputs, ...answer(x, y) };
  });
  return datasetOf(samples, { size: count });
}

const inside = (at: number, x: number, y: number) =>
  Number(Math.max(Math.abs((at % SIZE) - x), Math.abs(Math.floor(at / SIZE) - y)) <= 1);
const middle = (x: number, y: number) => ({ targets: [Float32Array.of(x / 4 - 1, y / 4 - 1)] });
const map = (x: number, y: number) => ({
  targets: [Float32Array.from({ length: SIZE * SIZE }, (_, at) => inside(at, x, y))],
});

const USUAL = { batch: 16, rate: 0.01, threads: 1 } as const;

describe("learns", () => {
  test("values, told by their error", async () => {
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => told.push(progress);
    const validation = squares(40, 2, middle);
    const options = { ...USUAL, normalization: "fresh", epochs: 20, validation, onProgress } as const;
    const trained = await train(VALUES, squares(160, 1, middle), options);
    const { model } = await evaluate(trained, validation);
    const before = (await evaluate(VALUES, validation)).model.targets?.meanError as number;
    const error = model.targets?.meanError as number;
    assert.ok(error < 0.12 && before > 0.3, `${before} to ${error}`);
    assert.equal(model.classes, undefined);
    const last = told.at(-1) as Progress;
    assert.ok(Number.isNaN(last.accuracy) && last.error < 0.2, `${last.error}`);
    assert.ok(Math.abs((last.validation as number) - error) < 1e-4, `${last.validation}, ${error}`);
  });

  test("a class for each pixel, also with classes at the front and moved pictures", async () => {
    for (const [after, normalization] of [
      [softmax, "none"],
      [toFront, "fresh"],
      [logistic, "none"],
    ] as const) {
      const told: Progress[] = [];
      const options = { ...USUAL, augment: AUGMENTATION, normalization, epochs: 8 } as const;
      const onProgress = (progress: Progress) => told.push(progress);
      const validation = squares(40, 2, map);
      const trained = await train(pixels(after === logistic ? 1 : 2, after), squares(160, 1, map), {
        ...options,
        validation,
        onProgress,
      });
      const { classes } = (await evaluate(trained, validation)).model;
      assert.ok((classes?.top1 as number) > 0.97 && (classes?.iou as number) > 0.9, JSON.stringify(classes));
      const last = told.at(-1) as Progress;
      assert.ok(last.accuracy > 0.9 && Math.abs((last.validation as number) - (classes?.top1 as number)) < 1e-6);
    }
  });

  test("decisions by labels and lists, and from a teacher without them", async () => {
    const right = (x: number, y: number) => ({ targets: [Float32Array.of(Number(x > 3), Number(y > 3))] });
    const options = { ...USUAL, normalization: "fresh", epochs: 20 } as const;
    const taught = await train(DECISIONS, squares(160, 1, right), options);
    const found = async (graph: Graph, data: Dataset) => (await evaluate(graph, data)).model.classes?.top1 as number;
    assert.ok((await found(taught, squares(40, 2, right))) > 0.9);
    const student = { student: "ds-cnn:0.5", augment: {}, ...USUAL, epochs: 20 };
    const learned = await distil(
      taught,
      squares(160, 1, () => ({})),
      student,
    );
    assert.ok((await found(learned, squares(40, 2, right))) > 0.85);
    const single = freshNetwork("ds-cnn:0.5", { ...FRESH, classes: 1, gives: "decisions" });
    const above = (_: number, y: number) => ({ label: Number(y > 3) });
    assert.ok((await found(await train(single, squares(160, 1, above), options), squares(40, 2, above))) > 0.9);
    const either = (x: number) => ({ label: Number(x > 3) });
    assert.ok((await found(await train(DECISIONS, squares(160, 1, either), options), squares(40, 2, either))) > 0.9);
  });

  test("a teacher's values and embeddings, without labels; into fresh networks too", async () => {
    const [data, test] = [squares(160, 1, () => ({})), squares(40, 2, () => ({}))];
    const taught = await train(VALUES, squares(160, 1, middle), { ...USUAL, normalization: "fresh", epochs: 20 });
    for (const [teacher, objective, most] of [
      [taught, "values", 0.15],
      [EMBEDDINGS, "embeddings", 0.05],
    ] as const) {
      const student = freshFor(teacher, "ds-cnn:0.5", 5, objective);
      const apart = async (graph: Graph) => {
        const { outputs } = await evaluate(graph, test, { against: teacher, layerSamples: 0 });
        return objective === "values" ? (outputs?.meanError as number) : 1 - (outputs?.cosine as number);
      };
      const options = { ...USUAL, augment: {}, epochs: 16, seed: 5, student: "ds-cnn:0.5" };
      const own = objective === "values" ? { objective } : {};
      const [before, after] = [await apart(student), await apart(await distil(teacher, data, { ...options, ...own }))];
      assert.ok(after < most && before > 2 * after, `${objective}: ${before} to ${after}`);
    }
  });

  test("one by one, where samples of a batch would meet, as it does with them together", async () => {
    const network = (order: readonly number[]) => {
      const to = buildNetwork([1, SIZE, SIZE, 1], 3);
      const flat = to.node("reshape", [to.input], { shape: [1, SIZE, SIZE] });
      const turned = to.node("transpose", [flat, to.integers(...order)], {});
      const back = to.node("transpose", [turned, to.integers(...order)], {});
      const rows = to.node("reshape", [back], { shape: [1, SIZE * SIZE] });
      const weights = [to.weights([8, SIZE * SIZE], 0.1), to.weights([8], 0.1)] as const;
      const hidden = to.node("fullyConnected", [rows, ...weights], { activation: "relu", keepDims: false });
      const last = [hidden, to.weights([2, 8], 0.3), to.weights([2], 0.1)] as const;
      return to.graph(to.node("fullyConnected", last, { activation: "none", keepDims: false }));
    };
    const data = squares(64, 1, middle);
    const masks = new Map([[network([0, 2, 1]).nodes[5]?.inputs[1] as TensorId, new Uint8Array(16).fill(1, 0, 12)]]);
    const options = { ...USUAL, normalization: "none", epochs: 5, masks } as const;
    const [together, alone] = [
      await train(network([0, 2, 1]), data, options),
      await train(network([1, 0, 2]), data, options),
    ];
    const floats = ({ tensors }: Graph) =>
      tensors.flatMap(({ dtype, data }) =>
        dtype === "float32" && data ? [...new Float32Array(data.slice().buffer)] : [],
      );
    const [expected, found] = [floats(together), floats(alone)];
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (found[i] as number)) < 1e-4, `${i}`);
    assert.ok(floats(network([0, 2, 1])).some((value, i) => Math.abs(value - (found[i] as number)) > 0.02));
    await train(network([1, 0, 2]), data, { ...USUAL, epochs: 1 });
  });

  test("channels of a regression are scored by its values", async () => {
    const data = squares(160, 1, middle);
    const trained = await train(VALUES, data, { ...USUAL, normalization: "fresh", epochs: 20 });
    const { graph } = await prune(trained, data, {
      pattern: "channels",
      sparsity: 0.3,
      tune: { epochs: 4, batch: 16 },
    });
    const error = (await evaluate(graph, squares(40, 2, middle))).model.targets?.meanError as number;
    assert.ok(error < 0.2, `${error}`);
  });
});

test("classes of places follow what happens to their picture", () => {
  const picture = { height: 16, width: 16, channels: 1, planar: false };
  const classes = Int32Array.from({ length: 256 }, (_, i) => Number(i % 16 > 8) + 2 * Number(i > 100));
  const kinds = { ...AUGMENTATION, contrast: 0, brightness: 0, noise: 0, flip: 0.5 };
  for (let copy = 0; copy < 20; copy++) {
    const [moved, pixels] = [new Int32Array(256), new Float32Array(256)];
    augment(Float32Array.from(classes), pixels, picture, [0, 3], kinds, randomOf(1, copy));
    augmentPlaces(classes, moved, [16, 16], picture, kinds, randomOf(1, copy));
    // Where pixels are mixed of two classes, nothing is to be compared.
    const clear = [...pixels.keys()].filter((i) => Math.abs((pixels[i] as number) % 1) < 1e-6);
    assert.ok(clear.length > 150);
    for (const i of clear) assert.equal(moved[i], pixels[i]);
  }
  const coarse = new Int32Array(16);
  augmentPlaces(
    Int32Array.from({ length: 16 }, (_, i) => i),
    coarse,
    [4, 4],
    picture,
    {},
    randomOf(0),
  );
  assert.deepEqual([...coarse], [...coarse.keys()]);
});

describe("refused", () => {
  const given = (sample: Partial<Sample>) => squares(20, 1, () => sample);
  const numbers = (...values: number[]) => ({ targets: [Float32Array.of(...values)] });
  for (const [name, act, message] of [
    [
      "three targets of two",
      () => train(VALUES, given(numbers(1, 2, 3)), { objective: "values" }),
      /2 targets.*received 3/,
    ],
    [
      "a class in place of targets",
      () => train(VALUES, given({ label: 1 }), { objective: "values" }),
      /targets.*class 1/,
    ],
    ["a target that is not finite", () => train(VALUES, given(numbers(1, Number.NaN))), /finite/],
    ["one class for all pixels", () => train(pixels(3), given({ label: 1 })), /a class for each of 64 places.*class 1/],
    ["a class that is none", () => train(pixels(2), given({ targets: [new Float32Array(64).fill(2)] })), /0 to 1.*2/],
    ["half a class", () => train(pixels(2), given({ targets: [new Float32Array(64).fill(0.5)] })), /0 to 1.*0.5/],
    ["no targets", () => train(VALUES, given({}), { objective: "values" }), /targets for every sample/],
    ["embeddings without a teacher", () => train(EMBEDDINGS, given({ label: 1 })), /expected a teacher/],
    ["another objective", () => train(VALUES, given({}), { objective: "x" as never }), /classes, values, embeddings/],
    ["a teacher of another output", () => train(VALUES, given({}), { teacher: pixels(3) }), /2 numbers.*8×8|teacher/],
    ["a fresh network for a segmentation", async () => freshFor(pixels(3), "ds-cnn", 0), /one list of numbers/],
    [
      "a fresh network for two outputs",
      async () => freshFor({ ...VALUES, outputs: [...VALUES.outputs, ...VALUES.outputs] }, "mlp", 0),
      /teacher: expected one output, as mlp/,
    ],
    [
      "a student that is quantized",
      async () =>
        distil(VALUES, given(numbers(1, 2)), { student: (await quantize(VALUES, given(numbers(1, 2)))).graph }),
      /student: expected a network of floats/,
    ],
    ["labels of another size", () => evaluate(pixels(3), given(numbers(1, 2, 3))), /192 numbers/],
  ] as const)
    test(name, () =>
      assert.rejects(act as () => Promise<unknown>, (error: Error) => {
        assert.match(error.message, message);
        return true;
      }),
    );
});
