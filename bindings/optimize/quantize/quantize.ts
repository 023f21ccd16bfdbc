/** Float network → integer network. */
import { ensure } from "../../errors.ts";
import type { Graph } from "../../graph.ts";
import { measureRanges, type Ranges } from "../calibrate/ranges.ts";
import type { Sample } from "../data/types.ts";
import { layersOf } from "../layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import type { Progress } from "../progress.ts";
import { buildQuantized } from "./build.ts";
import { decide } from "./decide.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./options.ts";
import { settingsOf } from "./settings.ts";

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

const NO_RANGES: Ranges = { samples: 0, of: new Map() };

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
  const float = prepareFloat(graph);
  const layers = layersOf(float);
  const settings = settingsOf(float, layers, { ...options, activations });
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
  const ranges = data === undefined || !integers ? NO_RANGES : await measureRanges(float, data, progress);
  const decisions = decide(float, layers, { settings, activations, scales, io, ranges: ranges.of });
  const quantized = buildQuantized(float, decisions);
  return {
    graph: quantized,
    layers: layers.map(({ name, node, index }, i) => ({
      ...{ name, kind: node.kind, weights: settings[i]?.weights ?? "float32" },
      activations: decisions.types[index] ?? "float32",
    })),
    samples: ranges.samples,
    floats: integers
      ? [...new Set(float.nodes.filter((_, i) => decisions.types[i] === "float32").map(({ kind }) => kind))]
      : [],
  };
}

/** Progress that ends the work when the signal says so. */
function withSignal({ onProgress = () => {}, signal }: QuantizeOptions): Progress {
  return (step) => {
    signal?.throwIfAborted();
    onProgress(step);
  };
}
