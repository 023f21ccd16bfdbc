/** Float network → integer network. */
import { ensure } from "../../errors.ts";
import type { Graph } from "../../graph.ts";
import { measureRanges, type Ranges } from "../calibrate/ranges.ts";
import { remember, streamLength } from "../calibrate/stream.ts";
import type { Sample } from "../data/types.ts";
import { layersOf } from "../layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import type { Progress } from "../progress.ts";
import { buildQuantized, type Decisions } from "./build.ts";
import { decide } from "./decide.ts";
import { equalize, pairsOf } from "./equalize.ts";
import { errorOf, outputsOf } from "./judge.ts";
import { checkQuantizeOptions, type LayerSetting, type QuantizeOptions } from "./options.ts";
import { type Refinement, refine } from "./refine.ts";
import { settingsOf } from "./settings.ts";
import type { Scales } from "./weights.ts";

/** What was made of one layer. */
export interface LayerReport {
  readonly name: string;
  readonly kind: string;
  readonly weights: string;
  readonly activations: string;
}

export interface QuantizeResult {
  /** As an importer would give it: write it, plan it, run it. */
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
  /** Examples that calibrated it. */
  readonly samples: number;
  /** Operators that stay on floats since the engine has no integer form of them, by kind. */
  readonly floats: readonly string[];
}

const NO_RANGES: Ranges = { samples: 0, of: new Map(), channels: new Map() };

/**
 * Quantizes a float network in TFLite's convention. Without data weights alone are quantized (dynamic range).
 *
 * Errors: INVALID_GRAPH for a network that is quantized already, INVALID_INPUT for data that is empty, of another size, not finite, or
 * that leaves a layer at 0; INVALID_OPTION; the signal's reason.
 */
export async function quantize(
  graph: Graph,
  data?: AsyncIterable<Sample>,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  checkQuantizeOptions(options);
  const { activations = data === undefined ? "float32" : "int8", scales = "channel", io = "float32" } = options;
  const prepared = prepareFloat(graph);
  const settings = settingsOf(prepared, layersOf(prepared), { ...options, activations });
  const integers = activations !== "float32" || settings.some((setting) => setting.activations !== "float32");
  ensure(data !== undefined || !integers, "INVALID_OPTION", () => ({
    where: "data",
    expected: "examples: ranges of activations are measured",
    received: "none",
    hint: "Give data, or leave activations at float32.",
  }));
  ensure(integers || io === "float32", "INVALID_OPTION", () => ({
    where: "io",
    expected: "float32, where no activation is quantized",
    received: io,
  }));
  const progress = withSignal(options);
  const kept: Sample[] = [];
  const most = needsSamples(options, settings) ? streamLength(prepared) : 0;
  const measured =
    data === undefined || (!integers && most === 0)
      ? NO_RANGES
      : await measureRanges(prepared, remember(data, kept, most), progress, betweenLayers(prepared, scales));
  const { graph: float, ranges } = evenOut(prepared, measured);
  const layers = layersOf(float);
  const nearest = decide(float, layers, { settings, activations, scales, io, ranges });
  const wanted = (node: number) => refinementOf(options, nearest.weights.get(node));
  const refined = kept.length === 0 ? nearest : await refine(float, nearest, kept, wanted, scales, progress);
  const sure = options.correction !== undefined || [...nearest.weights.values()].some(({ bits }) => bits === 4);
  const decisions = refined === nearest || sure ? refined : await better(float, [nearest, refined], kept);
  const quantized = buildQuantized(float, decisions);
  return {
    graph: quantized,
    layers: layers.map(({ name, node, index }, i) => ({
      ...{ name, kind: node.kind, weights: settings[i]?.weights ?? "float32" },
      activations: decisions.types[index] ?? "float32",
    })),
    samples: measured.samples,
    floats: integers
      ? [...new Set(float.nodes.filter((_, i) => decisions.types[i] === "float32").map(({ kind }) => kind))]
      : [],
  };
}

/** Those of the decisions whose outputs, by the engine, are nearest to the float network's. */
async function better(float: Graph, candidates: readonly Decisions[], samples: readonly Sample[]): Promise<Decisions> {
  const expected = await outputsOf(float, samples);
  const errors: number[] = [];
  for (const each of candidates) errors.push(errorOf(await outputsOf(buildQuantized(float, each), samples), expected));
  return candidates[errors.indexOf(Math.min(...errors))] as Decisions;
}

/** Tensors between layers that are to be equalized: where one scale must do for all channels. */
const betweenLayers = (graph: Graph, scales: Scales) =>
  scales === "tensor" ? pairsOf(graph, layersOf(graph)).map(({ first }) => first.y) : [];

/** The graph equalized where channels were measured. */
function evenOut(graph: Graph, { of, channels }: Ranges) {
  if (channels.size === 0) return { graph, ranges: of };
  const equal = equalize(graph, layersOf(graph), channels);
  return { graph: equal.graph, ranges: new Map([...of, ...equal.ranges]) };
}

/** Whether any layer is rounded or corrected by examples. */
function needsSamples(options: QuantizeOptions, settings: readonly LayerSetting[]): boolean {
  return settings.some(({ weights }) => {
    const bits = weights === "int4" ? 4 : 8;
    return (weights === "int4" || weights === "int8") && refinementOf(options, { bits }) !== undefined;
  });
}

/** What a layer's weights get besides rounding to the nearest. */
function refinementOf(
  { rounding, correction, scales = "channel" }: QuantizeOptions,
  stored: { readonly bits: 8 | 4 } | undefined,
): Refinement | undefined {
  if (stored === undefined) return undefined;
  const rough = stored.bits === 4 || scales === "tensor";
  const refinement = {
    rounding: rounding ?? (stored.bits === 4 ? "gptq" : "nearest"),
    correction: correction ?? (rough ? "bias" : "none"),
  } as const;
  return refinement.rounding === "nearest" && refinement.correction === "none" ? undefined : (refinement as Refinement);
}

/** Progress that ends the work when the signal says so. */
function withSignal({ onProgress = () => {}, signal }: QuantizeOptions): Progress {
  return (step) => {
    signal?.throwIfAborted();
    onProgress(step);
  };
}
