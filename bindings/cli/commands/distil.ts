import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { slice } from "../../optimize/data/batches.ts";
import { firstOf } from "../../optimize/train/answers.ts";
import { goalOf, goalText, isUnexplained } from "../../optimize/train/objective.ts";
import { freshFor, type Objective, type TrainProgress as Progress, distil as teach } from "../../public/optimize.ts";
import { openData } from "../data.ts";
import { type DataOptions, requireApart, type SampleRange } from "../dataOptions.ts";
import { checkpointOf, dropCheckpoint, readCheckpoint, requirePlaces, writeWhole } from "../files.ts";
import { interrupted, interruption } from "../interrupt.ts";
import { readGraph } from "../open.ts";
import type { ReadingOptions, Shapes } from "../options.ts";
import { modelFile, requireModelName, requireWritable } from "../output.ts";
import type { Streams } from "../streams.ts";
import { count } from "../text.ts";

export interface DistilCommandOptions extends DataOptions, Pick<ReadingOptions, "signature" | "shape"> {
  readonly output: string;
  readonly student?: string;
  readonly studentShape?: Shapes;
  readonly like?: string;
  readonly test?: SampleRange;
  readonly epochs?: number;
  readonly batch?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly copies?: number;
  readonly augment?: "usual" | "none";
  readonly objective?: Objective;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly threads?: number;
  readonly json?: true;
}

/** Teaches a student what a teacher says, and writes it. Ctrl-C leaves a checkpoint. */
export async function distil(model: string, options: DistilCommandOptions, { out, err }: Streams): Promise<void> {
  const { output, student, like, json, seed = 0, threads, augment } = options;
  ensure((student === undefined) !== (like === undefined), "INVALID_OPTION", () => ({
    where: "distil",
    expected: "--student with a model, or --like with the name of an architecture",
    received: student === undefined ? "neither" : "both",
  }));
  requireModelName(output);
  requireApart(options.samples, options.test);
  const { signature, shape, studentShape } = options;
  const teacher = (await readGraph(model, () => ({ signature, shape }))).graph;
  const own =
    student === undefined
      ? freshFor(teacher, like ?? "", seed, options.objective)
      : (await readGraph(student, () => ({ shape: studentShape }))).graph;
  requireWritable(output, own);
  const { samples, ...data } = options;
  const all = await openData(data, portsOf(own));
  const part = (range: SampleRange | undefined) => (range === undefined ? all : slice(all, range.first, range.end));
  if (options.objective === undefined && teacher.outputs.length === 1) {
    const first = await firstOf(all);
    const goal = goalOf(teacher, undefined, first);
    if (isUnexplained(teacher, goal, first))
      err(`note: ${goalText(goal)} are taken for scores of classes; --objective values, or embeddings, says otherwise`);
  }
  const checkpoint = options.checkpoint ?? checkpointOf(output);
  requirePlaces([output, checkpoint]);
  const resume = options.resume === undefined ? {} : { checkpoint: readCheckpoint(options.resume) };
  const { epochs, batch, rate, copies, test, objective } = options;
  const last: { progress?: Progress; checkpoint?: string | undefined } = { checkpoint: options.resume };
  const { signal, done } = interrupted();
  try {
    const graph = await teach(teacher, part(samples), {
      student: student === undefined ? (like ?? "") : own,
      seed,
      signal,
      ...resume,
      ...(epochs !== undefined && { epochs }),
      ...(batch !== undefined && { batch }),
      ...(rate !== undefined && { rate }),
      ...(copies !== undefined && { copies }),
      ...(threads !== undefined && { threads }),
      ...(augment === "none" && { augment: {} }),
      ...(objective !== undefined && { objective }),
      ...(test && { validation: part(test) }),
      onProgress(progress) {
        last.progress = progress;
        err(lineOf(progress));
      },
      onCheckpoint(bytes) {
        writeWhole(checkpoint, [bytes]);
        last.checkpoint = checkpoint;
      },
    });
    const file = modelFile(output, graph, err);
    writeWhole(output, [file]);
    if (options.checkpoint === undefined) dropCheckpoint(output, last.checkpoint);
    if (json) out(JSON.stringify({ model, output, bytes: file.length, ...last.progress }));
    else out(`${output}: ${count(file.length)} bytes`);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw interruption(output, last.checkpoint);
  } finally {
    done();
  }
}

/** The inputs as data sets see them: those of one sample. */
function portsOf(graph: Graph) {
  return graph.inputs.map(({ name, tensor }) => {
    const { dtype, shape, quantization } = tensorOf(graph, tensor);
    const [scale = 0] = quantization?.scale ?? [];
    const [zeroPoint = 0] = quantization?.zeroPoint ?? [];
    return { name, dtype, shape, scale, zeroPoint };
  });
}

/** `epoch 3 · step 192/2304 · loss 1.234 · 87.5 % · 812/s · 4 min left`; in place of an accuracy the mean error of values. */
function lineOf({
  step,
  steps,
  epoch,
  loss,
  accuracy,
  error,
  samplesPerSecond,
  secondsLeft,
  validation,
  passed,
}: Progress): string {
  const left = secondsLeft >= 90 ? `${Math.round(secondsLeft / 60)} min left` : `${Math.ceil(secondsLeft)} s left`;
  return [
    `epoch ${epoch + 1}`,
    `step ${step}/${steps}`,
    `loss ${loss.toFixed(3)}`,
    ...(Number.isNaN(accuracy) ? [] : [`${(accuracy * 100).toFixed(1)} %`]),
    ...(Number.isNaN(error) ? [] : [`error ${error.toPrecision(3)}`]),
    ...(validation === undefined
      ? []
      : [`test ${Number.isNaN(error) ? `${(validation * 100).toFixed(2)} %` : validation.toPrecision(4)}`]),
    ...(passed ? ["past its teacher"] : []),
    `${Math.round(samplesPerSecond)}/s`,
    left,
  ].join(" · ");
}
