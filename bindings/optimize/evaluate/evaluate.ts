/** How good a model is on data, and how near to another. */
import { ensure } from "../../errors.ts";
import { requireSignal } from "../../given.ts";
import { checkOptions, type OptionNames } from "../../session/options.ts";
import { batches } from "../data/batches.ts";
import { requireNames } from "../data/classes.ts";
import { examplesOf } from "../data/examples.ts";
import { requireFinite } from "../data/finite.ts";
import { moved } from "../data/planes.ts";
import type { Dataset } from "../data/types.ts";
import type { EngineOptions } from "../engine.ts";
import type { Progress } from "../progress.ts";
import { type Candidate, openCandidate, requireModel } from "./candidate.ts";
import type { Compared, LayerError, Model, ModelFigures, Nearness, OutputNearness } from "./figures.ts";
import { compareLayers } from "./layers.ts";
import { OutputSums } from "./scores.ts";

/** What is compared, and on which engine. */
export interface EvaluateOptions extends EngineOptions {
  /** Another model of the same task: agreement and, where tensors have the same names, the error of each layer. */
  readonly against?: Model;
  /** How they are called in reports. */
  readonly names?: readonly [model: string, against?: string];
  /** Samples that layers are compared on, 64 when absent; 0 compares none. */
  readonly layerSamples?: number;
  /** Which of several outputs the labels are of, by name; the first, or the first of scores, when absent. */
  readonly output?: string;
  readonly onProgress?: Progress;
  /** Ends the work with its reason. */
  readonly signal?: AbortSignal;
}

/** What `evaluate` found. Shares are from 0 to 1. */
export interface Evaluation {
  readonly samples: number;
  /** How the data was prepared, where it says so. */
  readonly preparation?: string;
  /** Names of the classes, where the data has them. */
  readonly classNames?: readonly string[];
  readonly model: ModelFigures;
  readonly against?: ModelFigures;
  /** Share of the samples for which both models say the same, of a segmentation of its places; absent of values and embeddings. */
  readonly agreement?: number;
  /** What that is the same of. */
  readonly compared?: Compared;
  /** All outputs of the model against the other's. */
  readonly outputs?: Nearness;
  /** Each of several by itself: where they differ in size, the mean of all says little. */
  readonly byOutput?: readonly OutputNearness[];
  /** In the order in which the model computes them. */
  readonly layers?: readonly LayerError[];
}

const LAYER_SAMPLES = 64;
const OPTIONS: OptionNames<EvaluateOptions> = {
  against: true,
  names: true,
  layerSamples: true,
  output: true,
  onProgress: true,
  signal: true,
  module: true,
  threads: true,
  limits: true,
  kernels: true,
  passes: true,
};

/**
 * Runs the data through a model as it is: bytes of a .tflite or .onnx file, a graph, or an open session, which stays open.
 * Several samples run at once where the model allows it.
 *
 * Errors: those of `loadModel`; INVALID_INPUT for data that is empty, mislabelled, not finite or of another size; the signal's reason.
 */
export async function evaluate(model: Model, given: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  checkOptions("evaluate", options, OPTIONS);
  requireSignal("evaluate", options);
  requireModel("evaluate, model", model);
  const data = examplesOf("evaluate", given);
  const { against, names = ["model", "other"], onProgress, signal } = options;
  if (against !== undefined) requireModel("evaluate, against", against);
  signal?.throwIfAborted();
  const { output, ...rest } = options;
  const candidate = await openCandidate(model, names[0], {
    ...rest,
    labelled: output === undefined ? undefined : { name: output },
  });
  const { labelled } = candidate;
  const other =
    against === undefined ? undefined : await openCandidate(against, names[1] ?? "other", { ...rest, labelled });
  try {
    if (candidate.scores >= 0) requireNames(data, candidate.classes);
    const samples = await judge(candidate, other, data, onProgress, signal);
    const layers = await layerErrors(candidate, other, data, options);
    const { preparation, classes: classNames } = data;
    return {
      samples: samples.count,
      ...(preparation === undefined ? {} : { preparation }),
      ...(classNames === undefined ? {} : { classNames }),
      model: candidate.figures(),
      ...(other === undefined ? {} : { against: other.figures() }),
      ...(samples.compared === undefined ? {} : { agreement: samples.agreement, compared: samples.compared }),
      ...(samples.outputs === undefined ? {} : { outputs: samples.outputs }),
      ...(samples.byOutput === undefined ? {} : { byOutput: samples.byOutput }),
      ...(layers === undefined ? {} : { layers }),
    };
  } finally {
    candidate.close();
    other?.close();
  }
}

async function judge(
  candidate: Candidate,
  other: Candidate | undefined,
  data: Dataset,
  onProgress: Progress | undefined,
  signal: AbortSignal | undefined,
) {
  let [count, same, all] = [0, 0, 0];
  let compared: Compared | undefined;
  const nearness = new OutputSums(candidate.outputs);
  const moves = candidate.shapes.map((shape, i) => moved(shape, other?.shapes[i] ?? shape));
  for await (const batch of batches(data, Math.max(candidate.batch, other?.batch ?? 1))) {
    signal?.throwIfAborted();
    for (const [i, { inputs, name = `sample ${count + i}` }] of batch.samples.entries())
      for (const values of inputs) requireFinite(values, name);
    const found = candidate.run(batch);
    const theirInputs = batch.inputs.map((values, i) => moves[i]?.(values) ?? values);
    const expected = other?.run({ ...batch, inputs: theirInputs });
    for (const [i, sample] of batch.samples.entries()) {
      const own = found[i] as readonly Float32Array[];
      candidate.count(sample, own);
      const theirs = expected?.[i];
      if (other === undefined || theirs === undefined) continue;
      other.count(sample, theirs);
      for (const [o, values] of own.entries())
        if (theirs[o]?.length === values.length) nearness.add(o, values, theirs[o] as Float32Array);
      const [a, b] = [candidate.answersOf(sample, own), other.answersOf(sample, theirs)];
      if (a === undefined || b?.answers.length !== a.answers.length) continue;
      // What one of the two says for sure is so of both
      compared = [a.compared, b.compared].find((each) => each !== "largest number") ?? a.compared;
      all += a.answers.length;
      for (let k = 0; k < a.answers.length; k++) if (a.answers[k] === b.answers[k]) same++;
    }
    count += batch.samples.length;
    onProgress?.({ phase: "evaluate", done: count, ...(data.size === undefined ? {} : { total: data.size }) });
    // Whoever waits for input or wants to end this gets a turn.
    await new Promise<void>((resolve) => setTimeout(resolve));
  }
  ensure(count > 0, "INVALID_INPUT", () => ({ where: "data", expected: "at least one sample", received: "none" }));
  if (candidate.givesValues()) compared = undefined;
  return {
    count,
    compared,
    agreement: same / Math.max(all, 1),
    outputs: nearness.result(),
    byOutput: nearness.results(),
  };
}

/** The first samples again, with the layers in sight. */
async function layerErrors(
  candidate: Candidate,
  other: Candidate | undefined,
  data: Dataset,
  { layerSamples = LAYER_SAMPLES, onProgress, signal, ...engine }: EvaluateOptions,
): Promise<readonly LayerError[] | undefined> {
  if (candidate.graph === undefined || other?.graph === undefined || layerSamples <= 0) return undefined;
  const comparison = await compareLayers(candidate.graph, other.graph, engine);
  if (comparison === undefined) return undefined;
  try {
    let done = 0;
    for await (const batch of batches(data, Math.min(comparison.batch, Math.ceil(layerSamples)))) {
      signal?.throwIfAborted();
      comparison.add(batch);
      done += batch.samples.length;
      onProgress?.({ phase: "layers", done, total: layerSamples });
      if (done >= layerSamples) break;
    }
    return comparison.result();
  } finally {
    comparison.close();
  }
}
