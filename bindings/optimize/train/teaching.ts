/** How long a student follows its teacher: until it is better by itself, on examples that it does not learn from meanwhile. */
import type { Graph } from "../../graph.ts";
import { endAt, type Goal } from "./objective.ts";
import type { TrainOptions } from "./options.ts";
import type { Store } from "./store.ts";
import { openGiver } from "./teacher.ts";
import { figureOf, measure, targetsOf } from "./validation.ts";

/** Examples that are kept back, and the part of all that they are at most; fewer tell nothing. */
const [MOST, PART, LEAST] = [512, 1 / 8, 32];
/** Part of the steps after which examples that were kept back are learned from, too. */
const WATCHED = 3 / 4;
/** Who is right about so many of the labels is nowhere to be passed. */
const SURE = 0.99;
const AT_ONCE = 32;

export interface Teaching {
  /** Samples that are not learned from before this step. */
  readonly held: ReadonlySet<number>;
  readonly until: number;
  /** Whether the student is as good as its teacher. */
  passed(student: Graph): Promise<boolean>;
}

/**
 * What tells when a student has passed its teacher, by labels or targets; undefined where nothing can or need.
 *
 * Errors: those of `openGiver`.
 */
export async function teachingOf(
  store: Store,
  goal: Goal,
  total: number,
  { teacher, teaching, loss, threads = "auto", signal }: TrainOptions,
): Promise<Teaching | undefined> {
  const count = Math.min(MOST, Math.floor(store.size * PART));
  const isAsked = teaching === "until-passed" && loss === undefined && store.labelled;
  if (!isAsked || teacher === undefined || goal.objective === "embeddings" || count < LEAST) return undefined;
  const held = Uint32Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * store.size) / count));
  const kept = subset(store, held);
  const targets = targetsOf(kept, goal);
  const giver = await openGiver(teacher, goal, threads);
  const figure = figureOf(kept, goal, targets);
  try {
    const floats = goal.places * goal.width;
    for (let first = 0; first < count; first += AT_ONCE) {
      const samples = Uint32Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
      const values = new Float32Array(samples.length * floats);
      await giver.give(kept, samples, 0, values, signal);
      figure.add(first, samples.length, values);
    }
  } finally {
    giver.close();
  }
  const known = figure.result();
  const isClasses = goal.objective === "classes";
  if (Number.isNaN(known) || (isClasses && known >= SURE)) return undefined;
  return {
    held: new Set(held),
    until: Math.floor(total * WATCHED),
    async passed(student) {
      const own = await measure(endAt(student, goal.objective), kept, goal, targets);
      return isClasses ? own >= known : own <= known;
    },
  };
}

/** Some samples of a store, as they are. */
const subset = (store: Store, samples: Uint32Array): Store => ({
  ...store,
  size: samples.length,
  write: (sample, copy, input, to) => store.write(samples[sample] as number, copy, input, to),
  writeLabels: (sample, copy, to) => store.writeLabels(samples[sample] as number, copy, to),
  writeTargets: (sample, to) => store.writeTargets(samples[sample] as number, to),
});
