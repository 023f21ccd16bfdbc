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
import type { Model, ModelFigures } from "./figures.ts";
import { areDecisions, ClassCount, NearnessSum } from "./scores.ts";

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
  /** Whether a sample is what its outputs are compared with, as an autoencoder's that says nothing else. */
  readonly isOwnTarget: (sample: Sample) => boolean;
  readonly count: (sample: Sample, outputs: readonly Float32Array[]) => void;
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
  const scores = outputs.findIndex(({ shape }, i) => (shape.at(-1) ?? 0) > 1 && sizes[i] === shape.at(-1));
  const [shape = []] = outputs.map((output) => output.shape);
  const classes = new ClassCount(scores < 0 ? 0 : (sizes[scores] as number));
  const end = graph && endOf(graph);
  const decides = end === "logistic";
  // As training has it: what gives as many numbers as it takes is an autoencoder, where nothing else is said.
  const same = inputs.length === 1 && outputs.length === 1 && sizes[0] === elementCount(inputs[0]?.shape ?? []) / batch;
  const codes = same && end !== undefined && !NO_VALUES.has(end);
  const isOwnTarget = ({ label, targets }: Sample) => codes && label === undefined && targets === undefined;
  let places: ClassCount | undefined;
  const nearness = new NearnessSum();
  const times: number[] = [];
  return {
    graph,
    batch,
    shapes: inputs.map(({ shape }) => shape),
    scores,
    classes: classes.classes,
    isOwnTarget,
    run({ samples, inputs: values }) {
      const results: Float32Array[][] = samples.map(() => []);
      for (let at = 0; at < samples.length; at += batch) {
        const count = Math.min(batch, samples.length - at);
        const fed = inputs.map((info, i) => fedPart(info, values[i], at, count, samples.length, batch));
        const start = performance.now();
        const made = session.run(fed as never, { outputs: "views" }) as { readonly [name: string]: TypedArray };
        times.push((performance.now() - start) / batch);
        for (const [o, info] of outputs.entries()) {
          const all = made[info.name] as TypedArray;
          const size = sizes[o] as number;
          for (let s = 0; s < count; s++) results[at + s]?.push(reals(info, all, s * size, size));
        }
      }
      return results;
    },
    count(sample, found) {
      const [first] = found;
      if (first && isOwnTarget(sample)) {
        nearness.add(first, sample.inputs[0] as Float32Array);
        return;
      }
      const map = sample.targets?.[0];
      const { label } = sample;
      const one = label !== undefined && first?.length === 1 ? Float32Array.of(label) : undefined;
      const decisions = decides ? (map ?? one) : undefined;
      if (decisions && decisions.length === first?.length && areDecisions(decisions)) {
        const both = Float32Array.from({ length: 2 * first.length }, (_, i) =>
          Math.abs(1 - (i % 2) - (first[i >> 1] as number)),
        );
        places ??= new ClassCount(2);
        places.addPlaces(both, decisions, [2, 1], sample.name);
        return;
      }
      // One class: where others of the file are none, it came as a target.
      if (scores >= 0 && map?.length === 1) {
        classes.add(found[scores] as Float32Array, { ...sample, label: map[0] as number });
        return;
      }
      if (scores >= 0) classes.add(found[scores] as Float32Array, sample);
      else if (one && first) nearness.add(first, one);
      const layout = map && scores < 0 ? placesOf(shape, map.length) : undefined;
      if (map && first && layout) {
        places ??= new ClassCount(layout.classes);
        places.addPlaces(first, map, layout.steps, sample.name);
        return;
      }
      for (const [i, target] of (sample.targets ?? []).entries()) {
        const values = found[i];
        ensure(values?.length === target.length, "INVALID_INPUT", () => ({
          where: sample.name ?? "a sample",
          expected: `a target of ${values?.length ?? 0} numbers for output ${i}`,
          received: `${target.length}`,
        }));
        nearness.add(values, target);
      }
    },
    figures() {
      const [found, targets] = [(places ?? classes).result(), nearness.result()];
      const sparsity = graph === undefined ? undefined : sparsityOf(graph);
      return {
        name,
        batch,
        latency: median(times),
        ...(model instanceof Uint8Array ? { bytes: model.length } : {}),
        ...(found === undefined ? {} : { classes: found }),
        ...(targets === undefined ? {} : { targets }),
        ...(sparsity === undefined ? {} : { sparsity }),
      };
    },
    close: () => (model instanceof Session ? undefined : session.close()),
  };
}

/** What gives chances or embeddings, not values. */
const NO_VALUES: ReadonlySet<string> = new Set(["softmax", "logSoftmax", "logistic", "l2Normalization"]);

/** The operator that makes the first output, also as integers. */
function endOf({ nodes, outputs: [output] }: Graph): string | undefined {
  let id = output?.tensor;
  for (const { kind, inputs, outputs } of [...nodes].reverse()) {
    if (id === undefined || !outputs.includes(id)) continue;
    if (kind !== "quantize" && kind !== "dequantize") return kind;
    id = inputs[0];
  }
  return undefined;
}

/** Where a segmentation has its scores: classes last or first, so that as many places are left as there are labels. */
function placesOf([, ...sizes]: readonly number[], labels: number) {
  const all = elementCount(sizes);
  if (labels === all || labels < 2) return undefined;
  const [last = 1, first = 1] = [sizes.at(-1), sizes[0]];
  if (last * labels === all) return { classes: last, steps: [last, 1] } as const;
  return first * labels === all ? ({ classes: first, steps: [1, labels] } as const) : undefined;
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

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
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
