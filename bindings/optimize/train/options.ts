import { chosen, ensure, kindOf } from "../../errors.ts";
import { requireSignal } from "../../given.ts";
import type { Graph, TensorId } from "../../graph.ts";
import { checkOptions, type OptionNames } from "../../session/options.ts";
import type { Dataset } from "../data/types.ts";
import type { Augmentation } from "./augment.ts";
import type { Levels, LossWeights, Objective } from "./kinds.ts";

/** How a network is trained. */
export interface TrainOptions {
  /** A network whose outputs are to be learned; they are computed once for each copy of the data, where there is room for them. */
  readonly teacher?: Graph;
  /** `until-passed`: a student that is as good as its teacher on labelled examples kept back goes on by the labels alone; see `teachingOf`. `throughout` when absent. */
  readonly teaching?: "throughout" | "until-passed";
  /** What the network is to give; by its output and the data's labels when absent: see `goalOf`. */
  readonly objective?: Objective;
  /** Parts of the loss; see `lossOf` for what they are when absent. */
  readonly loss?: Partial<LossWeights>;
  /** Times through the data; 8 when absent. */
  readonly epochs?: number;
  /** Steps of one batch each, in place of epochs. */
  readonly steps?: number;
  /** Samples of a step; 125 when absent, less where there are fewer or a step would take more than 2 GiB. */
  readonly batch?: number;
  /** AdamW's largest rate, 0.002 when absent; it falls to 0 by a cosine. */
  readonly rate?: number;
  /** First steps, over which the rate rises; 0 when absent. */
  readonly warmUp?: number;
  /** Weight decay, of weights alone; 0.01 when absent. */
  readonly decay?: number;
  /** 0 when absent. The same seed gives the same network. */
  readonly seed?: number;
  /** How copies of pictures differ; `fitting`: as far as the teacher bears it, see there. Without it all copies are the same. */
  readonly augment?: Augmentation | "fitting";
  /** Copies of each sample that epochs go through in turn, the first as it is, samples beginning at different ones; 12 with a teacher, as many as epochs without. */
  readonly copies?: number;
  /**
   * Batch normalization while it trains: `restore`, the default, puts it back so that the network computes what it did; `fresh` is for random
   * weights; `none` trains weights and biases as they are. It is folded in again at the end.
   */
  readonly normalization?: "restore" | "fresh" | "none";
  /** One byte for each weight of a tensor: where it is 0, the weight is and stays 0. */
  readonly masks?: ReadonlyMap<TensorId, Uint8Array>;
  /** Called before each step with what may change: masks that grow. */
  readonly onStep?: (step: number, steps: number, change: Changes) => void;
  /** Rounds weights, and activations where ranges are given, while training goes on: gradients go straight through. */
  readonly fakeQuant?: {
    /** Bits of a weight tensor, 8 or 4; those that are absent are not rounded. */
    readonly weights?: ReadonlyMap<TensorId, number>;
    readonly activations?: ReadonlyMap<TensorId, Levels>;
  };
  readonly onProgress?: (progress: Progress) => void;
  /** Steps from one `onProgress` to the next; 20 when absent. */
  readonly progressSteps?: number;
  /** Data whose accuracy, or mean error, is measured. */
  readonly validation?: Dataset;
  /** Epochs from one measurement to the next; 1 when absent. */
  readonly validateEpochs?: number;
  /** Ends training: it rejects with the signal's reason, after a last checkpoint. */
  readonly signal?: AbortSignal;
  /** Where training goes on, as `onCheckpoint` was given it. */
  readonly checkpoint?: Uint8Array;
  /** Given all that training needs to go on, after each epoch and when it is ended by the signal. */
  readonly onCheckpoint?: (bytes: Uint8Array) => void | Promise<void>;
  /** `auto` when absent. */
  readonly threads?: number | "auto";
}

/** What `onStep` may do. */
export interface Changes {
  /** The weights of a tensor as they are now, in its order. With normalization they are not of the size that the network's are. */
  weights(tensor: TensorId): Float32Array;
  /** Other masks; those of tensors that `masks` names. */
  setMask(tensor: TensorId, mask: Uint8Array): void;
}

/** How far training has come. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  /** Means since the last progress. */
  readonly loss: number;
  /** Part of the labelled samples, or of their places, whose largest score is their label's; NaN without labels. */
  readonly accuracy: number;
  /** Of values and embeddings the mean |difference| from the targets, or the teacher's; NaN of classes. */
  readonly error: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
  /** Whether the student has passed its teacher, and learns by the labels alone: see `teaching`. */
  readonly passed?: boolean;
  /** Accuracy, or of values and embeddings the mean error, on the validation data, where it has just been measured. */
  readonly validation?: number;
}

const OBJECTIVES: readonly string[] = ["classes", "values", "embeddings"];

const OPTIONS: OptionNames<TrainOptions> = {
  teacher: true,
  teaching: true,
  objective: true,
  loss: true,
  epochs: true,
  steps: true,
  batch: true,
  rate: true,
  warmUp: true,
  decay: true,
  seed: true,
  augment: true,
  copies: true,
  normalization: true,
  masks: true,
  onStep: true,
  fakeQuant: true,
  onProgress: true,
  progressSteps: true,
  validation: true,
  validateEpochs: true,
  signal: true,
  checkpoint: true,
  onCheckpoint: true,
  threads: true,
};

/** Refuses what cannot be meant. */
export function checkTrainOptions(options: TrainOptions): void {
  checkOptions("train", options, OPTIONS);
  requireSignal("train", options);
  const { objective, augment } = options;
  if (objective !== undefined) chosen("objective", objective, OBJECTIVES);
  if (options.teaching !== undefined) chosen("teaching", options.teaching, ["throughout", "until-passed"]);
  if (typeof augment === "string") chosen("augment", augment, ["fitting"]);
  const whole = ["epochs", "steps", "batch", "copies", "progressSteps", "validateEpochs"] as const;
  for (const name of whole) {
    const value = options[name];
    ensure(value === undefined || (Number.isInteger(value) && value >= 1), "INVALID_OPTION", () => ({
      where: name,
      expected: "a whole number from 1",
      received: kindOf(value),
    }));
  }
  for (const name of ["rate", "decay", "warmUp"] as const) {
    const value = options[name];
    ensure(value === undefined || (Number.isFinite(value) && value >= 0), "INVALID_OPTION", () => ({
      where: name,
      expected: "a number from 0",
      received: kindOf(value),
    }));
  }
}
