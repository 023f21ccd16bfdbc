/** Goes on training what pruning left. */
import type { Graph, TensorId } from "../../graph.ts";
import type { Sample } from "../data/types.ts";
import { floatsOf, type Layer } from "../linear/layers.ts";
import type { TrainOptions } from "../train/options.ts";
import { train } from "../train/train.ts";
import type { PruneOptions, Tune } from "./options.ts";

/** The pruned graph after training towards the dense one, or another teacher: weights that are zero stay zero. */
export async function tuned(
  pruned: Graph,
  dense: Graph,
  layers: readonly Layer[],
  data: AsyncIterable<Sample>,
  tune: Tune,
  options: PruneOptions,
): Promise<Graph> {
  return trained(pruned, dense, data, { ...tune, masks: masksOf(pruned, layers) }, options);
}

/** Where layers have weights that are not zero. */
export const masksOf = (pruned: Graph, layers: readonly Layer[]) =>
  new Map(layers.map(({ weights }) => [weights, maskOf(pruned, weights)] as const));

/** A graph after training towards another's scores. */
export function trained(
  graph: Graph,
  dense: Graph,
  data: AsyncIterable<Sample>,
  tune: Tune & Pick<TrainOptions, "masks" | "normalization">,
  { onProgress = () => {}, signal }: PruneOptions,
): Promise<Graph> {
  return train(graph, data, {
    ...(tune.steps === undefined ? { epochs: 8 } : {}),
    augment: "fitting",
    teacher: dense,
    ...tune,
    ...(signal && { signal }),
    onProgress: ({ step, steps, secondsLeft }) =>
      onProgress({ phase: "tune", done: step, total: steps, note: `${Math.round(secondsLeft)} s left` }),
  });
}

/** The training behind a cut that others follow: an eighth of that at the end, without its checkpoints, on copies of its own. */
export function between({ epochs, steps, checkpoint, onCheckpoint, seed = 0, ...rest }: Tune, cut: number): Tune {
  const length =
    steps === undefined
      ? { epochs: Math.max(Math.round((epochs ?? 8) / 8), 1) }
      : { steps: Math.max(Math.round(steps / 8), 1) };
  return { ...rest, ...length, seed: seed + cut };
}

function maskOf(graph: Graph, weights: TensorId): Uint8Array {
  const values = floatsOf(graph, weights);
  return Uint8Array.from(values, (w) => (w === 0 ? 0 : 1));
}
