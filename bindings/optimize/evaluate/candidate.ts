/** A model that is judged: run in batches, timed, and counted. */
import { ensure } from "../../errors.ts";
import { importModel } from "../../formats/index.ts";
import { requireGraph } from "../../given.ts";
import type { Graph } from "../../graph.ts";
import { Session } from "../../session/session.ts";
import { BITS, elementCount, listText, type TypedArray } from "../../tensor.ts";
import type { TensorInfo } from "../../values/types.ts";
import type { Batch } from "../data/batches.ts";
import type { Sample } from "../data/types.ts";
import type { EngineOptions } from "../engine.ts";
import { inputArray, openBatched } from "../tap.ts";
import { answersOf, type End, endOf, givesValues, readingOf } from "./answers.ts";
import { Clock } from "./clock.ts";
import type { Model, ModelFigures } from "./figures.ts";
import { ClassCount, NearnessSum } from "./scores.ts";

export interface Candidate {
  readonly graph: Graph | undefined;
  readonly batch: number;
  /** Of its inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** All outputs of each sample, one after the other; `scores` says which has the scores. */
  readonly run: (batch: Batch) => readonly (readonly Float32Array[])[];
  /** Which output has the scores of classes, −1 where none has; and how many. */
  readonly scores: number;
  readonly classes: number;
  /** What its numbers say of a sample, each place of a segmentation by itself; undefined of values and embeddings. */
  readonly answersOf: (sample: Sample, outputs: readonly Float32Array[]) => ReturnType<typeof answersOf>;
  readonly count: (sample: Sample, outputs: readonly Float32Array[]) => void;
  /** Whether numbers that read as decisions of some samples are values of others, and so of all. */
  readonly givesValues: () => boolean;
  readonly figures: () => ModelFigures;
  readonly close: () => void;
}

const BATCH = 32;

/** Refuses what is no model. Errors: INVALID_INPUT. */
export function requireModel(where: string, model: unknown): asserts model is Model {
  if (!(model instanceof Session || model instanceof Uint8Array)) requireGraph(where, model);
}

/** Opens a model for judging. Errors: those of `loadModel`. */
export async function openCandidate(model: Model, name: string, options: EngineOptions): Promise<Candidate> {
  const graph = model instanceof Session ? undefined : model instanceof Uint8Array ? importModel(model, {}) : model;
  const opened =
    graph === undefined
      ? { session: model as Session, batch: batchOf(model as Session) }
      : await openBatched(graph, BATCH, options);
  const { session, batch } = opened;
  const { outputs, inputs } = session as {
    readonly outputs: readonly TensorInfo[];
    readonly inputs: readonly TensorInfo[];
  };
  const sizes = outputs.map(({ shape }) => elementCount(shape) / batch);
  const [shape = []] = outputs.map((output) => output.shape);
  const end: End = graph === undefined ? { moved: false } : endOf(graph);
  const isList = ({ shape }: TensorInfo, i: number) => (shape.at(-1) ?? 0) > 1 && sizes[i] === shape.at(-1);
  const scores = outputs.findIndex((info, i) => isList(info, i) && !(end.kind === "l2Normalization" && i === 0));
  const classes = new ClassCount(scores < 0 ? 0 : (sizes[scores] as number));
  // As training has it: what gives as many numbers as it takes is an autoencoder, where nothing else is said.
  const same = inputs.length === 1 && outputs.length === 1 && sizes[0] === elementCount(inputs[0]?.shape ?? []) / batch;
  const ends = { end, shape, listed: scores >= 0, codes: same && givesValues(end) };
  const read = (sample: Sample, [first]: readonly Float32Array[]) => readingOf(sample, first?.length ?? 0, ends);
  let places: ClassCount | undefined;
  let [isDecided, isValued] = [false, false];
  const nearness = new NearnessSum();
  const clock = new Clock();
  return {
    graph,
    batch,
    shapes: inputs.map(({ shape }) => shape),
    scores,
    classes: classes.classes,
    run({ samples, inputs: values }) {
      const results: Float32Array[][] = samples.map(() => []);
      for (let at = 0; at < samples.length; at += batch) {
        const count = Math.min(batch, samples.length - at);
        const fed = inputs.map((info, i) => fedPart(info, values[i], at, count, samples.length, batch));
        const made = clock.timed(() => session.run(fed as never, { outputs: "views" })) as Readonly<
          Record<string, TypedArray>
        >;
        for (const [o, info] of outputs.entries()) {
          const all = made[info.name] as TypedArray;
          const size = sizes[o] as number;
          for (let s = 0; s < count; s++) results[at + s]?.push(reals(info, all, s * size, size));
        }
      }
      return results;
    },
    answersOf(sample, found) {
      const reading = read(sample, found);
      const numbers = found[reading.kind === "scores" ? scores : 0];
      return numbers && answersOf(reading, numbers, end);
    },
    count(sample, found) {
      const reading = read(sample, found);
      const first = found[0] ?? new Float32Array();
      const { label, targets = [], name } = sample;
      const addTargets = () => {
        for (const [i, target] of targets.entries()) nearness.add(requireTarget(found[i], target, i, name), target);
      };
      switch (reading.kind) {
        case "own":
          nearness.add(first, sample.inputs[0] as Float32Array);
          return;
        case "decisions":
          if (reading.labels === undefined) return;
          isDecided = true;
          nearness.add(first, reading.labels);
          places ??= new ClassCount(2);
          places.addPlaces(bothOf(first), reading.labels, [2, 1], name);
          return;
        case "places":
          if (reading.labels === undefined) return;
          places ??= new ClassCount(reading.layout.classes);
          places.addPlaces(first, reading.labels, reading.layout.steps, name);
          return;
        case "scores":
          if (reading.label !== undefined)
            classes.add(found[scores] as Float32Array, { ...sample, label: reading.label });
          if (label !== undefined) addTargets();
          return;
        case "values":
          isValued ||= targets.length > 0;
          if (label !== undefined && first.length === 1) nearness.add(first, Float32Array.of(label));
          addTargets();
      }
    },
    givesValues: () => isDecided && isValued,
    figures() {
      const found = isDecided && isValued ? undefined : (places ?? classes).result();
      const targets = isDecided && !isValued ? undefined : nearness.result();
      const sparsity = graph === undefined ? undefined : sparsityOf(graph);
      return {
        name,
        batch,
        latency: clock.middle() / batch,
        ...(model instanceof Uint8Array ? { bytes: model.length } : {}),
        ...(found === undefined ? {} : { classes: found }),
        ...(targets === undefined ? {} : { targets }),
        ...(sparsity === undefined ? {} : { sparsity }),
      };
    },
    close: () => (model instanceof Session ? undefined : session.close()),
  };
}

/** Chances of no and yes, of chances of yes. */
const bothOf = (chances: Float32Array): Float32Array =>
  Float32Array.from({ length: 2 * chances.length }, (_, i) => Math.abs(1 - (i % 2) - (chances[i >> 1] as number)));

/** The output that has a target. Errors: INVALID_INPUT where it is of another size. */
function requireTarget(
  values: Float32Array | undefined,
  target: Float32Array,
  i: number,
  name = "a sample",
): Float32Array {
  ensure(values?.length === target.length, "INVALID_INPUT", () => ({
    where: name,
    expected: `a target of ${values?.length ?? 0} numbers for output ${i}`,
    received: `${target.length}`,
  }));
  return values;
}

/** The leading size that all inputs of a session share: the samples of one run. */
function batchOf({ inputs }: Session): number {
  const [size = 1] = inputs[0].shape;
  const outputs = inputs.every(({ shape }) => shape.length > 1 && shape[0] === size);
  return outputs ? size : 1;
}

function fedPart(
  info: TensorInfo,
  values: Float32Array | undefined,
  at: number,
  count: number,
  samples: number,
  batch: number,
): TypedArray | Float32Array {
  const size = elementCount(info.shape) / batch;
  ensure(values?.length === size * samples, "INVALID_INPUT", () => ({
    where: `input "${info.name}"`,
    expected: `${size} numbers a sample ${listText(info.shape)}`,
    received: `${(values?.length ?? 0) / samples}`,
    hint: "The data does not have the size that the model takes.",
  }));
  return inputArray(info, values.subarray(at * size, (at + count) * size));
}

function reals({ scale, zeroPoint }: TensorInfo, values: TypedArray, at: number, size: number): Float32Array {
  const list = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = Number(values[at + i]);
    list[i] = scale === 0 ? value : scale * (value - zeroPoint);
  }
  return list;
}

/** Zeros among the constants of two dimensions or more that products read. */
function sparsityOf(graph: Graph): number {
  let [zeros, count] = [0, 0];
  const seen = new Set<number>();
  for (const { kind, inputs } of graph.nodes) {
    if (!["conv2d", "depthwiseConv2d", "fullyConnected", "batchMatMul", "densify", "dequantize"].includes(kind))
      continue;
    for (const id of inputs) {
      const tensor = graph.tensors[id];
      if (tensor?.data === undefined || tensor.shape.length < 2 || seen.has(id)) continue;
      seen.add(id);
      const width = BITS[tensor.dtype] / 8;
      const { data } = tensor;
      count += elementCount(tensor.shape);
      if (width < 1) for (const byte of data) zeros += (byte & 15 ? 0 : 1) + (byte >> 4 ? 0 : 1);
      else
        for (let at = 0; at < data.length; at += width) {
          let isZero = true;
          for (let b = 0; b < width; b++)
            isZero &&= ((data[at + b] as number) & (b === width - 1 && width > 1 ? 127 : 255)) === 0;
          if (isZero) zeros++;
        }
    }
  }
  return count === 0 ? 0 : zeros / count;
}
