/** Trains a network on the engine's own float kernels. */
import { ensure, Pint8Error } from "../../errors.ts";
import { requireGraph } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { examplesOf } from "../data/examples.ts";
import type { Dataset } from "../data/types.ts";
import { foldBlocks } from "../prepare/blocks.ts";
import { refuseQuantized } from "../prepare/index.ts";
import { nameLengths } from "../prepare/lengths.ts";
import { unroll } from "../unroll/index.ts";
import { firstOf } from "./answers.ts";
import type { Augmentation } from "./augment.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { fitting } from "./fitting.ts";
import { behindFront, frontOf } from "./front.ts";
import type { LossWeights } from "./kinds.ts";
import { slotOf } from "./layout.ts";
import { lossOf } from "./loss.ts";
import { createMeter } from "./meter.ts";
import { normalizedLayers, restoreNorm, statisticsOf } from "./norm.ts";
import { type Goal, goalOf, sampleShape } from "./objective.ts";
import { checkTrainOptions, type TrainOptions } from "./options.ts";
import { isPlanar } from "./planes.ts";
import { ownWeights } from "./prepare.ts";
import { randomOf, shuffled } from "./random.ts";
import { trainSeveral } from "./several.ts";
import { inTurns, type Store, storeOf } from "./store.ts";
import { openTeacher, type Teacher } from "./teacher.ts";
import { type Teaching, teachingOf } from "./teaching.ts";
import { tied, tiesOf } from "./ties.ts";
import { type Batch, openTrainer, type Trainer, type TrainerOptions } from "./trainer.ts";
import { validationOf } from "./validation.ts";

/** Samples of a step, where nobody says how many and they fit. */
export const BATCH = 125;
/** Bytes of a step's values and their gradients that a batch is chosen for where nobody says how large it is. */
const STEP_BYTES = 2 ** 31;
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
export async function train(graph: Graph, given: Dataset, options: TrainOptions = {}): Promise<Graph> {
  requireGraph("train", graph);
  const data = examplesOf("train", given);
  checkTrainOptions(options);
  refuseQuantized(graph);
  const recurrent = await unroll(graph);
  if (recurrent.graph !== graph) return recurrent.rolled(await train(recurrent.graph, data, options));
  const front = frontOf(graph);
  if (front !== undefined)
    return front.joined(await train(front.rest, front.through(data), behindFront(front, options)));
  if (graph.outputs.length > 1) return trainSeveral(graph, data, options, train);
  const { normalization = "restore", threads = "auto", seed = 0 } = options;
  const whole = nameLengths(foldBlocks(graph));
  const own = ownWeights(whole, normalization !== "none");
  const chosen: Chosen = { ...options, batch: options.batch ?? fittingBatch(own) };
  const ties = tiesOf(whole, own);
  const shapes = own.inputs.map(({ tensor }) => sampleShape(tensorOf(own, tensor).shape));
  const goal = goalOf(own, options.objective, await firstOf(data));
  const read = await storeOf(data, shapes, goal, isPlanar(own));
  read.requireClasses();
  const changes = await changesOf(options, read, goal);
  const turns = changes === undefined ? 1 : turnsOf(chosen, read.size);
  const store = inTurns(changes === undefined ? read : read.changed(changes, seed), turns);
  const loss = lossOf(options, goal.objective, store.labelled);
  const { batch } = lengthOf(chosen, store.size);
  const shared = new Set([...ties].flat());
  // What layers that share weights give differs from one to the next: there are no statistics for all.
  const layers =
    normalization === "none" ? [] : normalizedLayers(own, goal).filter(({ weight }) => !shared.has(weight));
  const weightLevels = new Map([...(options.fakeQuant?.weights ?? [])].map(([id, bits]) => [id, LEVELS[bits] ?? 127]));
  for (const [id, first] of ties) if (weightLevels.has(first)) weightLevels.set(id, weightLevels.get(first) ?? 127);
  const open = (loss: Partial<LossWeights>) =>
    opened(own, {
      batch,
      loss,
      objective: goal.objective,
      decay: options.decay ?? 0.01,
      normalized: layers,
      ties,
      threads,
      weightLevels,
      ...(options.masks && { masks: options.masks }),
      ...(options.fakeQuant?.activations && { activationLevels: options.fakeQuant.activations }),
    });
  let trainer = await open(loss);
  const teacher = options.teacher && (await openTeacher(options.teacher, store, goal, threads));
  try {
    // Samples that run one by one have no normalization.
    const restored = layers.filter(({ weight }) => slotOf(trainer.layout, "gamma", weight) !== undefined);
    if (normalization === "restore" && restored.length > 0 && options.checkpoint === undefined) {
      const lengths = shapes.map(elementCount);
      const found = await statisticsOf(own, restored, store, lengths);
      for (const layer of restored) {
        const statistics = found.get(layer.weight);
        if (statistics !== undefined) restoreNorm(own, trainer.layout, layer, statistics, trainer.arrays);
      }
    }
    const teaching = await teachingOf(read, goal, lengthOf(chosen, store.size).total, options);
    const alone = async () => {
      const next = await open(lossOf({}, goal.objective, true));
      takeOver(next, trainer);
      trainer = next;
      return next;
    };
    await steps(
      { store, turns, trainer, alone, shapes, goal, batch, ...(teacher && { teacher }), ...(teaching && { teaching }) },
      chosen,
    );
    return tied(trainer.graph(), ties);
  } finally {
    teacher?.close();
    trainer.close();
  }
}

/** Goes on where another trainer of the same network is, which ends. */
function takeOver(next: Trainer, { arrays, close }: Trainer): void {
  for (const name of ["weights", "first", "second", "running", "masks"] as const) next.arrays[name].set(arrays[name]);
  close();
}

type Chosen = TrainOptions & { readonly batch: number };

/** As many samples of a step as are usual and fit. */
export function fittingBatch(graph: Graph): number {
  const made = graph.nodes.flatMap(({ outputs }) => outputs);
  const floats = made.reduce((sum, id) => sum + elementCount(tensorOf(graph, id).shape), 1);
  return Math.max(1, Math.min(BATCH, Math.floor(STEP_BYTES / (8 * floats))));
}

/** A trainer; what its batch takes beyond memory is said of the batch. */
async function opened(graph: Graph, options: TrainerOptions): Promise<Trainer> {
  try {
    return await openTrainer(graph, options);
  } catch (cause) {
    const few = fittingBatch(graph);
    if (!(cause instanceof Pint8Error) || cause.code !== "OUT_OF_MEMORY" || options.batch <= few) throw cause;
    const hint = `Take about ${few} samples: the option batch, --batch on the command line.`;
    const sizes = { expected: "a step that fits into memory", received: `${options.batch} samples` };
    throw new Pint8Error("OUT_OF_MEMORY", { where: "batch", ...sizes, hint }, { cause });
  }
}

/** Samples of a step, steps of an epoch and of all. */
function lengthOf(options: Chosen, size: number) {
  const batch = Math.min(options.batch, size);
  const perEpoch = Math.max(Math.floor(size / batch), 1);
  return { batch, perEpoch, total: options.steps ?? (options.epochs ?? 8) * perEpoch };
}

/** What copies are changed by, where they are. */
async function changesOf(options: TrainOptions, store: Store, goal: Goal): Promise<Augmentation | undefined> {
  const { augment = {}, teacher, threads = "auto", signal } = options;
  const kinds = augment === "fitting" ? await fitting(store, goal, { teacher, threads, signal }) : augment;
  return Object.keys(kinds).length === 0 ? undefined : kinds;
}

function turnsOf(options: Chosen, size: number): number {
  const { perEpoch, total } = lengthOf(options, size);
  return options.copies ?? (options.teacher ? COPIES : Math.ceil(total / perEpoch));
}

interface Run {
  readonly store: Store;
  /** Copies that samples have, and epochs go through in turn. */
  readonly turns: number;
  readonly trainer: Trainer;
  readonly teacher?: Teacher;
  readonly teaching?: Teaching;
  /** The trainer of what is learned by labels alone, which goes on where the other is. */
  readonly alone: () => Promise<Trainer>;
  readonly shapes: readonly (readonly number[])[];
  readonly goal: Goal;
  readonly batch: number;
}

/** All steps from the first, or from where a checkpoint was made. */
async function steps(run: Run, options: Chosen): Promise<void> {
  const { store, turns, goal, teaching } = run;
  let { trainer } = run;
  const { seed = 0, signal, onCheckpoint, rate = 2e-3, progressSteps = 20 } = options;
  const { batch, perEpoch, total } = lengthOf(options, store.size);
  const head = { steps: total, seed, batch };
  const validation = options.validation && (await validationOf(options.validation, run.shapes, goal, options));
  const begun = options.checkpoint && decodeCheckpoint(options.checkpoint, head, trainer.arrays);
  const first = begun?.step ?? 0;
  let passed = begun?.passed ?? false;
  if (passed) trainer = await run.alone();
  const checkpoint = async (step: number) =>
    onCheckpoint?.(encodeCheckpoint({ ...head, step, ...(passed && { passed }) }, trainer.arrays));
  const meter = createMeter(total, goal.objective === "classes");
  const buffers = buffersOf(run);
  let turn = performance.now();
  let order: Uint32Array = new Uint32Array(0);
  for (let step = first; step < total; step++) {
    const epoch = Math.floor(step / perEpoch);
    const copy = epoch % turns;
    const watches = teaching !== undefined && !passed && step < teaching.until;
    if (step === first || step % perEpoch === 0) {
      order = shuffled(store.size, randomOf(seed, epoch));
      if (watches) order = order.filter((sample) => !teaching.held.has(sample));
    }
    // The teacher may be asked for all samples here, which takes long: what ends that leaves the weights of the step before.
    try {
      signal?.throwIfAborted();
      await fill(buffers, run, passed ? undefined : run.teacher, order, (step % perEpoch) * batch, copy, signal);
    } catch (error) {
      if (signal?.aborted) await checkpoint(step);
      throw error;
    }
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
    meter.add(result, batch, buffers.labels);
    const ends = (step + 1) % perEpoch === 0 || step + 1 === total;
    const validates = ends && validation && ((epoch + 1) % (options.validateEpochs ?? 1) === 0 || step + 1 === total);
    if (validates || (step + 1) % progressSteps === 0 || step + 1 === total) {
      const accuracy = validates ? { validation: await validation(trainer.graph()) } : {};
      options.onProgress?.({ ...meter.take(step + 1, epoch), ...accuracy, ...(passed && { passed }) });
    }
    if (ends && watches && step + 1 < total && (await teaching.passed(trainer.graph()))) {
      passed = true;
      trainer = await run.alone();
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

function buffersOf({ shapes, batch, goal }: Run): Required<Batch> {
  const rows = batch * goal.places;
  const classes = goal.objective === "classes";
  return {
    inputs: shapes.map((shape) => new Float32Array(batch * elementCount(shape))),
    labels: new Int32Array(classes ? rows : 0),
    teacher: new Float32Array(rows * goal.width),
    targets: new Float32Array(classes ? 0 : rows * goal.width),
  };
}

async function fill(
  to: Required<Batch>,
  { store, batch }: Run,
  teacher: Teacher | undefined,
  order: Uint32Array,
  first: number,
  copy: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const samples = Array.from({ length: batch }, (_, i) => order[(first + i) % order.length] as number);
  const part = <T extends Float32Array | Int32Array>(array: T, i: number) => {
    const length = array.length / batch;
    return array.subarray(i * length, (i + 1) * length) as T;
  };
  for (const [i, sample] of samples.entries()) {
    for (const [input, array] of to.inputs.entries()) store.write(sample, copy, input, part(array, i));
    if (to.labels.length > 0) store.writeLabels(sample, copy, part(to.labels, i));
    if (to.targets.length > 0) store.writeTargets(sample, part(to.targets, i));
  }
  if (teacher) await teacher.write(samples, copy, to.teacher, signal);
  else if (to.targets.length > 0) to.teacher.set(to.targets);
}
