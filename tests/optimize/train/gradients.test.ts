/** Gradients of every operator that can be trained, against differences of the loss. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";
import { TRAINABLE } from "../../../bindings/optimize/train/gradients/index.ts";
import { normalizedLayers } from "../../../bindings/optimize/train/norm.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { openTrainer, type Trainer, type TrainerOptions } from "../../../bindings/optimize/train/trainer.ts";
import { type Builder, buildNetwork } from "../support/networks.ts";

const BATCH = 3;
const CLASSES = 5;
const one = [1, 1] as const;
const pool = { filter: [2, 2], stride: [2, 2], padding: "same", activation: "none" } as const;
const plain = { activation: "none", stride: one, dilation: one, padding: "same" } as const;

/** A layer in the middle: what comes in, of 6 channels and 5×4 pixels, and what goes out. */
type Middle = (to: Builder, x: TensorId) => TensorId;

const depthwise =
  (channels: number, attributes: object): Middle =>
  (to, x) =>
    to.node("depthwiseConv2d", [x, to.weights([1, 3, 3, channels], 0.3), to.weights([channels])], {
      ...plain,
      ...attributes,
    });
const conv =
  (shape: readonly number[], attributes: object): Middle =>
  (to, x) =>
    to.node("conv2d", [x, to.weights(shape, 0.15), to.weights([shape[0] as number])], { ...plain, ...attributes });
const unary =
  (kind: "relu" | "relu6" | "reluN1To1" | "logistic" | "tanh" | "hardSwish"): Middle =>
  (to, x) =>
    to.node(kind, [x], {});

/** What a squeeze and excitation block multiplies by: the means of the images through a layer. */
const gate: Middle = (to, x) => {
  const mean = to.node("mean", [x, to.integers(1, 2)], { keepDims: true });
  return unary("logistic")(to, conv([6, 1, 1, 6], {})(to, mean));
};

/** Layer normalization as converters write it. */
const normalized: Middle = (to, x) => {
  const none = { activation: "none" } as const;
  const mean = to.node("mean", [x, to.integers(3)], { keepDims: true });
  const variance = to.node("mean", [to.node("squaredDifference", [x, mean], {}), to.integers(3)], { keepDims: true });
  const rate = to.node("rsqrt", [to.node("add", [variance, to.weights([], 0.1)], none)], {});
  return to.node("mul", [to.node("sub", [x, mean], none), rate], none);
};

const CASES: Readonly<Record<string, Middle>> = {
  "conv2d 1x1": conv([9, 1, 1, 6], {}),
  "conv2d 3x3": conv([7, 3, 3, 6], { activation: "relu6" }),
  "conv2d 3x3 stride 2": conv([4, 3, 3, 6], { stride: [2, 2], activation: "relu" }),
  "conv2d 1x1 stride 2": conv([4, 1, 1, 6], { stride: [2, 2] }),
  "conv2d 2x3 dilated, valid": conv([10, 2, 3, 6], { dilation: [3, 1], padding: "valid" }),
  "conv2d padded": conv([5, 3, 3, 6], { padding: { top: 2, bottom: 0, left: 1, right: 2 } }),
  "depthwiseConv2d 3x3": depthwise(6, { activation: "relu6" }),
  "depthwiseConv2d 3x3 stride 2": depthwise(6, { stride: [2, 2] }),
  "depthwiseConv2d dilated": depthwise(6, { dilation: [2, 1], padding: "valid" }),
  "depthwiseConv2d multiplier 2": depthwise(12, {}),
  add: (to, x) => to.node("add", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "add of one tensor": (to, x) => to.node("add", [x, x], { activation: "none" }),
  mul: (to, x) => to.node("mul", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "none" }),
  "mul, clamped": (to, x) => to.node("mul", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "mul by a number": (to, x) => to.node("mul", [to.weights([]), x], { activation: "none" }),
  "mul by one number of each channel": (to, x) => to.node("mul", [x, gate(to, x)], { activation: "none" }),
  "add of one number of each channel": (to, x) => to.node("add", [gate(to, x), x], { activation: "relu" }),
  "add of a constant of each channel": (to, x) => to.node("add", [x, to.weights([6])], { activation: "relu6" }),
  "add of a constant image": (to, x) => to.node("add", [x, to.weights([1, 5, 4, 1])], { activation: "none" }),
  sub: (to, x) => to.node("sub", [x, to.weights([1, 1, 1, 6])], { activation: "none" }),
  div: (to, x) => to.node("div", [x, to.weights([6], 2)], { activation: "none" }),
  concat: (to, x) => to.node("concat", [x, conv([3, 1, 1, 6], {})(to, x), x], { axis: 3, activation: "none" }),
  averagePool2d: (to, x) => to.node("averagePool2d", [x], pool),
  "averagePool2d overlapping": (to, x) => to.node("averagePool2d", [x], { ...pool, filter: [3, 3], padding: "same" }),
  maxPool2d: (to, x) => to.node("maxPool2d", [x], pool),
  "maxPool2d overlapping": (to, x) => to.node("maxPool2d", [x], { ...pool, filter: [3, 3], padding: "valid" }),
  relu: unary("relu"),
  relu6: (to, x) => unary("relu6")(to, conv([6, 1, 1, 6], {})(to, x)),
  reluN1To1: unary("reluN1To1"),
  logistic: unary("logistic"),
  tanh: unary("tanh"),
  hardSwish: unary("hardSwish"),
  leakyRelu: (to, x) => to.node("leakyRelu", [x], { alpha: 0.2 }),
  elu: (to, x) => to.node("elu", [x], {}),
  gelu: (to, x) => to.node("gelu", [x], { approximate: false }),
  "gelu by tanh": (to, x) => to.node("gelu", [x], { approximate: true }),
  exp: (to, x) => to.node("exp", [to.node("mul", [x, to.weights([], 0.3)], { activation: "none" })], {}),
  prelu: (to, x) => to.node("prelu", [x, to.weights([1, 1, 6])], {}),
  softmax: (to, x) => to.node("softmax", [x], { beta: 1 }),
  "softmax of another temperature": (to, x) => to.node("softmax", [x], { beta: 2.5 }),
  "layer normalization": normalized,
  "sub of two": (to, x) => to.node("sub", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "mul by one number of each pixel": (to, x) =>
    to.node("mul", [x, unary("logistic")(to, conv([1, 1, 1, 6], {})(to, x))], { activation: "none" }),
  "mean of rows": (to, x) => to.node("mean", [x, to.integers(1)], { keepDims: true }),
  sum: (to, x) => to.node("sum", [x, to.integers(2)], { keepDims: true }),
  pad: (to, x) => to.node("pad", [x, to.integers(0, 0, 2, 1, 0, 1, 0, 0)], {}),
  slice: (to, x) => to.node("slice", [x, to.integers(0, 1, 0, 0), to.integers(-1, 3, -1, -1)], {}),
  resizeBilinear: (to, x) =>
    to.node("resizeBilinear", [x, to.integers(9, 7)], { alignCorners: false, halfPixelCenters: true }),
  "resizeBilinear, corners aligned": (to, x) =>
    to.node("resizeBilinear", [x, to.integers(3, 8)], { alignCorners: true, halfPixelCenters: false }),
  resizeNearestNeighbor: (to, x) =>
    to.node("resizeNearestNeighbor", [x, to.integers(10, 8)], { alignCorners: false, halfPixelCenters: false }),
  transpose: (to, x) => to.node("transpose", [x, to.integers(0, 2, 1, 3)], {}),
  "transpose, channels first and last": (to, x) =>
    to.node(
      "transpose",
      [unary("tanh")(to, to.node("transpose", [x, to.integers(0, 3, 1, 2)], {})), to.integers(0, 2, 3, 1)],
      {},
    ),
  expandDims: (to, x) => to.node("squeeze", [to.node("expandDims", [x, to.integers(1)], {})], { axes: [1] }),
};

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
  const graph = to.graph(middle(to, to.input));
  const kind = graph.nodes.at(-1)?.kind;
  if (kind === "concat") return 15;
  const weights = graph.nodes.at(-1)?.inputs[1];
  const shape = weights === undefined ? [] : (graph.tensors[weights]?.shape ?? []);
  return kind === "conv2d" ? (shape[0] ?? 6) : kind === "depthwiseConv2d" ? (shape[3] ?? 6) : 6;
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
    return worst(trainer);
  } finally {
    trainer.close();
  }
}

function worst({ arrays, layout, step }: Trainer): number {
  const loss = () => step(DATA, 0, 1).loss;
  loss();
  const gradients = arrays.gradients.slice();
  let most = 0;
  for (const { role, offset, floats } of layout.slots) {
    if (role === "running") continue;
    const own = gradients.subarray(offset, offset + floats);
    const size = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-2);
    for (let i = 0; i < floats; i += Math.max(Math.floor(floats / 9), 1)) {
      const at = offset + i;
      const weight = arrays.weights[at] as number;
      const difference = (reach: number) => {
        arrays.weights[at] = weight + reach;
        const above = loss();
        arrays.weights[at] = weight - reach;
        const below = loss();
        arrays.weights[at] = weight;
        return (above - below) / (2 * reach);
      };
      // Two distances, so that the error of third order goes; shorter ones where a clamp's edge lies between.
      const errors = [0.016, 0.004, 0.001, 0.0003].map((reach) => {
        const exact = (4 * difference(reach) - difference(2 * reach)) / 3;
        return Math.abs(exact - (own[i] as number)) / size;
      });
      most = Math.max(most, Math.min(...errors));
    }
  }
  return most;
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

  for (const [name, loss] of Object.entries({
    "Kullback–Leibler": { hard: 0, soft: 4, temperature: 2, squared: 0 },
    squares: { hard: 0, soft: 0, temperature: 1, squared: 0.1 },
    "all three": { hard: 0.3, soft: 2, temperature: 3, squared: 0.2 },
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
