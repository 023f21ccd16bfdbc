/** A model that is judged: run in batches, timed, and counted. */
import { ensure } from "../../errors.ts";
import { importModel } from "../../formats/index.ts";
import { requireGraph } from "../../given.ts";
import type { Graph } from "../../graph.ts";
import { Session } from "../../session/session.ts";
import { elementCount, listText, type TypedArray } from "../../tensor.ts";
import type { TensorInfo } from "../../values/types.ts";
import type { Batch } from "../data/batches.ts";
import type { EngineOptions } from "../engine.ts";
import { inputArray, openBatched } from "../tap.ts";
import { Clock } from "./clock.ts";
import { type Counts, createCounts } from "./counts.ts";
import type { Model, ModelFigures } from "./figures.ts";
import { sparsityOf } from "./sparsity.ts";

export interface Candidate extends Omit<Counts, "figures"> {
  readonly graph: Graph | undefined;
  readonly batch: number;
  /** Of its inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Names of the outputs, that which labels are of first. */
  readonly outputs: readonly string[];
  /** Where another model has the output that labels are of. */
  readonly labelled: Labelled | undefined;
  /** All outputs of each sample, one after the other; `scores` says which has the scores. */
  readonly run: (batch: Batch) => readonly (readonly Float32Array[])[];
  readonly figures: () => ModelFigures;
  readonly close: () => void;
}

/** The output that labels are of, by its name, or its place among the others. */
interface Labelled {
  readonly name: string;
  readonly place?: number;
}

const BATCH = 32;

/** Refuses what is no model. Errors: INVALID_INPUT. */
export function requireModel(where: string, model: unknown): asserts model is Model {
  if (!(model instanceof Session || model instanceof Uint8Array)) requireGraph(where, model);
}

/** Opens a model for judging. Errors: those of `loadModel`. */
export async function openCandidate(
  model: Model,
  name: string,
  { labelled, ...options }: EngineOptions & { readonly labelled?: Labelled | undefined },
): Promise<Candidate> {
  const given = model instanceof Session ? undefined : model instanceof Uint8Array ? importModel(model, {}) : model;
  const graph = given && labelledFirst(given, labelled);
  const opened =
    graph === undefined
      ? { session: model as Session, batch: batchOf(model as Session) }
      : await openBatched(graph, BATCH, options);
  const { session, batch } = opened;
  const inputs: readonly TensorInfo[] = session.inputs;
  const outputs: readonly TensorInfo[] = graph ? session.outputs : labelledFirst(session, labelled).outputs;
  const place = (given ?? session).outputs.findIndex(
    (each: { readonly name: string }) => each.name === outputs[0]?.name,
  );
  const sizes = outputs.map(({ shape }) => elementCount(shape) / batch);
  const { figures, ...counts } = createCounts({ graph, inputs, outputs, batch, labelled: labelled && place });
  const clock = new Clock();
  return {
    graph,
    batch,
    shapes: inputs.map(({ shape }) => shape),
    outputs: outputs.map((each) => each.name),
    labelled: labelled && { name: labelled.name, place },
    ...counts,
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
    figures() {
      const sparsity = graph === undefined ? undefined : sparsityOf(graph);
      return {
        name,
        batch,
        latency: clock.middle() / batch,
        ...(model instanceof Uint8Array ? { bytes: model.length } : {}),
        ...figures(),
        ...(sparsity === undefined ? {} : { sparsity }),
      };
    },
    close: () => (model instanceof Session ? undefined : session.close()),
  };
}

/** With the output of that name, or else in that place, before the others. Errors: INVALID_OPTION where there is none. */
function labelledFirst<T extends { readonly outputs: readonly { readonly name: string }[] }>(
  ends: T,
  labelled: Labelled | undefined,
): T {
  if (labelled === undefined) return ends;
  const { outputs } = ends;
  const own = outputs.find(({ name }) => name === labelled.name) ?? outputs[labelled.place ?? -1];
  ensure(own !== undefined, "INVALID_OPTION", () => ({
    where: "output",
    expected: outputs.map(({ name }) => name).join(", "),
    received: labelled.name,
  }));
  return { ...ends, outputs: [own, ...outputs.filter((each) => each !== own)] };
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
