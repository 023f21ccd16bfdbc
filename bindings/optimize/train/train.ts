/** Trains a network on the engine's own float kernels. */
import { ensure } from "../../errors.ts";
import { requireExamples, requireGraph } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { Dataset } from "../data/types.ts";
import { refuseQuantized } from "../prepare/index.ts";
import { openBatched } from "../tap.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { normalizedLayers, restoreNorm, statisticsOf } from "./norm.ts";
import { checkTrainOptions, lossOf, type Progress, type TrainOptions } from "./options.ts";
import { classesOf, endWithLogits, ownWeights } from "./prepare.ts";
import { randomOf, shuffled } from "./random.ts";
import { type Store, storeOf } from "./store.ts";
import { openTeacher, type Teacher } from "./teacher.ts";
import { type Batch, openTrainer, type Trainer } from "./trainer.ts";

const BATCH = 125;
const COPIES = 12;
/** Levels of weights of so many bits, on either side of 0. */
const LEVELS: Readonly<Record<number, number>> = { 4: 7, 8: 127 };
/** Milliseconds after which others get a turn. */
const TURN = 50;

/**
 * Trains the float32 layers of a graph as `importModel` gives it, and returns it with other weights. The data's samples are kept in memory. The same
 * seed, data and options give the same bytes, with any number of threads.
 *
 * Errors: INVALID_GRAPH for a quantized network; UNSUPPORTED for operators that cannot be trained; INVALID_INPUT where the data does not fit; INVALID_OPTION, also for a rate at which the
 * loss is lost; the reason of `signal`.
 */
export async function train(graph: Graph, data: Dataset, options: TrainOptions = {}): Promise<Graph> {
  requireGraph("train", graph);
  requireExamples("train", data);
  checkTrainOptions(options);
  refuseQuantized(graph);
  const { normalization = "restore", threads = "auto", seed = 0, augment } = options;
  const own = ownWeights(graph, normalization !== "none");
  const shapes = own.inputs.map(({ tensor }) => tensorOf(own, tensor).shape.slice(1));
  const copies = { seed, ...(augment && { augment }) };
  const store = await storeOf(data, shapes, classesOf(own), copies);
  const loss = lossOf(options, store.labelled);
  const batch = Math.min(options.batch ?? BATCH, store.size);
  const layers = normalization === "none" ? [] : normalizedLayers(own);
  const weightLevels = new Map([...(options.fakeQuant?.weights ?? [])].map(([id, bits]) => [id, LEVELS[bits] ?? 127]));
  const trainer = await openTrainer(own, {
    batch,
    loss,
    decay: options.decay ?? 0.01,
    normalized: layers,
    threads,
    weightLevels,
    ...(options.masks && { masks: options.masks }),
    ...(options.fakeQuant?.activations && { activationLevels: options.fakeQuant.activations }),
  });
  const teacher = options.teacher && (await openTeacher(options.teacher, store, classesOf(own), threads));
  try {
    if (normalization === "restore" && layers.length > 0 && options.checkpoint === undefined) {
      const lengths = shapes.map(elementCount);
      const found = await statisticsOf(own, layers, store, lengths);
      for (const layer of layers) {
        const statistics = found.get(layer.weight);
        if (statistics !== undefined) restoreNorm(own, trainer.layout, layer, statistics, trainer.arrays);
      }
    }
    await steps(own, { store, trainer, ...(teacher && { teacher }), shapes, batch }, options);
    return trainer.graph();
  } finally {
    teacher?.close();
    trainer.close();
  }
}

interface Run {
  readonly store: Store;
  readonly trainer: Trainer;
  readonly teacher?: Teacher;
  readonly shapes: readonly (readonly number[])[];
  readonly batch: number;
}

/** All steps from the first, or from where a checkpoint was made. */
async function steps(graph: Graph, run: Run, options: TrainOptions): Promise<void> {
  const { store, trainer, teacher, batch } = run;
  const { seed = 0, signal, onCheckpoint, rate = 2e-3, progressSteps = 20, augment } = options;
  const perEpoch = Math.max(Math.floor(store.size / batch), 1);
  const total = options.steps ?? (options.epochs ?? 8) * perEpoch;
  const copies = augment === undefined ? 1 : (options.copies ?? (teacher ? COPIES : Math.ceil(total / perEpoch)));
  const head = { steps: total, seed, batch };
  const validation = options.validation && (await validationOf(graph, options.validation, run.shapes));
  const first = options.checkpoint ? decodeCheckpoint(options.checkpoint, head, trainer.arrays).step : 0;
  const checkpoint = async (step: number) => onCheckpoint?.(encodeCheckpoint({ ...head, step }, trainer.arrays));
  const meter = createMeter(total, store.labelled);
  const buffers = buffersOf(run);
  let turn = performance.now();
  let scores: Float32Array | undefined;
  let order: Uint32Array = new Uint32Array(0);
  for (let step = first; step < total; step++) {
    if (signal?.aborted) await checkpoint(step);
    signal?.throwIfAborted();
    const epoch = Math.floor(step / perEpoch);
    const copy = epoch % copies;
    if (step === first || step % perEpoch === 0) {
      order = shuffled(store.size, randomOf(seed, epoch));
      scores = await teacher?.scores(copy, signal);
    }
    fill(buffers, run, order, (step % perEpoch) * batch, copy, scores);
    options.onStep?.(step, total, {
      weights: (tensor) => weightsOf(trainer, tensor),
      setMask: trainer.setMask,
    });
    const result = trainer.step(buffers, rateAt(step, total, rate, options.warmUp ?? 0), step + 1);
    ensure(Number.isFinite(result.loss), "INVALID_OPTION", () => ({
      where: "rate",
      expected: "a loss that stays finite",
      received: `${result.loss} in step ${step + 1}, at a rate of ${rate}`,
      hint: "Take a smaller rate, and check the data's preparation.",
    }));
    meter.add(result, batch);
    const ends = (step + 1) % perEpoch === 0 || step + 1 === total;
    const validates = ends && validation && ((epoch + 1) % (options.validateEpochs ?? 1) === 0 || step + 1 === total);
    if (validates || (step + 1) % progressSteps === 0 || step + 1 === total) {
      const accuracy = validates ? { validation: await validation(trainer.graph()) } : {};
      options.onProgress?.({ ...meter.take(step + 1, epoch), ...accuracy });
    }
    if (ends && step + 1 < total) await checkpoint(step + 1);
    if (performance.now() - turn > TURN) {
      await new Promise((resolve) => setTimeout(resolve));
      turn = performance.now();
    }
  }
}

function weightsOf({ layout, arrays }: Trainer, tensor: number): Float32Array {
  const slot = layout.slots.find(({ role, tensor: own }) => role === "weight" && own === tensor);
  return slot ? arrays.weights.subarray(slot.offset, slot.offset + slot.floats) : new Float32Array(0);
}

/** Rises evenly over `warmUp` steps, then falls to 0 by a cosine. */
export function rateAt(step: number, total: number, rate: number, warmUp: number): number {
  if (step < warmUp) return (rate * (step + 1)) / warmUp;
  return (rate * (1 + Math.cos((Math.PI * (step - warmUp)) / Math.max(total - warmUp, 1)))) / 2;
}

function buffersOf({ shapes, batch, store, trainer }: Run): Batch {
  const classes = trainer.logits.length / batch;
  return {
    inputs: shapes.map((shape) => new Float32Array(batch * elementCount(shape))),
    labels: new Int32Array(batch).fill(store.labelled ? 0 : -1),
    teacher: new Float32Array(batch * classes),
  };
}

function fill(
  to: Batch,
  { store, batch }: Run,
  order: Uint32Array,
  first: number,
  copy: number,
  scores?: Float32Array,
): void {
  const classes = to.teacher.length / batch;
  for (let i = 0; i < batch; i++) {
    const sample = order[(first + i) % order.length] as number;
    for (const [input, array] of to.inputs.entries()) {
      const length = array.length / batch;
      store.write(sample, copy, input, array.subarray(i * length, (i + 1) * length));
    }
    to.labels[i] = store.labels[sample] as number;
    if (scores) to.teacher.set(scores.subarray(sample * classes, (sample + 1) * classes), i * classes);
  }
}

function createMeter(total: number, labelled: boolean) {
  const begun = performance.now();
  let [count, loss, hits, samples] = [0, 0, 0, 0];
  let since = begun;
  let done = 0;
  return {
    add(result: { readonly loss: number; readonly hits: number }, batch: number) {
      count++;
      done++;
      loss += result.loss;
      hits += result.hits;
      samples += batch;
    },
    take(step: number, epoch: number): Progress {
      const now = performance.now();
      const progress = {
        step,
        steps: total,
        epoch,
        loss: loss / count,
        accuracy: labelled ? hits / samples : Number.NaN,
        samplesPerSecond: (samples * 1000) / Math.max(now - since, 1e-3),
        secondsLeft: (((now - begun) / done) * (total - step)) / 1000,
      };
      [count, loss, hits, samples] = [0, 0, 0, 0];
      since = now;
      return progress;
    },
  };
}

/** How to measure the accuracy of a network on this data. */
async function validationOf(graph: Graph, data: Dataset, shapes: readonly (readonly number[])[]) {
  const store = await storeOf(data, shapes, classesOf(graph), { seed: 0 });
  return (trained: Graph) => accuracyOf(trained, store, shapes.map(elementCount));
}

/** Part of a store's samples whose largest score is their label's. */
async function accuracyOf(graph: Graph, store: Store, lengths: readonly number[]): Promise<number> {
  const { session, batch } = await openBatched(endWithLogits(graph), 32);
  try {
    const fed = lengths.map((length) => new Float32Array(length * batch));
    let hits = 0;
    for (let first = 0; first < store.size; first += batch) {
      const count = Math.min(batch, store.size - first);
      for (let i = 0; i < count; i++)
        for (const [input, length] of lengths.entries())
          store.write(first + i, 0, input, (fed[input] as Float32Array).subarray(i * length, (i + 1) * length));
      const values = Object.values(session.run(fed as never, { outputs: "views" }))[0] as ArrayLike<number>;
      const classes = values.length / batch;
      for (let i = 0; i < count; i++) {
        let best = 0;
        for (let c = 1; c < classes; c++)
          if ((values[i * classes + c] as number) > (values[i * classes + best] as number)) best = c;
        if (best === store.labels[first + i]) hits++;
      }
    }
    return hits / store.size;
  } finally {
    session.close();
  }
}
