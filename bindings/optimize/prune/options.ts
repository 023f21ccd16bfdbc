/** What `prune` is told. */
import { chosen, ensure, kindOf } from "../../errors.ts";
import { requireSignal } from "../../given.ts";
import { checkOptions, type OptionNames } from "../../session/options.ts";
import type { Progress } from "../progress.ts";
import type { TrainOptions } from "../train/options.ts";

/** Shapes in which zeros may lie. */
export type Zeros = "unstructured" | "block" | "2:4";

/** What goes: zeros in some shape, or whole channels. */
export type Pattern = Zeros | "channels";

/**
 * How what is left is trained: 8 epochs, AdamW at 0.002 falling to 0, pictures augmented as the dense network bears it, towards the dense network's scores or
 * another teacher's, unless it says otherwise. Checkpoints are of the last training, behind the last cut: who goes on from one
 * prunes again, which gives the same, and then trains on.
 */
export type Tune = Pick<
  TrainOptions,
  | "objective"
  | "epochs"
  | "steps"
  | "batch"
  | "rate"
  | "seed"
  | "augment"
  | "copies"
  | "threads"
  | "teacher"
  | "checkpoint"
  | "onCheckpoint"
>;

/** How many weights become zero, which of them, and what makes up for it. */
export interface PruneOptions {
  /**
   * Share of the weights of all prunable layers together that become zero, or with channels of the multiply-adds that go: above 0, below 1; ½ when
   * absent. 2:4 has ½ alone.
   */
  readonly sparsity?: number;
  /**
   * In place of a sparsity: most per cent of the dense network's time that the pruned one may take, both quantized to int8, as the engine measures them
   * here and now. Only `unstructured` and `block`; the result says whether it was reached.
   */
  readonly latency?: number;
  /**
   * `unstructured`, the default: any weights. `block`: 8 outputs × 4 inputs together, which the sparse kernels skip whole. `2:4`: two of
   * each four inputs of an output, of a last group of three one. `channels`: whole channels, which leaves a smaller, dense network.
   */
  readonly pattern?: Pattern;
  /**
   * `global`, the default: layers lose as much as keeps the sum of their relative errors least. `uniform`: each layer the same
   * share.
   */
  readonly allocation?: "global" | "uniform";
  /** Most examples that are read, spread over the data where it has `some`, else the first; 512 when absent. They are kept in memory. */
  readonly samples?: number;
  /**
   * Trains what is left towards the dense network, and to the labels where the data has them, on all of the data; zeros stay
   * zeros. Only with data.
   */
  readonly tune?: Tune;
  /** Without `tune`: steps at the end in which all layers learn the dense network's outputs from 50 examples each, if the work allows; 300 when absent. */
  readonly finish?: number;
  /**
   * Cuts in which weights go, each on what the one before left; with `tune` an eighth of the training follows each but the last. 5 with channels, else 1,
   * when absent.
   */
  readonly cuts?: number;
  /**
   * Only channels: counts that stay are multiples of this where there are more. Kernels take eight together, so that a few more take the time of the next
   * eight, or far more. 8 with `tune`, which makes up for the coarser choice, else 1, when absent.
   */
  readonly multiple?: number;
  readonly onProgress?: Progress;
  /** Ends the work with its reason. */
  readonly signal?: AbortSignal;
}

const CHOICES = {
  pattern: ["unstructured", "block", "2:4", "channels"],
  allocation: ["global", "uniform"],
} as const;

/** Steps of all layers together at the end. */
const FINISH = 300;

/** Cuts in which channels go. */
const CUTS = 5;

/** Channels that kernels take together. */
const TILE = 8;

/** The options with their defaults. */
export type Settings = Required<Omit<PruneOptions, "signal" | "tune" | "latency">> &
  Pick<PruneOptions, "latency"> & { readonly check: () => void };

const OPTIONS: OptionNames<PruneOptions> = {
  sparsity: true,
  latency: true,
  pattern: true,
  allocation: true,
  samples: true,
  tune: true,
  finish: true,
  cuts: true,
  multiple: true,
  onProgress: true,
  signal: true,
};

/** Fills defaults in and refuses what contradicts. */
export function settingsOf(options: PruneOptions): Settings {
  checkOptions("prune", options, OPTIONS);
  requireSignal("prune", options);
  const { pattern = "unstructured", allocation = "global", samples = 512, onProgress = () => {}, signal } = options;
  for (const [where, value] of Object.entries({ pattern, allocation }))
    chosen<string>(where, value, CHOICES[where as keyof typeof CHOICES]);
  const sparsity = options.sparsity ?? 0.5;
  ensure(sparsity > 0 && sparsity < 1, "INVALID_OPTION", () => ({
    where: "sparsity",
    expected: "a share of the weights above 0 and below 1",
    received: kindOf(options.sparsity),
    hint: "0.7 makes 70 % of them zero.",
  }));
  ensure(pattern !== "2:4" || sparsity === 0.5, "INVALID_OPTION", () => ({
    where: "sparsity",
    expected: "0.5, which is all that 2:4 can be",
    received: kindOf(sparsity),
    hint: "Leave the sparsity out, or choose another pattern.",
  }));
  const { latency } = options;
  ensure(latency === undefined || (latency > 0 && latency < 100), "INVALID_OPTION", () => ({
    where: "latency",
    expected: "per cent of the dense network's time above 0 and below 100",
    received: kindOf(latency),
    hint: "80 asks for four fifths of the time.",
  }));
  ensure(latency === undefined || options.sparsity === undefined, "INVALID_OPTION", () => ({
    where: "latency",
    expected: "a bound of time or a sparsity",
    received: "both",
    hint: "Leave one of them out.",
  }));
  ensure(latency === undefined || pattern === "unstructured" || pattern === "block", "INVALID_OPTION", () => ({
    where: "latency",
    expected: "the pattern unstructured or block",
    received: pattern,
    hint: "Channels go by a share of the multiply-adds, and 2:4 has one sparsity alone: give a sparsity.",
  }));
  ensure(Number.isInteger(samples) && samples >= 1, "INVALID_OPTION", () => ({
    where: "samples",
    expected: "a whole number from 1",
    received: kindOf(samples),
    hint: "512 when absent.",
  }));
  const cuts = options.cuts ?? (pattern === "channels" ? CUTS : 1);
  ensure(Number.isInteger(cuts) && cuts >= 1 && cuts <= 100, "INVALID_OPTION", () => ({
    where: "cuts",
    expected: "a whole number from 1 to 100",
    received: kindOf(cuts),
    hint: "1 takes all at once.",
  }));
  const finish = options.finish ?? FINISH;
  ensure(Number.isInteger(finish) && finish >= 0, "INVALID_OPTION", () => ({
    where: "finish",
    expected: "a whole number of steps from 0",
    received: kindOf(finish),
  }));
  const channels = pattern === "channels";
  const multiple = options.multiple ?? (channels && options.tune !== undefined ? TILE : 1);
  ensure(Number.isInteger(multiple) && multiple >= 1 && (channels || multiple === 1), "INVALID_OPTION", () => ({
    where: "multiple",
    expected: channels ? "a whole number from 1" : "the pattern channels, whose counts it says",
    received: channels ? String(multiple) : pattern,
  }));
  const check = () => signal?.throwIfAborted();
  return {
    cuts,
    multiple,
    ...(latency !== undefined && { latency }),
    sparsity,
    pattern,
    allocation,
    samples,
    finish,
    onProgress,
    check,
  };
}
