/** Float network → integer network. */
import { ensure } from "../../errors.ts";
import { requireGraph } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { examplesOf } from "../data/examples.ts";
import type { Sample } from "../data/types.ts";
import { isProduct, layersOf } from "../layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import { settleConstants } from "../prepare/settle.ts";
import type { Progress } from "../progress.ts";
import { affinesAsLayers } from "./affines.ts";
import { innerSetting, storeInner } from "./inner.ts";
import { boundsOf, planMixed } from "./mixed.ts";
import {
  type ActivationType,
  type BoundReport,
  checkQuantizeOptions,
  type LayerReport,
  type OutputReport,
  type QuantizeOptions,
} from "./options.ts";
import { settingsOf } from "./settings.ts";
import { signsAsProducts } from "./signs.ts";
import { squaresAsProducts } from "./squares.ts";
import { swishesInSteps } from "./swishes.ts";
import { make, openWorkshop } from "./workshop.ts";

/** The network of integers, and what became of each layer. */
export interface QuantizeResult {
  /** As an importer would give it: write it, plan it, run it. */
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
  /** Of layers inside of loops and branches, and of recurrent operators, the weights alone are quantized; so are tables of dynamic range. */
  readonly inner: readonly LayerReport[];
  /** Of the operators that are no layers. */
  readonly activations: ActivationType;
  /** Examples that calibrated it. */
  readonly samples: number;
  /** Operators that stay on floats since the engine has no integer form of them, by kind. */
  readonly floats: readonly string[];
  /** Layers on integers that gave 0 for every example, by name: what other data makes of them may be clipped. */
  readonly silent: readonly string[];
  /** Each output, where activations are integers: how near it is to the float network's. */
  readonly outputs: readonly OutputReport[];
  /** Each bound that was asked for, and how near the result came. */
  readonly bounds: readonly BoundReport[];
}

/** Examples that networks are judged by, where there are bounds, and bytes of their inputs and outputs, at most. */
const JUDGED = 1000;
const JUDGED_BYTES = 2 ** 27;

function judgedOf({ tensors, inputs, outputs }: Graph): number {
  const elements = [...inputs, ...outputs].map(({ tensor }) => elementCount(tensors[tensor]?.shape ?? []));
  const bytes = 4 * elements.reduce((sum, count) => sum + count, 0);
  return Math.max(1, Math.min(JUDGED, Math.floor(JUDGED_BYTES / Math.max(bytes, 1))));
}

/**
 * Quantizes a float network in TFLite's convention. Without data weights alone are quantized (dynamic range).
 *
 * Errors: INVALID_GRAPH for a network that is quantized already, INVALID_INPUT for data that is empty, of another size, not finite, or
 * that leaves no output of the network but what is always the same; INVALID_OPTION; the signal's reason.
 */
export async function quantize(
  graph: Graph,
  given?: AsyncIterable<Sample>,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  requireGraph("quantize", graph);
  const data = given === undefined ? undefined : examplesOf("quantize", given);
  checkQuantizeOptions(options);
  const { activations = data === undefined ? "float32" : "int8", io = "float32" } = options;
  const plain = prepareFloat(await settleConstants(graph));
  const signed = activations === "float32" ? plain : affinesAsLayers(signsAsProducts(squaresAsProducts(plain)));
  const prepared = activations === "int16" ? swishesInSteps(signed) : signed;
  const settings = settingsOf(prepared, layersOf(prepared), { ...options, activations });
  const integers = activations !== "float32" || settings.some((setting) => setting.activations !== "float32");
  ensure(data !== undefined || !integers, "INVALID_OPTION", () => ({
    where: "data",
    expected: "examples: ranges of activations are measured",
    received: "none",
    hint: "Give data, or leave activations at float32.",
  }));
  ensure(integers || boundsOf(options).length === 0, "INVALID_OPTION", () => ({
    where: "maxDrop, size, latency",
    expected: "activations of integers: others are not planned by bounds",
    received: "float32",
    hint: data === undefined ? "Give data: without examples activations stay float32." : "",
  }));
  ensure(integers || io === "float32", "INVALID_OPTION", () => ({
    where: "io",
    expected: "float32, where no activation is quantized",
    received: io,
  }));
  const progress = withSignal(options);
  const bounds = boundsOf(options);
  const judged = bounds.length === 0 ? 0 : judgedOf(prepared);
  const workshop = await openWorkshop(prepared, data, settings, { ...options, activations }, judged, progress);
  const found =
    bounds.length === 0
      ? { settings, made: await make(workshop, settings, progress), bounds: [], activations }
      : await planMixed(workshop, settings, bounds, progress);
  const { types, silent, halves } = found.made.decisions;
  const { float, layers, samples, judge } = workshop;
  const signals = integers ? await judge.signalOf(found.made.graph) : [];
  return {
    graph: found.made.graph,
    samples,
    silent,
    bounds: found.bounds,
    outputs: signals.map((snr, i) => ({ name: float.outputs[i]?.name ?? "", snr })),
    activations: found.activations,
    inner: storeInner(float, innerSetting({ ...options, activations })).layers,
    layers: layers.map(({ name, node, index, w, y }, i) => {
      const { weights = "float32" } = found.settings[i] ?? {};
      return {
        name,
        kind: node.kind,
        output: tensorOf(float, y).name,
        weights: halves.has(w) ? "float16" : weights === "float16" ? "float32" : weights,
        activations: types[index] ?? "float32",
      };
    }),
    floats: integers
      ? [
          ...new Set(
            float.nodes.filter((node, i) => types[i] === "float32" && !isProduct(node)).map(({ kind }) => kind),
          ),
        ]
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
