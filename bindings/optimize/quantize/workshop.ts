/** A float network with its ranges and some examples: everything that making an integer network of any settings needs. */
import { type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { measureRanges, type Range, type Ranges } from "../calibrate/ranges.ts";
import { searchRanges } from "../calibrate/search.ts";
import { remember, streamLength } from "../calibrate/stream.ts";
import { spread } from "../data/some.ts";
import type { Sample } from "../data/types.ts";
import { type Layer, layersOf } from "../layers.ts";
import type { Progress } from "../progress.ts";
import { stepNodes } from "../steps.ts";
import { buildQuantized, type Decisions } from "./build.ts";
import { decide } from "./decide.ts";
import { equalize, pairsOf } from "./equalize.ts";
import { type EvenChannels, evenChannelsOf, evenOut } from "./even.ts";
import { innerSetting } from "./inner.ts";
import { type Judge, judgeOf } from "./judge.ts";
import type { LayerSetting, QuantizeOptions } from "./options.ts";
import { type Refinement, refine } from "./refine.ts";

export interface Workshop {
  /** The float network, equalized where one scale must do for all channels. */
  readonly float: Graph;
  readonly layers: readonly Layer[];
  readonly ranges: ReadonlyMap<TensorId, Range>;
  /** Some examples, spread over all. */
  readonly kept: readonly Sample[];
  /** By as many of them as pass in half a minute. */
  readonly judge: Judge;
  /** Of settings that were made before. */
  readonly known?: { readonly settings: readonly LayerSetting[]; readonly made: Made };
  /** Examples that were seen in all. */
  readonly samples: number;
  readonly options: QuantizeOptions;
}

/** A quantized network with what was decided for it. */
export interface Made {
  readonly decisions: Decisions;
  readonly graph: Graph;
}

/** Multiply-adds that the correction of int8, and that looking for ranges, should take, half a minute on one core; and the examples that they have at least. */
const MOST_WORK = 2e10;
const FEW = 8;

/** Share of the error that may stay where ranges clip: other examples reach further than these. */
const NEARER = 0.85;

const NO_RANGES: Ranges = { samples: 0, of: new Map(), channels: new Map() };

/**
 * Measures ranges over all examples where activations are quantized, and keeps as many examples as rounding, or `judged`, asks for.
 *
 * Errors: those of `measureRanges`.
 */
export async function openWorkshop(
  graph: Graph,
  data: AsyncIterable<Sample> | undefined,
  settings: readonly LayerSetting[],
  options: QuantizeOptions,
  judged: number,
  progress: Progress,
): Promise<Workshop> {
  const { activations, scales = "channel" } = options;
  const integers = activations !== "float32" || settings.some((setting) => setting.activations !== "float32");
  const kept: Sample[] = [];
  const least = integers ? Math.min(FEW, streamLength(graph)) : 0;
  const most = Math.max(judged, needsSamples(options, settings) ? streamLength(graph) : least);
  const even = scales === "channel" ? evenChannelsOf(graph) : undefined;
  const tensors = even?.tensors ?? pairsOf(graph, layersOf(graph)).map(({ first }) => first.y);
  const measured =
    data === undefined || (!integers && most === 0)
      ? NO_RANGES
      : await measureRanges(graph, remember(data, kept, most), progress, tensors);
  const { graph: float, ranges } = evened(graph, measured, even);
  const seen = some(kept, length(float));
  const judge = judgeOf(float, seen);
  const workshop = { float, layers: layersOf(float), ranges, kept, judge, samples: measured.samples, options };
  return searches(options) && seen.length > 0 ? searched(workshop, seen, settings) : workshop;
}

/** Weights rounded to the nearest: in no time, for comparing settings. */
export function makeNearest(
  { float, layers, ranges, options, known }: Workshop,
  settings: readonly LayerSetting[],
): Made {
  if (known?.settings === settings) return known.made;
  const { activations = "int8", scales = "channel", io = "float32" } = options;
  const inner = innerSetting(options);
  const decisions = decide(float, layers, { settings, activations, scales, io, ranges, inner });
  return { decisions, graph: buildQuantized(float, decisions) };
}

/** The network of these settings, as well as the options allow. */
export async function make(workshop: Workshop, settings: readonly LayerSetting[], progress: Progress): Promise<Made> {
  const { float, kept, judge, options } = workshop;
  const nearest = makeNearest(workshop, settings);
  const { weights } = nearest.decisions;
  const coarse = [...weights.values()].some(({ bits }) => bits === 4);
  const biasOf = (node: number) => (coarse ? NONE : nearest.decisions.layers.get(node)?.bias);
  const steps = stepNodes(float);
  const wanted = (node: number) =>
    refinementOf(steps.has(node) ? { ...options, correction: "none" } : options, weights.get(node), biasOf(node));
  if (kept.length === 0 || ![...weights.keys()].some((node) => wanted(node) !== undefined)) return nearest;
  const sure = options.correction !== undefined || coarse;
  const seen = some(kept, sure ? streamLength(float) : length(float));
  const decisions = await refine(float, nearest.decisions, seen, wanted, options.scales ?? "channel", progress);
  const refined = { decisions, graph: buildQuantized(float, decisions) };
  return sure ? refined : better(judge, [nearest, refined]);
}

/** The second one if its outputs, by the engine, are nearer to the float network's: their error is that share of the first one's at most. */
async function better(judge: Judge, [first, second]: readonly [Made, Made], share = 1): Promise<Made> {
  return (await judge.errorOf(second.graph)) < share * (await judge.errorOf(first.graph)) ? second : first;
}

/** With the ranges of least squared error where the outputs, by the engine, are nearer with them; with those that were measured otherwise. */
async function searched(
  workshop: Workshop,
  seen: readonly Sample[],
  settings: readonly LayerSetting[],
): Promise<Workshop> {
  const narrow = { ...workshop, ranges: await searchRanges(workshop.float, workshop.ranges, seen) };
  const [measured, clipped] = [makeNearest(workshop, settings), makeNearest(narrow, settings)];
  const made = await better(workshop.judge, [measured, clipped], NEARER);
  return { ...(made === clipped ? narrow : workshop), known: { settings, made } };
}

/** The graph equalized where channels were measured: those that may grow, or, where one scale must do for all of a layer's weights, between layers. */
function evened(graph: Graph, { of, channels }: Ranges, even: EvenChannels | undefined) {
  if (channels.size === 0) return { graph, ranges: of };
  const equal = even ? evenOut(graph, even, channels) : equalize(graph, layersOf(graph), channels);
  return { graph: equal.graph, ranges: new Map([...of, ...equal.ranges]) };
}

/** Whether any layer is rounded or corrected by examples. */
function needsSamples(options: QuantizeOptions, settings: readonly LayerSetting[]): boolean {
  if (searches(options)) return true;
  return settings.some(({ weights }) => {
    const bits = weights === "int4" ? 4 : 8;
    return (weights === "int4" || weights === "int8") && refinementOf(options, { bits }) !== undefined;
  });
}

/** What a layer's weights get besides rounding to the nearest. */
function refinementOf(
  { rounding, correction, scales = "channel", activations }: QuantizeOptions,
  stored: { readonly bits: 8 | 4 } | undefined,
  bias?: TensorId,
): Refinement | undefined {
  if (stored === undefined) return undefined;
  const corrects = stored.bits === 4 || scales === "tensor" || (activations === "int8" && bias !== NONE);
  const refinement = {
    rounding: rounding ?? (stored.bits === 4 ? "gptq" : "nearest"),
    correction: correction ?? (corrects ? "bias" : "none"),
  } as const;
  return refinement.rounding === "nearest" && refinement.correction === "none" ? undefined : (refinement as Refinement);
}

/** Whether ranges are looked for: those of int8, unless it is said otherwise. */
const searches = ({ ranges, activations }: QuantizeOptions): boolean =>
  ranges === "search" || (ranges === undefined && activations === "int8");

/** How many examples pass through in that work, four times the multiply-adds of each, as far as streams take them. */
function length(graph: Graph): number {
  const macs = layersOf(graph).reduce((sum, { y, depth }) => sum + depth * elementCount(tensorOf(graph, y).shape), 0);
  return Math.min(streamLength(graph), Math.max(FEW, Math.floor(MOST_WORK / (4 * Math.max(macs, 1)))));
}

/** So many of the examples, evenly spread. */
function some(kept: readonly Sample[], count: number): readonly Sample[] {
  const wanted = spread({ size: kept.length }, count);
  return kept.filter((_, i) => wanted(i));
}
