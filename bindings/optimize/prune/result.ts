/** What pruning gives. */
import type { Graph } from "../../graph.ts";

/** What became of one layer. */
export interface PrunedLayer {
  /** Its weights' name. */
  readonly name: string;
  readonly kind: string;
  readonly weights: number;
  /** Weights that are zero, or gone with their channels. */
  readonly zeros: number;
  /**
   * Squared error of its outputs relative to their variance, on the examples, before training; of weights where there are none; absent where
   * channels are gone.
   */
  readonly error?: number;
}

/** The pruned network, and what became of each layer. */
export interface PruneResult {
  /** As an importer would give it: write it, quantize it, run it. */
  readonly graph: Graph;
  readonly layers: readonly PrunedLayer[];
  /** Share of zeros among the weights of these layers; with channels, share of the multiply-adds that are gone. */
  readonly sparsity: number;
  /** The bound of time where there was one, in per cent of the dense network's, and what was reached. */
  readonly latency?: { readonly most: number; readonly reached: number; readonly met: boolean };
  /** Examples that were read. */
  readonly samples: number;
}
