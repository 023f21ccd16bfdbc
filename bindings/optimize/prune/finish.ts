/** The end of pruning by examples alone: all layers together learn what least squares came near to one by one. */
import { type Graph, tensorOf } from "../../graph.ts";
import { datasetOf } from "../data/batches.ts";
import type { Sample } from "../data/types.ts";
import { type Layer, layersOf } from "../linear/layers.ts";
import { errorOf, type Outputs, outputsOf } from "../quantize/judge.ts";
import { firstOf } from "../train/answers.ts";
import { trainedPart } from "../train/front.ts";
import type { Objective } from "../train/kinds.ts";
import { UNLABELLED } from "../train/loss.ts";
import { endAt, type Goal, goalOf, isUnexplained } from "../train/objective.ts";
import { canBeTrained } from "../train/prepare.ts";
import { softened } from "../train/scores.ts";
import { objectiveOf } from "../train/several.ts";
import type { PruneOptions, Settings } from "./options.ts";
import type { Inputs } from "./systems.ts";
import { masksOf, trained } from "./tune.ts";

const BATCH = 50;
/** Multiply-adds of all steps, three for each of the network's; where they are more there are none, for steps cut short end farther off. */
const MOST_WORK = 2e11;
/** Of so many examples one is kept back to judge by; and examples below which those would be too few. */
const JUDGES = 8;
const LEAST_EXAMPLES = 128;
/** How much farther from the dense network those may be: least squares have seen them, these steps have not. */
const SEEN = 2;

/**
 * The pruned network after some steps towards the dense one's outputs, on the examples and augmented copies of them, zeros staying zeros; as it was where the
 * outputs for examples that were kept back are far off then, for a network that cannot be trained, and where examples are too few or the work is too much.
 */
export async function finished(
  pruned: Graph,
  dense: Graph,
  layers: readonly Layer[],
  data: AsyncIterable<Sample>,
  examples: Inputs,
  settings: Settings,
  options: PruneOptions,
): Promise<Graph> {
  const steps = stepsWithin(pruned, settings.finish);
  if (steps === 0 || examples.length < LEAST_EXAMPLES || !canBeTrained(trainedPart(dense))) return pruned;
  const several = dense.outputs.length > 1;
  const objective = learnedOf(dense, await firstOf(data));
  const samples = examples.map((inputs): Sample => ({ inputs }));
  const kept = samples.filter((_, i) => i % JUDGES === JUDGES - 1);
  const learned = samples.filter((_, i) => i % JUDGES !== JUDGES - 1);
  // The statistics of small batches are noise, which values would follow; scores bear it, and learn faster by it.
  const normalization = objective === "classes" ? "restore" : "none";
  const tune = { steps, batch: BATCH, objective, normalization, masks: masksOf(pruned, layers) } as const;
  const graph = await trained(pruned, dense, datasetOf(learned, { size: learned.length }), tune, options);
  const of = (each: Graph) => outputsOf(several ? each : endAt(each, objective), kept);
  const wanted = await of(dense);
  const { width } = several ? { width: 1 } : goalOf(dense, objective);
  const far = async (each: Graph) => distance(await of(each), wanted, { objective, width });
  const [before, after] = [await far(pruned), await far(graph)];
  return after <= SEEN * before ? graph : pruned;
}

/** The steps that are asked for, or 0 where they would be too much work. */
function stepsWithin(graph: Graph, asked: number): number {
  const macs = layersOf(graph)
    .filter(({ weights }) => tensorOf(graph, weights).dtype === "float32")
    .reduce((sum, { outputs, inputs, positions }) => sum + outputs * inputs * positions, 0);
  return 3 * BATCH * macs * asked <= MOST_WORK ? asked : 0;
}

/** Numbers that nothing ends and no label explains may be scores or values: squared differences serve both. */
function learnedOf(dense: Graph, sample: Sample | undefined): Objective {
  const objective = objectiveOf(dense, undefined, sample);
  return objective === "classes" && isUnexplained(dense, goalOf(dense), sample) ? "values" : objective;
}

/** Divergence of softened scores, as training has it without labels; squared error of others. */
function distance(found: Outputs, wanted: Outputs, { objective, width }: Pick<Goal, "objective" | "width">): number {
  if (objective !== "classes" || width === 1) return errorOf(found, wanted);
  let sum = 0;
  for (const [i, [scores]] of wanted.entries())
    for (let at = 0; at < (scores?.length ?? 0); at += width) {
      const [p, q] = [scores, found[i]?.[0]].map((each) =>
        softened(each?.subarray(at, at + width) ?? [], UNLABELLED.temperature),
      );
      for (const [c, share] of (p ?? []).entries())
        sum += share * Math.log(Math.max(share, Number.MIN_VALUE) / Math.max(q?.[c] ?? 0, Number.MIN_VALUE));
    }
  return sum;
}
