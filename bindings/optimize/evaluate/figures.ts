/** What is found of a model. */
import type { Graph } from "../../graph.ts";
import type { Session } from "../../session/session.ts";

/** Bytes of a model file, a graph, or a session. */
export type Model = Uint8Array | Graph | Session;

/** What is known of a model after all samples. */
export interface ModelFigures {
  readonly name: string;
  /** Of its file, where it came as one. */
  readonly bytes?: number;
  readonly classes?: Classes;
  /** Against the samples' own targets, where they have some; an autoencoder's inputs. */
  readonly targets?: Nearness;
  /** The same of each output, where several have targets. */
  readonly targetsByOutput?: readonly OutputNearness[];
  /** Milliseconds a sample: the median of the later half of the runs, of 0.1 s at least. */
  readonly latency: number;
  /** Samples of one run. */
  readonly batch: number;
  /** Share of zeros among the weights, where the model came as a file or graph. */
  readonly sparsity?: number;
}

/** How often the right class was found. */
export interface Classes {
  /** Share of the samples, of a segmentation of their places, whose label has the largest score; the first of equal ones counts. */
  readonly top1: number;
  /** Share of those whose label is among the five largest. */
  readonly top5: number;
  /** `[label][class that was found]`; empty where there are more than 4,096 classes. */
  readonly confusion: readonly (readonly number[])[];
  /** Of a segmentation: intersection over union, the mean of the classes that labels or outputs have. */
  readonly iou?: number;
}

/** What two models are compared by: a `class` of a sample or of a place, a `decision` of yes or no, or the place of the largest number where nothing says that it is a class. */
export type Compared = "class" | "class of a place" | "decision" | "largest number";

/** How near numbers are to others. */
export interface Nearness {
  /** Mean of |difference|. */
  readonly meanError: number;
  /** Mean of the samples' cosines. */
  readonly cosine: number;
}

/** How near one of several outputs is, which may differ in size from the others. */
export interface OutputNearness extends Nearness {
  /** The output. */
  readonly name: string;
}

/** How a tensor of the model differs from the other's. */
export interface LayerError {
  /** The tensor. */
  readonly name: string;
  /** The operator that computes it in the model: `node 3 (CONV_2D)`. */
  readonly where: string;
  /** 10·log10(power of the other's values / power of the difference); Infinity where there is none. */
  readonly snr: number;
  /** The least of that behind the functions that read it, where all of them level what is far out and leave more: what a scale clips there hurts nothing. */
  readonly behind?: number;
  readonly cosine: number;
  readonly meanError: number;
  /** The other's values in equal bins from `low` to `high`, those beyond in the last. */
  readonly histogram: { readonly low: number; readonly high: number; readonly counts: readonly number[] };
  /** The real values that the model's tensor can hold, where it is quantized: what lies beyond is clipped. */
  readonly clip?: readonly [low: number, high: number];
}

/** Layers by what they leave of the signal, the least first; of those that say the same, as what only moves another's numbers does, one. */
export function worstFirst(layers: readonly LayerError[]): readonly LayerError[] {
  const left = ({ snr, behind = snr }: LayerError) => behind;
  const said = new Set<string>();
  return [...layers]
    .sort((a, b) => left(a) - left(b))
    .filter(({ snr, cosine, meanError }) => {
      const figures = `${snr} ${cosine} ${meanError}`;
      return meanError === 0 || (!said.has(figures) && said.add(figures));
    });
}

/** Top-5 where there are more classes than that. */
export const topFive = (classes: Classes | undefined): number | undefined =>
  classes !== undefined && classes.confusion.length >= 1 && classes.confusion.length <= 5 ? undefined : classes?.top5;
