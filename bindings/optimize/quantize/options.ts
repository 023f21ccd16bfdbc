/** What `quantize` is told, and what that says about each layer. */
import { chosen, ensure, kindOf } from "../../errors.ts";
import { requireSignal } from "../../given.ts";
import type { Graph } from "../../graph.ts";
import { checkOptions, type OptionNames } from "../../session/options.ts";
import type { Progress } from "../progress.ts";

/** How weights are stored. */
export type WeightType = "int8" | "int4" | "float16" | "float32";
/** What a layer computes on; `float32` with integer weights is dynamic range (hybrid). */
export type ActivationType = "int8" | "int16" | "float32";

/** How one layer is stored and run. */
export interface LayerSetting {
  readonly weights: WeightType;
  readonly activations: ActivationType;
}

/** What was made of one layer. */
export interface LayerReport {
  readonly name: string;
  readonly kind: string;
  /** The name of the tensor that it makes. */
  readonly output: string;
  readonly weights: WeightType;
  readonly activations: ActivationType;
}

/** How much is left of what the float network gives at an output. */
export interface OutputReport {
  readonly name: string;
  /**
   * 10·log10(power of the float network's values less their mean / power of the difference), by up to 128 of the examples and the engine: below 10 dB
   * eight bits of activations are too few for a network, at 0 it says nothing.
   */
  readonly snr: number;
}

/** How weights are rounded: each to the nearest, by GPTQ, or learned (AdaRound), which takes some thirty times as long. */
export type Rounding = "nearest" | "gptq" | "adaround";

/** One scale for each output channel, or one for all. */
export type Scales = "channel" | "tensor";

/** Type of what goes in and comes out of the graph. */
export type Io = "float32" | "int8" | "uint8" | "int16";

/** What a bound is about: points of accuracy that are lost, or per cent of the model's bytes or time. */
export type BoundName = "maxDrop" | "size" | "latency";

/** A bound, in per cent. */
export interface Bound {
  readonly name: BoundName;
  /** 0.5 for half a point, 20 for a fifth. */
  readonly most: number;
}

/** How a bound was kept. */
export interface BoundReport extends Bound {
  /** In per cent. */
  readonly reached: number;
  readonly met: boolean;
}

/** How a network becomes one of integers. */
export interface QuantizeOptions {
  /** Weights of all layers; int8 when absent. With int4 the first layer and depthwise ones stay int8, unless `layers` says otherwise. */
  readonly weights?: WeightType;
  /** Activations: int8 when absent with data, float32 (dynamic range) without. */
  readonly activations?: ActivationType;
  /** One scale for each output channel, the default, or one for each tensor. */
  readonly scales?: Scales;
  /** Type of the graph's inputs and outputs; float32 when absent. */
  readonly io?: Io;
  /**
   * Settings of single layers, by the name of their weights or by what they are: `"*"` all, `"first"`, `"depthwise"`, `"pointwise"`,
   * `"conv"`, `"dense"`. Later ones win.
   */
  readonly layers?: Readonly<Record<string, Partial<LayerSetting>>>;
  /** gptq when absent for int4, nearest for int8. */
  readonly rounding?: Rounding;
  /**
   * Mean pre-activations moved back to the float network's, layer after layer: when absent where weights are int4, and where the outputs get better by it with one scale for each
   * tensor, or of layers with a bias between int8 activations, unless that takes more than 2 · 10¹⁰ multiply-adds.
   */
  readonly correction?: "bias" | "none";
  /** `search`: ranges of least squared error, where the outputs get better by it; when absent so for int8, as measured (`minmax`) for int16. */
  readonly ranges?: "minmax" | "search";
  /**
   * Most per cent that accuracy may drop (agreement with the float network where there are no labels; where the output is no list of scores, the
   * error in per cent of its power): layers that hurt most get more bits, or stay float, until it holds.
   */
  readonly maxDrop?: number;
  /** Most per cent of the float model's file: the layers that hurt least per byte get int4 until it holds. */
  readonly size?: number;
  /** What that is a share of, in bytes, and what a graph's file takes; the float network and others as .tflite when absent. */
  readonly file?: { readonly bytes: number; readonly of: (graph: Graph) => number };
  /** Most per cent of the float model's time. */
  readonly latency?: number;
  readonly onProgress?: Progress;
  /** Ends the work with its reason. */
  readonly signal?: AbortSignal;
}

const CHOICES: { readonly [K in keyof QuantizeOptions]: readonly string[] } = {
  weights: ["int8", "int4", "float16", "float32"],
  activations: ["int8", "int16", "float32"],
  scales: ["channel", "tensor"],
  io: ["float32", "int8", "uint8", "int16"],
  rounding: ["nearest", "gptq", "adaround"],
  correction: ["bias", "none"],
  ranges: ["minmax", "search"],
};

const OPTIONS: OptionNames<QuantizeOptions> = {
  weights: true,
  activations: true,
  scales: true,
  io: true,
  layers: true,
  rounding: true,
  correction: true,
  ranges: true,
  maxDrop: true,
  size: true,
  file: true,
  latency: true,
  onProgress: true,
  signal: true,
};

/** Refuses values that an option does not have. */
export function checkQuantizeOptions(options: QuantizeOptions): void {
  checkOptions("quantize", options, OPTIONS);
  requireSignal("quantize", options);
  for (const [name, values] of Object.entries(CHOICES)) {
    const value = options[name as keyof QuantizeOptions];
    if (value !== undefined) chosen(name, value, values);
  }
  for (const name of ["maxDrop", "size", "latency"] as const) {
    const value = options[name];
    ensure(value === undefined || (typeof value === "number" && value >= 0 && value <= 1000), "INVALID_OPTION", () => ({
      where: name,
      expected: "per cent from 0",
      received: kindOf(value),
      hint: "20 is a fifth: per cent, not a share.",
    }));
  }
  const { weights, activations, layers, file } = options;
  ensure(file === undefined || (file.bytes > 0 && typeof file.of === "function"), "INVALID_OPTION", () => ({
    where: "file",
    expected: "{ bytes, of }: the bytes of the model's file, and a function that gives those of a graph's",
    received: kindOf(file),
  }));
  const isFloat = weights === "float16" || weights === "float32";
  ensure(!isFloat || !activations?.startsWith("int") || layers !== undefined, "INVALID_OPTION", () => ({
    where: "activations",
    expected: `float32 beside weights of ${weights}`,
    received: kindOf(activations),
    hint: "Leave the activations out, or name layers whose weights are integers.",
  }));
  for (const [name, setting] of Object.entries(layers ?? {}))
    for (const key of ["weights", "activations"] as const) {
      const value = Object(setting)[key];
      ensure(value === undefined || CHOICES[key]?.includes(value) === true, "INVALID_OPTION", () => ({
        where: `layers, ${name}`,
        expected: `${key} ${CHOICES[key]?.join(", ")}`,
        received: kindOf(value),
      }));
    }
}
