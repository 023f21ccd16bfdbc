import { type Command, InvalidArgumentError, Option } from "commander";
import { ensure } from "../../errors.ts";
import { importModel, runPasses } from "../../public/index.ts";
import {
  type Pattern,
  type PrunedLayer,
  type PruneOptions,
  type PruneResult,
  prune as pruneGraph,
  writeTflite,
} from "../../public/optimize.ts";
import { progressBar } from "../bar.ts";
import { addDataOptions, type DataOptions, openData } from "../data.ts";
import { readModelBytes, writeWhole } from "../files.ts";
import { jsonOption, type Shapes, shapeOption } from "../options.ts";
import type { Streams } from "../streams.ts";
import { count, percent, table } from "../text.ts";

/** The command line of `pint8 prune`. */
export interface PruneCommandOptions extends DataOptions {
  readonly output: string;
  readonly sparsity?: number;
  readonly pattern?: Pattern;
  readonly allocation?: "global" | "uniform";
  readonly encode?: "sparse" | "dense";
  readonly shape?: Shapes;
  readonly json?: true;
}

/** The options of `pint8 prune`. */
export function addPruneOptions(command: Command): Command {
  return addDataOptions(command, "optional")
    .requiredOption("-o, --output <file.tflite>", "the pruned model to write")
    .option("--sparsity <share>", "of the weights that become zero, as in 70% or 0.7; half of them when absent", share)
    .addOption(
      new Option(
        "--pattern <pattern>",
        "which weights go together: any, blocks of 8 outputs × 4 inputs, two of four inputs",
      )
        .choices(["unstructured", "block", "2:4"])
        .default("unstructured"),
    )
    .addOption(
      new Option("--allocation <how>", "how much each layer loses: the least error for all together, or all the same")
        .choices(["global", "uniform"])
        .default("global"),
    )
    .addOption(
      new Option(
        "--encode <how>",
        "sparse: weights that get smaller so are stored without their zeros, for readers that know it",
      )
        .choices(["dense", "sparse"])
        .default("dense"),
    )
    .addOption(shapeOption())
    .addOption(jsonOption());
}

/** `70%` or `0.7`. */
function share(text: string): number {
  const value = Number(text.replace(/%$/, "")) / (text.endsWith("%") ? 100 : 1);
  if (!/^\d*\.?\d+%?$/.test(text) || !(value > 0 && value < 1))
    throw new InvalidArgumentError("Expected a share above 0 and below 1, as in 70% or 0.7.");
  return value;
}

/** Prunes a float model and writes it whole, or nothing. */
export async function prune(model: string, options: PruneCommandOptions, streams: Streams): Promise<void> {
  const { output, data, sparsity, pattern, allocation, encode, shape, json } = options;
  ensure(/\.tflite$/i.test(output), "INVALID_OPTION", () => ({
    where: "--output",
    expected: "a name that ends in .tflite",
    received: output,
  }));
  const bytes = await readModelBytes(model);
  const graph = importModel(bytes, { shapes: shape });
  const ports = runPasses(graph).inputs.map(({ name, tensor }) => {
    const { dtype, shape: sizes } = graph.tensors[tensor] ?? { dtype: "float32" as const, shape: [] };
    return { name, dtype, shape: sizes, scale: 0, zeroPoint: 0 };
  });
  const examples = data === undefined ? undefined : await openData(options, ports);
  const start = performance.now();
  const bar = progressBar(streams);
  const choices: PruneOptions = {
    ...(sparsity === undefined ? {} : { sparsity }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(allocation === undefined ? {} : { allocation }),
    onProgress: bar.show,
  };
  let result: PruneResult;
  try {
    result = await pruneGraph(graph, examples, choices);
  } finally {
    bar.clear();
  }
  const file = writeTflite(result.graph, { from: bytes, sparse: encode === "sparse" ? "smaller" : "never" });
  writeWhole(output, [file]);
  const seconds = (performance.now() - start) / 1000;
  const { layers, samples } = result;
  if (json) {
    const preparation = examples?.preparation;
    const report = { output, bytes: file.length, from: bytes.length, seconds, samples, preparation };
    streams.out(JSON.stringify({ ...report, sparsity: result.sparsity, layers }));
    return;
  }
  for (const line of layerLines(layers)) streams.err(line);
  const by = samples === 0 ? "" : `, by ${count(samples)} examples`;
  const zeros = `${percent(result.sparsity)} zeros in ${layers.length} layers`;
  streams.err(`${output}: ${zeros}, ${count(file.length)} bytes${by}, ${seconds.toFixed(1)} s`);
}

function layerLines(layers: readonly PrunedLayer[]): readonly string[] {
  const rows = layers.map(({ name, kind, weights, zeros, error }) => [
    name,
    ...[kind, count(weights), percent(zeros / weights), percent(error)],
  ]);
  return table([["weights", "layer", "count", "zeros", "error"], ...rows], [2, 3, 4]);
}
