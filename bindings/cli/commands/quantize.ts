import { ensure, Pint8Error } from "../../errors.ts";
import { externalFiles } from "../../formats/index.ts";
import { otherSignatures } from "../../formats/tflite/write/kept.ts";
import type { Graph } from "../../graph.ts";
import {
  type BoundReport,
  type QuantizeOptions,
  type QuantizeResult,
  quantize as quantizeGraph,
  readRecipe,
  writeRecipe,
} from "../../public/optimize.ts";
import { progressBar } from "../bar.ts";
import { openData, realPorts } from "../data.ts";
import { type DataOptions, requireData } from "../dataOptions.ts";
import { readBytes, requirePlaces, writeTogether, writeWhole } from "../files.ts";
import { decodeText } from "../labels.ts";
import { readGraph } from "../open.ts";
import type { ReadingOptions } from "../options.ts";
import { modelFile, requireModelName, requireWritable } from "../output.ts";
import type { Layers } from "../quantizeOptions.ts";
import type { Streams } from "../streams.ts";
import { count, finite } from "../text.ts";

/** The command line of `pint8 quantize`. */
export interface QuantizeCommandOptions
  extends DataOptions,
    Pick<ReadingOptions, "signature" | "shape">,
    Pick<
      QuantizeOptions,
      "weights" | "activations" | "io" | "rounding" | "correction" | "ranges" | "maxDrop" | "size" | "latency"
    > {
  readonly output: string;
  readonly perTensor?: true;
  readonly layer?: Layers;
  readonly recipe?: string;
  readonly saveRecipe?: string;
  readonly encode?: "sparse" | "dense";
  readonly json?: true;
}

/** Quantizes a model by examples, or its weights alone without them, and writes it. */
export async function quantize(model: string, options: QuantizeCommandOptions, streams: Streams): Promise<void> {
  const { output, data, perTensor, layer, json, ...rest } = options;
  requireModelName(output);
  requireData(options);
  const { bytes, graph } = await readGraph(model, () => options);
  requireWritable(output, graph);
  const examples = data === undefined ? undefined : await openData(options, realPorts(graph));
  const bar = progressBar(streams);
  const size = examples?.size;
  const said = rest.recipe === undefined ? {} : readRecipe(decodeText(readBytes(rest.recipe), rest.recipe), graph);
  const fileOf = (each: Graph) => modelFile(output, each, () => {}, { from: bytes, ...options });
  const choices: QuantizeOptions = {
    ...said,
    ...pick(rest),
    ...(perTensor ? { scales: "tensor" } : {}),
    ...(layer === undefined ? {} : { layers: { ...said.layers, ...layer } }),
    // Constants in files of their own are no part of the model's.
    ...(externalFiles(bytes).length === 0 && { file: { bytes: bytes.length, of: (each) => fileOf(each).length } }),
    onProgress: (step) => bar.show(step.phase === "calibrate" && size !== undefined ? { ...step, total: size } : step),
  };
  requirePlaces([output, rest.saveRecipe], json);
  const start = performance.now();
  let result: Awaited<ReturnType<typeof quantizeGraph>>;
  try {
    result = await quantizeGraph(graph, examples, choices);
  } finally {
    bar.clear();
  }
  requireBounds(result);
  const others = examples === undefined ? await quantizeOthers(bytes, options.signature, choices) : {};
  const file = modelFile(output, result.graph, streams.err, { from: bytes, ...options, others });
  const recipe = rest.saveRecipe && { path: rest.saveRecipe, bytes: new TextEncoder().encode(writeRecipe(result)) };
  if (recipe) writeTogether([{ path: output, bytes: file }, recipe]);
  else writeWhole(output, [file]);
  const seconds = (performance.now() - start) / 1000;
  const { samples, layers, inner, floats, silent, bounds, outputs } = result;
  const notes = notesOf(result);
  if (json) {
    const from = examples?.preparation;
    streams.out(
      JSON.stringify(
        {
          output,
          bytes: file.length,
          from: bytes.length,
          seconds,
          samples,
          preparation: from,
          layers,
          inner,
          floats,
          silent,
          outputs,
          notes,
        },
        finite,
      ),
    );
    return;
  }
  for (const line of summary([...layers, ...inner])) streams.err(line);
  for (const bound of bounds) streams.err(`${boundText(bound)}, kept`);
  if (floats.length > 0) streams.err(`floats still: ${floats.join(", ")}`);
  if (silent.length > 0) streams.err(`0 for every example, so that other data may be clipped: ${silent.join(", ")}`);
  for (const note of notes) streams.err(`note: ${note}`);
  const share = Math.round((100 * file.length) / bytes.length);
  const by = samples === 0 ? "" : `, by ${count(samples)} examples`;
  streams.err(
    `${output}: ${count(file.length)} bytes, ${share} % of ${count(bytes.length)}${by}, ${seconds.toFixed(1)} s`,
  );
}

/** Decibels below which an output is not what it was. */
const POOR = 10;

/** What a user should know of outputs that integers do not hold, and do about it. */
function notesOf({ outputs, activations }: QuantizeResult): readonly string[] {
  const poor = outputs.filter(({ snr }) => !(snr >= POOR));
  if (poor.length === 0) return [];
  const few = poor.slice(0, 4).map(({ name, snr }) => `${JSON.stringify(name)} ${snr.toFixed(1)} dB`);
  const more = poor.length > few.length ? `, and ${poor.length - few.length} more` : "";
  const wider = activations === "int8" ? "--activations int16, or " : "";
  return [
    `too little is left of the float network's outputs (signal to error, ${POOR} dB and more are usual): ${few.join(", ")}${more}; ${wider}no --data (dynamic range: activations stay floats) keeps more`,
  ];
}

/**
 * The graphs of a .tflite file's other signatures with their weights in fewer bits, too: often they are the same ones, as those of a language
 * model that reads and that writes, and a file would hold them twice. Those that are quantized already stay.
 */
async function quantizeOthers(
  bytes: Uint8Array,
  signature: string | undefined,
  options: QuantizeOptions,
): Promise<{ readonly [signature: string]: Graph }> {
  const found: Record<string, Graph> = {};
  for (const { key, graph } of otherSignatures(bytes, { signature }))
    try {
      found[key] = (await quantizeGraph(graph, undefined, { ...options, onProgress: () => {} })).graph;
    } catch (error) {
      if (!(error instanceof Pint8Error) || error.code !== "INVALID_GRAPH") throw error;
    }
  return found;
}

const BOUNDS = { maxDrop: "drop", size: "size", latency: "time" };

const boundText = ({ name, most, reached }: BoundReport) =>
  `${BOUNDS[name]} ${reached.toFixed(2)} % of at most ${most} %`;

/** Nothing is written that misses a bound: the error says how near it came. */
function requireBounds({ bounds }: { readonly bounds: readonly BoundReport[] }): void {
  const missed = bounds.filter(({ met }) => !met);
  ensure(missed.length === 0, "INVALID_OPTION", () => ({
    where: "bounds",
    expected: "a network that keeps them",
    received: `at best ${bounds.map((bound) => `${boundText(bound)}${bound.met ? "" : ", missed"}`).join("; ")}`,
    hint: "Give more room, or other settings of single layers (--layer).",
  }));
}

/** The options that are handed on as they are. */
function pick(options: QuantizeOptions): QuantizeOptions {
  const { weights, activations, io, rounding, correction, ranges, maxDrop, size, latency } = options;
  const given = { weights, activations, io, rounding, correction, ranges, maxDrop, size, latency };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** How many layers have each setting; says where there are none. */
function summary(
  layers: readonly { readonly kind: string; readonly weights: string; readonly activations: string }[],
): readonly string[] {
  if (layers.length === 0) return ["no layer has weights to quantize"];
  const counts = new Map<string, number>();
  for (const { weights, activations } of layers) {
    const setting = `${weights} weights, ${activations} activations`;
    counts.set(setting, (counts.get(setting) ?? 0) + 1);
  }
  return [...counts].map(([setting, number]) => `${number} ${number === 1 ? "layer" : "layers"}: ${setting}`);
}
