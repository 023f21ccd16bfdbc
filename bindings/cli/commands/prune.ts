import { ensure } from "../../errors.ts";
import {
  type Objective,
  type Pattern,
  type PrunedLayer,
  type PruneOptions,
  type PruneResult,
  prune as pruneGraph,
} from "../../public/optimize.ts";
import { progressBar } from "../bar.ts";
import { openData, realPorts } from "../data.ts";
import { type DataOptions, requireData } from "../dataOptions.ts";
import { checkpointOf, dropCheckpoint, readCheckpoint, requirePlaces, writeWhole } from "../files.ts";
import { interrupted, interruption } from "../interrupt.ts";
import { readGraph } from "../open.ts";
import type { ReadingOptions } from "../options.ts";
import { modelFile, requireModelName, requireWritable } from "../output.ts";
import type { Streams } from "../streams.ts";
import { count, percent, table } from "../text.ts";

/** The command line of `pint8 prune`. */
export interface PruneCommandOptions extends DataOptions, Pick<ReadingOptions, "signature" | "shape"> {
  readonly output: string;
  readonly sparsity?: number;
  readonly latency?: number;
  readonly pattern?: Pattern;
  readonly allocation?: "global" | "uniform";
  readonly tune?: number;
  readonly tuneSteps?: number;
  readonly finish?: number;
  readonly batch?: number;
  readonly copies?: number;
  readonly augment?: "usual" | "none";
  readonly objective?: Objective;
  readonly cuts?: number;
  readonly multiple?: number;
  readonly teacher?: string;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly threads?: number;
  readonly encode?: "sparse" | "dense";
  readonly json?: true;
}

/** Prunes a float model and writes it whole, or nothing. Ctrl-C in the middle of training leaves a checkpoint. */
export async function prune(model: string, options: PruneCommandOptions, streams: Streams): Promise<void> {
  const { output, data, sparsity, latency, pattern, allocation, cuts, multiple, finish, encode, json } = options;
  const { signature, shape } = options;
  requireModelName(output);
  requireData(options);
  const { bytes, graph } = await readGraph(model, () => ({ signature, shape }));
  requireWritable(output, graph);
  const examples = data === undefined ? undefined : await openData(options, realPorts(graph));
  requirePlaces([output]);
  const start = performance.now();
  const bar = progressBar(streams);
  const kept: { checkpoint?: string | undefined } = { checkpoint: options.resume };
  const tune = await tuneOf(options, kept);
  const { signal, done } = interrupted();
  const choices: PruneOptions = {
    ...(sparsity === undefined ? {} : { sparsity }),
    ...(latency === undefined ? {} : { latency }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(allocation === undefined ? {} : { allocation }),
    ...(cuts === undefined ? {} : { cuts }),
    ...(finish === undefined ? {} : { finish }),
    ...(multiple === undefined ? {} : { multiple }),
    ...tune,
    signal,
    onProgress: bar.show,
  };
  let result: PruneResult;
  try {
    result = await pruneGraph(graph, examples, choices);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw interruption(output, kept.checkpoint);
  } finally {
    done();
    bar.clear();
  }
  const { latency: time } = result;
  ensure(time === undefined || time.met, "INVALID_OPTION", () => ({
    where: "--latency",
    expected: `at most ${time?.most} % of the dense model's time, both as int8`,
    received: `at best ${time?.reached.toFixed(1)} %`,
    hint: pattern === "block" ? "Give more time." : "Give more time, or --pattern block, whose zeros save more.",
  }));
  const file = modelFile(output, result.graph, streams.err, { from: bytes, signature, encode });
  writeWhole(output, [file]);
  if (options.checkpoint === undefined) dropCheckpoint(output, kept.checkpoint);
  const seconds = (performance.now() - start) / 1000;
  const { layers, samples } = result;
  if (json) {
    const preparation = examples?.preparation;
    const report = { output, bytes: file.length, from: bytes.length, seconds, samples, preparation };
    streams.out(JSON.stringify({ ...report, sparsity: result.sparsity, latency: time, layers }));
    return;
  }
  for (const line of layerLines(layers)) streams.err(line);
  if (time) streams.err(`time ${time.reached.toFixed(1)} % of at most ${time.most} %, kept`);
  const by = samples === 0 ? "" : `, by ${count(samples)} examples`;
  const gone = options.pattern === "channels" ? "of the multiply-adds gone" : "zeros";
  const where = `${layers.length} layer${layers.length === 1 ? "" : "s"}`;
  const zeros = `${percent(result.sparsity)} ${gone} in ${where}`;
  streams.err(`${output}: ${zeros}, ${count(file.length)} bytes${by}, ${seconds.toFixed(1)} s`);
}

/** How to train what is left, where that is asked for; `kept` is told where a checkpoint is, once there is one. */
async function tuneOf(
  options: PruneCommandOptions,
  kept: { checkpoint?: string | undefined },
): Promise<Pick<PruneOptions, "tune">> {
  const { tune: epochs, tuneSteps: steps, batch, copies, augment, objective, teacher, threads } = options;
  const { checkpoint, resume } = options;
  ensure(epochs === undefined || steps === undefined, "INVALID_OPTION", () => ({
    where: "--tune-steps",
    expected: "--tune or --tune-steps",
    received: "both",
  }));
  const given = { batch, copies, teacher, threads, augment, objective, checkpoint, resume };
  const asked = epochs !== undefined || steps !== undefined;
  for (const [name, value] of Object.entries(given))
    ensure(asked || value === undefined, "INVALID_OPTION", () => ({
      where: `--${name}`,
      expected: "--tune or --tune-steps, whose training it is for",
      received: "neither",
    }));
  if (!asked) return {};
  const path = checkpoint ?? checkpointOf(options.output);
  requirePlaces([options.output, path]);
  return {
    tune: {
      ...(epochs !== undefined && { epochs }),
      ...(steps !== undefined && { steps }),
      ...(batch !== undefined && { batch }),
      ...(copies !== undefined && { copies }),
      ...(threads !== undefined && { threads }),
      ...(augment === "none" && { augment: {} }),
      ...(objective !== undefined && { objective }),
      ...(resume !== undefined && { checkpoint: readCheckpoint(resume) }),
      onCheckpoint(bytes) {
        writeWhole(path, [bytes]);
        kept.checkpoint = path;
      },
      ...(teacher !== undefined && { teacher: (await readGraph(teacher)).graph }),
    },
  };
}

/** Letters of a layer's name. */
const WIDTH = 60;

function layerLines(layers: readonly PrunedLayer[]): readonly string[] {
  const rows = layers.map(({ name, kind, weights, zeros, error }) => [
    name.slice(0, WIDTH), // Keras' converter joins the names of all that it folds
    ...[kind, count(weights), percent(zeros / weights), error === undefined ? "" : percent(error)],
  ]);
  return table([["weights", "layer", "count", "zeros", "error"], ...rows], [2, 3, 4]);
}
