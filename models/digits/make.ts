/**
 * `npm run digits`: makes a model like that of this folder from MNIST's t10k files, by the project itself: a wider network learns the labels, the
 * small one learns its scores, and is quantized; images 0–7999 are learned from, 8000–9999 tell how good it is.
 *
 *     npm run digits -- --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz -o folder
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { arrayDataset } from "../../bindings/optimize/data/arrays.ts";
import { slice } from "../../bindings/optimize/data/batches.ts";
import { readIdx } from "../../bindings/optimize/data/idx.ts";
import { labelsOf } from "../../bindings/optimize/data/named.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import {
  type Dataset,
  distil,
  freshNetwork,
  quantize,
  type TrainOptions,
  type TrainProgress,
  train,
} from "../../bindings/public/optimize.ts";

const SHAPE = [1, 28, 28, 1];
const CLASSES = 10;
/** Digits keep their place in the middle and their black ground: less than other pictures bear. */
const AUGMENT = { rotation: 0.2, scale: 0.15, shear: 0.15, shift: 2, contrast: 0.1, brightness: 0.02, noise: 0.02 };

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    labels: { type: "string" },
    output: { type: "string", short: "o" },
    seed: { type: "string", default: "0" },
    epochs: { type: "string", default: "40" },
    "teacher-epochs": { type: "string", default: "12" },
    threads: { type: "string" },
  },
});
const { images, labels, output } = values;
if (images === undefined || labels === undefined || output === undefined)
  throw new Error(
    "npm run digits -- --images <t10k-images-idx3-ubyte.gz> --labels <t10k-labels-idx1-ubyte.gz> -o <folder>",
  );

const port = { name: "image", dtype: "float32", shape: SHAPE, scale: 0, zeroPoint: 0 } as const;
const all = arrayDataset([port], [readIdx(readFileSync(images), images)], {
  labels: labelsOf(readIdx(readFileSync(labels), labels), labels),
});
const [learned, calibration, test] = [slice(all, 0, 8000), slice(all, 0, 500), slice(all, 8000, 10000)];
const begun = performance.now();
const seed = Number(values.seed);
const threads = values.threads === undefined ? "auto" : Number(values.threads);

const tell = (what: string) => (progress: TrainProgress) => {
  if (progress.validation === undefined) return;
  const { epoch, loss, samplesPerSecond, secondsLeft } = progress;
  const found = `epoch ${epoch + 1}, loss ${loss.toFixed(3)}, test ${(progress.validation * 100).toFixed(2)} %`;
  say(`${what}: ${found}, ${Math.round(samplesPerSecond)} samples/s, ${Math.round(secondsLeft)} s left`);
};
const usual: TrainOptions = { augment: AUGMENT, seed, threads, rate: 4e-3, warmUp: 64, validation: test };

const teacher = await train(freshNetwork("ds-cnn:2", { shape: SHAPE, classes: CLASSES, seed }), learned, {
  ...usual,
  normalization: "fresh",
  validateEpochs: 4,
  onProgress: tell("teacher"),
  epochs: Number(values["teacher-epochs"]),
});
const student = await distil(teacher, learned, {
  ...usual,
  student: "ds-cnn",
  validateEpochs: 4,
  onProgress: tell("student"),
  epochs: Number(values.epochs),
  batch: 125,
});
const { graph } = await quantize(student, calibration, { io: "int8" });
mkdirSync(output, { recursive: true });
for (const [name, network] of [
  ["digits_f32.tflite", student],
  ["digits_int8.tflite", graph],
] as const) {
  const bytes = writeTflite(network);
  writeFileSync(join(output, name), bytes);
  say(`${name}: ${bytes.length} bytes, ${(await accuracyOf(network, test)).toFixed(2)} % of the test images`);
}

function say(what: string): void {
  console.log(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${what}`);
}

/** Per cent of the samples whose largest output is their label's. */
async function accuracyOf(network: Graph, data: Dataset): Promise<number> {
  const runner = await openRunner(network);
  let [count, hits] = [0, 0];
  try {
    for await (const { inputs, label } of data) {
      const [scores = []] = runner.run(inputs) as readonly ArrayLike<number>[];
      let best = 0;
      for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
      count++;
      if (best === label) hits++;
    }
  } finally {
    runner.close();
  }
  return (hits / count) * 100;
}
