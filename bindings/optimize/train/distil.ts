/** Teaches a small network what a larger one says. */
import { ensure, kindOf } from "../../errors.ts";
import { requireGraph } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { examplesOf } from "../data/examples.ts";
import type { Dataset } from "../data/types.ts";
import { foldAffine } from "../prepare/affine.ts";
import { compact, refuseQuantized } from "../prepare/index.ts";
import { firstOf } from "./answers.ts";
import { freshNetwork } from "./architectures/index.ts";
import { sized } from "./architectures/sized.ts";
import type { Objective } from "./kinds.ts";
import { knows } from "./knowing.ts";
import { goalOf, goalText } from "./objective.ts";
import type { TrainOptions } from "./options.ts";
import { channelsLast, fromPlanes, isPlanar } from "./planes.ts";
import { BATCH, train } from "./train.ts";

/** Samples of a step where weights are random, and steps that are few. */
const FRESH_BATCH = 32;
const FEW_STEPS = 3000;

/** Which student learns, and how. */
export interface DistilOptions extends Omit<TrainOptions, "teacher"> {
  /** The network to teach, whose weights are gone on with, or the name of one with random weights: see `freshNetwork`. */
  readonly student: Graph | string;
}

/**
 * A student that has learned what the teacher gives, and the labels where the data has them: of classes by 0.9 · T² · KL at T = 4 and 0.1 of the
 * cross entropy, of values by squared differences, of embeddings by cosines (`lossOf`). 36 epochs over 12 copies, augmented as the teacher bears it, rate 0.004 with an epoch of warm-up and batches of 32, of 16 where there are fewer than 3,000 steps, where the student is fresh
 * or as good as that (`knows`), unless the options say otherwise.
 *
 * Errors: those of `train` and `freshNetwork`.
 */
export async function distil(teacher: Graph, given: Dataset, options: DistilOptions): Promise<Graph> {
  requireGraph("distil, teacher", teacher);
  const data = examplesOf("distil", given);
  const { student, ...rest } = Object(options) as DistilOptions;
  ensure(student !== undefined, "INVALID_OPTION", () => ({
    where: "distil",
    expected: "options with a student: a graph, or the name of a fresh network",
    received: kindOf(options),
    hint: 'Such as { student: "ds-cnn" }.',
  }));
  const named = typeof student === "string";
  if (!named) refuseQuantized(student, "student");
  const { seed = 0, objective } = rest;
  const graph = named ? await freshWith(teacher, student, seed, data, objective) : student;
  const fresh = named || !(await knows(student, teacher, data, objective));
  const { steps, epochs = 36 } = rest;
  const own = fresh && steps === undefined ? batchFor(data.size, epochs) : undefined;
  const batch = rest.batch ?? own;
  const usual = {
    ...(steps === undefined ? { epochs } : {}),
    ...(batch !== undefined && { batch }),
    rate: fresh ? 4e-3 : 2e-3,
    // An epoch, of fewer than four a quarter of all.
    warmUp: fresh ? Math.floor(((data.size ?? 0) / (batch ?? BATCH)) * Math.min(epochs / 4, 1)) : 0,
    augment: "fitting",
    teaching: "until-passed",
    normalization: fresh ? "fresh" : "restore",
  } as const;
  const trained = await train(graph, data, { ...usual, ...rest, teacher });
  // What brings values to their unit goes into the last layer, once that has learned.
  return named && trained.nodes.at(-1)?.kind === "add" ? compact(foldAffine(trained)) : trained;
}

/** The same for numbers of the sizes that the data and the teacher's values have. */
async function freshWith(teacher: Graph, name: string, seed: number, data: Dataset, given: Objective | undefined) {
  const objective = given ?? goalOf(teacher, undefined, await firstOf(data)).objective;
  const student = freshFor(teacher, name, seed, objective);
  if (isPlanar(runPasses(teacher, { only: "none" }))) return student;
  return sized(student, teacher, data, objective === "values" ? "values" : "others");
}

/**
 * A network with random weights for what the teacher takes and gives: probabilities or scores without a softmax, values, embeddings of length 1, or decisions.
 *
 * Errors: UNSUPPORTED for several inputs or outputs, for whole numbers, and for outputs of several places; those of `freshNetwork`.
 */
export function freshFor(teacher: Graph, name: string, seed: number, objective?: Objective): Graph {
  requireGraph("freshFor, teacher", teacher);
  const typed = runPasses(teacher, { only: "none" });
  const [input] = typed.inputs;
  ensure(input !== undefined && typed.inputs.length === 1, "UNSUPPORTED", () => ({
    where: "teacher",
    expected: "one input",
    received: `${typed.inputs.length}`,
    hint: `${name} takes one. Give a student that takes the same, as a model.`,
  }));
  ensure(typed.outputs.length === 1, "UNSUPPORTED", () => ({
    where: "teacher",
    expected: `one output, as ${name} gives`,
    received: `${typed.outputs.length}`,
    hint: "Give a student of as many outputs, as a model.",
  }));
  const goal = goalOf(typed, objective);
  ensure(goal.grid.length === 0, "UNSUPPORTED", () => ({
    where: "teacher",
    expected: `one list of numbers, as ${name} gives`,
    received: goalText(goal),
    hint: "Give a student of this output.",
  }));
  const { shape: given, dtype } = tensorOf(typed, input.tensor);
  ensure(!/^u?int(32|64)$/.test(dtype), "UNSUPPORTED", () => ({
    where: "teacher",
    expected: `an input of real numbers, as ${name} takes`,
    received: `${dtype}, numbers of words or the like`,
    hint: "Give a student that begins with the teacher's tables, as a model.",
  }));
  const planar = isPlanar(typed);
  const shape = planar ? channelsLast(given) : given;
  const { places, width, objective: own } = goal;
  // Scores that nothing ends are compared with the student's: a softmax behind those would be another kind of output.
  const ofClasses = width === 1 ? "decisions" : goal.tensor === typed.outputs[0]?.tensor ? "scores" : own;
  const gives = own === "classes" ? ofClasses : own;
  const fresh = freshNetwork(name, { shape, classes: places * width, seed, gives });
  return planar ? fromPlanes(fresh, given) : fresh;
}

/** Samples of a step of random weights: small batches are more steps at the same cost, smaller ones where steps would still be few. */
const batchFor = (size = Number.POSITIVE_INFINITY, epochs: number): number =>
  (size * epochs) / FRESH_BATCH < FEW_STEPS ? FRESH_BATCH / 2 : FRESH_BATCH;
