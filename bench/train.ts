/**
 * `npm run bench:train`: samples a second of training beside tfjs, on the same networks, batches and optimizer, turn by turn, so that a busy machine
 * slows both; processor time of one thread. tfjs is installed into the folder of `--peers`, by default one in the system's folder for what may go.
 *
 * Its wasm backend has no gradient of convolutions' weights, nor of depthwise convolutions: networks of dense and pointwise layers, written
 * as products, are compared there; the depthwise-separable one runs on its cpu backend.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { AnyNode, Graph, TensorId } from "../bindings/graph.ts";
import { freshNetwork } from "../bindings/optimize/train/architectures/index.ts";
import { normalizedLayers } from "../bindings/optimize/train/norm.ts";
import { randomOf } from "../bindings/optimize/train/random.ts";
import { openTrainer } from "../bindings/optimize/train/trainer.ts";
import type { Tensor } from "../bindings/tensor.ts";

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: join(tmpdir(), "pint8-bench-train") },
    seconds: { type: "string", default: "10" },
    batch: { type: "string", default: "125" },
  },
});
const BATCH = Number(values.batch);
const PACKAGES = ["@tensorflow/tfjs@4", "@tensorflow/tfjs-backend-wasm@4"];

/** The little of tfjs that is used. */
interface Tf {
  readonly setBackend: (name: string) => Promise<boolean>;
  readonly ready: () => Promise<void>;
  readonly tidy: <T>(act: () => T) => T;
  readonly variable: (tensor: unknown) => { readonly dispose: () => void };
  readonly randomNormal: (shape: readonly number[], mean: number, deviation: number) => unknown;
  readonly zeros: (shape: readonly number[]) => unknown;
  readonly tensor: (values: unknown, shape: readonly number[]) => unknown;
  readonly oneHot: (indices: unknown, classes: number) => unknown;
  readonly tensor1d: (values: readonly number[], dtype: string) => unknown;
  readonly train: { readonly adam: (rate: number) => { minimize(loss: () => unknown): unknown } };
  readonly losses: { readonly softmaxCrossEntropy: (labels: unknown, logits: unknown) => unknown };
  readonly matMul: (a: unknown, b: unknown) => unknown;
  readonly add: (a: unknown, b: unknown) => unknown;
  readonly relu: (x: unknown) => unknown;
  readonly clipByValue: (x: unknown, lo: number, hi: number) => unknown;
  readonly reshape: (x: unknown, shape: readonly (number | undefined)[]) => unknown;
  readonly mean: (x: unknown, axes: number | readonly number[]) => unknown;
  readonly conv2d: (x: unknown, weights: unknown, stride: number, padding: string) => unknown;
  readonly depthwiseConv2d: (x: unknown, weights: unknown, stride: number, padding: string) => unknown;
}

/** Layers by their widths: rows of `first` floats, at `pixels` places that share weights and are averaged before the last layer. */
interface Widths {
  readonly pixels: number;
  readonly widths: readonly number[];
}

const DENSE: Widths = { pixels: 1, widths: [784, 256, 128, 10] };
const POINTWISE: Widths = { pixels: 196, widths: [16, 32, 64, 64, 64, 10] };

/** The network as a graph of 1×1 convolutions. */
function graphOf({ pixels, widths }: Widths): Graph {
  const random = randomOf(1);
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const constant = (
    name: string,
    shape: readonly number[],
    dtype: "float32" | "int32",
    numbers: Float32Array | Int32Array,
  ) => append({ name, dtype, shape, data: new Uint8Array(numbers.buffer) });
  const add = (kind: string, inputs: readonly TensorId[], attributes: object) => {
    const y = append({ name: `t${tensors.length}`, dtype: "float32", shape: [] });
    nodes.push({ kind, where: `node ${nodes.length}`, inputs, outputs: [y], attributes } as unknown as AnyNode);
    return y;
  };
  const side = Math.sqrt(pixels);
  const [first = 1] = widths;
  const input = append({ name: "x", dtype: "float32", shape: [1, side, side, first] });
  let x = input;
  for (const [i, width] of widths.slice(1).entries()) {
    const from = widths[i] as number;
    const last = i === widths.length - 2;
    if (last) x = add("mean", [x, constant("axes", [2], "int32", Int32Array.of(1, 2))], { keepDims: false });
    const w = Float32Array.from({ length: from * width }, () => random.normal() * Math.sqrt(2 / from));
    const shape = last ? [width, from] : [width, 1, 1, from];
    const inputs = [
      x,
      constant(`w${i}`, shape, "float32", w),
      constant(`b${i}`, [width], "float32", new Float32Array(width)),
    ];
    const conv = { stride: [1, 1], dilation: [1, 1], padding: "same", activation: "relu" };
    x = last ? add("fullyConnected", inputs, { activation: "none", keepDims: false }) : add("conv2d", inputs, conv);
  }
  const ports = { inputs: [{ name: "x", tensor: input }], outputs: [{ name: "y", tensor: x }] };
  return { name: "bench", tensors, nodes, subgraphs: [], ...ports };
}

/** Milliseconds of processor time from now on: those of a busy machine's clock would count other programs. */
function processor(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

/** Milliseconds of one step of ours. */
async function ours(graph: Graph, floats: number, normalized: boolean): Promise<() => Promise<number>> {
  const trainer = await openTrainer(graph, {
    batch: BATCH,
    loss: { hard: 1, soft: 0, temperature: 1, squared: 0 },
    decay: 0,
    threads: 1,
    normalized: normalized ? normalizedLayers(graph) : [],
  });
  const classes = trainer.logits.length / BATCH;
  const data = {
    inputs: [Float32Array.from({ length: BATCH * floats }, (_, i) => ((i * 37) % 101) / 101)],
    labels: Int32Array.from({ length: BATCH }, (_, i) => i % classes),
    teacher: new Float32Array(BATCH * classes),
  };
  let count = 0;
  return async () => {
    const spent = processor();
    trainer.step(data, 1e-3, ++count);
    return spent();
  };
}

/** Milliseconds of one step of tfjs's: products for the layers, as its wasm backend has gradients of those. */
function theirs(tf: Tf, { pixels, widths }: Widths): () => Promise<number> {
  const pairs = widths.slice(1).map((width, i) => [widths[i] as number, width] as const);
  const weights = pairs.map((pair) => tf.variable(tf.randomNormal(pair, 0, Math.sqrt(2 / pair[0]))));
  const biases = pairs.map(([, width]) => tf.variable(tf.zeros([width])));
  const [first = 1] = widths;
  const x = tf.tensor(
    Float32Array.from({ length: BATCH * pixels * first }, (_, i) => ((i * 37) % 101) / 101),
    [BATCH * pixels, first],
  );
  const classes = widths.at(-1) as number;
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: BATCH }, (_, i) => i % classes),
      "int32",
    ),
    classes,
  );
  return stepsOf(tf, labels, () => {
    let y: unknown = x;
    for (const [i, w] of weights.entries()) {
      const last = i === weights.length - 1;
      if (last && pixels > 1) y = tf.mean(tf.reshape(y, [BATCH, pixels, widths[i]]), 1);
      y = tf.add(tf.matMul(y, w), biases[i]);
      if (!last) y = tf.relu(y);
    }
    return y;
  });
}

function stepsOf(tf: Tf, labels: unknown, logits: () => unknown): () => Promise<number> {
  const adam = tf.train.adam(1e-3);
  return async () => {
    const spent = processor();
    tf.tidy(() => adam.minimize(() => tf.losses.softmaxCrossEntropy(labels, logits())));
    return spent();
  };
}

/** The depthwise-separable network as tfjs's own convolutions, without normalization. */
function theirDepthwise(tf: Tf): () => Promise<number> {
  const v = (...shape: number[]) => tf.variable(tf.randomNormal(shape, 0, 0.1));
  const blocks = [
    [16, 32, 1],
    [32, 64, 2],
    [64, 64, 1],
    [64, 64, 1],
    [64, 64, 2],
  ] as const;
  const stem = v(3, 3, 1, 16);
  const layers = blocks.map(([from, to, stride]) => ({ dw: v(3, 3, from, 1), pw: v(1, 1, from, to), stride }));
  const dense = v(64, 10);
  const x = tf.tensor(
    Float32Array.from({ length: BATCH * 784 }, (_, i) => ((i * 37) % 101) / 101),
    [BATCH, 28, 28, 1],
  );
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: BATCH }, (_, i) => i % 10),
      "int32",
    ),
    10,
  );
  return stepsOf(tf, labels, () => {
    const clip = (y: unknown) => tf.clipByValue(y, 0, 6);
    let y = clip(tf.conv2d(x, stem, 2, "same"));
    for (const { dw, pw, stride } of layers)
      y = clip(tf.conv2d(clip(tf.depthwiseConv2d(y, dw, stride, "same")), pw, 1, "same"));
    return tf.matMul(tf.mean(y, [1, 2]), dense);
  });
}

/** Both in turn; the fastest step of each. */
async function compare(name: string, own: () => Promise<number>, other: () => Promise<number>): Promise<void> {
  let [ownBest, otherBest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const end = performance.now() + Number(values.seconds) * 1000;
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const [a, b] = [await own(), await other()];
    if (i === 0) continue;
    ownBest = Math.min(ownBest, a);
    otherBest = Math.min(otherBest, b);
  }
  const rate = (ms: number) => `${Math.round((BATCH * 1000) / ms)}/s`.padStart(9);
  console.log(`${name.padEnd(44)}${rate(ownBest)}${rate(otherBest)}${(otherBest / ownBest).toFixed(1).padStart(7)}×`);
}

async function loadTf(folder: string): Promise<Tf> {
  if (!existsSync(join(folder, "node_modules/@tensorflow/tfjs-backend-wasm"))) {
    mkdirSync(folder, { recursive: true });
    const npm = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, ...PACKAGES];
    if (spawnSync("npm", npm, { stdio: "inherit" }).status !== 0)
      throw new Error(`npm could not install tfjs into ${folder}`);
  }
  const { resolve } = createRequire(join(folder, "package.json"));
  const load = (name: string) => import(pathToFileURL(resolve(name)).href);
  const tf = (await load("@tensorflow/tfjs")) as { default?: Tf } & Tf;
  const wasm = await load("@tensorflow/tfjs-backend-wasm");
  (wasm.setWasmPaths ?? wasm.default.setWasmPaths)(join(folder, "node_modules/@tensorflow/tfjs-backend-wasm/dist/"));
  return tf.default ?? tf;
}

const tf = await loadTf(values.peers);
console.log(`${`samples a second, batch ${BATCH}, one thread, Adam`.padEnd(44)}    pint8     tfjs  ratio`);
await tf.setBackend("wasm");
await tf.ready();
await compare("dense 784-256-128-10, tfjs wasm", await ours(graphOf(DENSE), 784, false), theirs(tf, DENSE));
await compare(
  "pointwise 16-32-64-64-64-10 of 196, tfjs wasm",
  await ours(graphOf(POINTWISE), 196 * 16, false),
  theirs(tf, POINTWISE),
);
await tf.setBackend("cpu");
await tf.ready();
const depthwise = freshNetwork("ds-cnn", { shape: [1, 28, 28, 1], classes: 10, seed: 0 });
await compare("ds-cnn, tfjs cpu (no gradients in its wasm)", await ours(depthwise, 784, false), theirDepthwise(tf));
