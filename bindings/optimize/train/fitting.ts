/** Which changes of pictures a network bears: judged by itself, on the examples that it is to be learned from. */
import type { Graph } from "../../graph.ts";
import { AUGMENTATION, type Augmentation } from "./augment.ts";
import type { Goal } from "./objective.ts";
import { largestAt, softened } from "./scores.ts";
import type { Store } from "./store.ts";
import { openGiver } from "./teacher.ts";

/** Examples that judge, fewer where their scores would be more numbers than this. */
const EXAMPLES = 256;
const NUMBERS = 2 ** 22;
/** Parts of a change that are tried, the most first. */
const PARTS = [1, 0.5, 0.25];
/** How unsure of its classes a network may be on changed copies, by how unsure it is anyway, */
const DOUBT = 2;
/** and the share of what it knows, beside who names the classes of other examples, that it may lose by them. */
const LOST = 1 / 8;
/** Values are met more closely than classes and directions are. */
const LOST_VALUES = 1 / 64;

interface FittingOptions {
  readonly teacher?: Graph | undefined;
  readonly threads: number | "auto";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Of the kinds of `AUGMENTATION`, of mirroring and inversion those that the teacher bears, each as far as it does, at least a quarter: where copies that are changed by it alone leave
 * no more than twice the doubt about the class that the teacher gives the examples as they are, and no more than an eighth of the way to the doubt of who names the classes of other examples: a teacher of
 * little accuracy doubts all the time. Who has learned pictures that were turned does not mind a turn; who has learned spectrograms
 * does. Of values copies may move by 1/64 of the variance from example to example, embeddings by an eighth. Inputs of values and embeddings that are no pixels stay as they are;
 * without a teacher it is `AUGMENTATION` for pixels, else nothing.
 *
 * Errors: those of `openGiver`; the reason of `signal`.
 */
export async function fitting(store: Store, goal: Goal, options: FittingOptions): Promise<Augmentation> {
  const { teacher, threads, signal } = options;
  if (!store.pictured) return {};
  const pixels = arePixels(store.range);
  if (teacher === undefined) return pixels ? AUGMENTATION : {};
  if (goal.objective !== "classes" && !pixels) return {};
  const { places, width } = goal;
  const count = Math.min(store.size, EXAMPLES, Math.ceil(NUMBERS / (places * width)));
  const samples = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * store.size) / count));
  const giver = await openGiver(teacher, goal, threads);
  try {
    const given = new Float32Array(count * places * width);
    await giver.give(store, samples, 0, given, signal);
    const found: Record<string, number> = {};
    const lost = goal.objective === "values" ? LOST_VALUES : LOST;
    const bears = goal.objective === "classes" ? classesBear(given, samples, goal) : valuesBear(given, count, lost);
    const borne = async (kinds: Augmentation) => {
      const changed = store.changed(kinds, 0);
      const own = new Float32Array(given.length);
      await giver.give(changed, samples, 1, own, signal);
      return bears(own, changed);
    };
    for (const [kind, extent] of Object.entries(AUGMENTATION))
      for (const part of PARTS)
        if (await borne({ [kind]: extent * part })) {
          found[kind] = extent * part;
          break;
        }
    for (const kind of ["flip", "invert"]) if (await borne({ [kind]: 1 })) found[kind] = 0.5;
    return found;
  } finally {
    giver.close();
  }
}

/** Whether what a teacher gives for changed copies leaves it as sure of its classes as it may be. */
type Bears = (own: Float32Array, changed: Store) => boolean;

function classesBear(scores: Float32Array, samples: Uint32Array, { places, width }: Goal): Bears {
  const classes = Int32Array.from({ length: samples.length * places }, (_, i) => largestAt(scores, i * width, width));
  const doubt = Math.max(doubtOf(scores, classes, width), 1 / samples.length);
  const lost = LOST * Math.max(chanceOf(scores, classes, width) - doubt, 0);
  const most = doubt + Math.min((DOUBT - 1) * doubt, lost);
  return (own, changed) => {
    const moved = new Int32Array(classes.length);
    const part = (of: Int32Array, i: number) => of.subarray(i * places, (i + 1) * places);
    for (const [i, sample] of samples.entries()) changed.movePlaces(sample, 1, part(classes, i), part(moved, i));
    return doubtOf(own, moved, width) <= most;
  };
}

/** Values that move by no more than that share of how far they lie apart, from example to example. */
function valuesBear(values: Float32Array, count: number, lost: number): Bears {
  const size = values.length / count;
  const means = new Float64Array(size);
  for (let i = 0; i < values.length; i++) means[i % size] = (means[i % size] as number) + (values[i] as number) / count;
  const apart = (from: (i: number) => number) => values.reduce((sum, value, i) => sum + (value - from(i)) ** 2, 0);
  const most = lost * apart((i) => means[i % size] as number);
  return (own) => apart((i) => own[i] as number) <= most;
}

/** From 0 to 1, from −1 to 1, or bytes. */
const arePixels = ([lo, hi]: readonly [number, number]): boolean => (lo >= -1 && hi <= 1) || (lo >= 0 && hi <= 255);

/** The probabilities of a place. */
const chancesOf = (scores: Float32Array, width: number, i: number) =>
  softened(width === 1 ? [0, scores[i] as number] : scores.subarray(i * width, (i + 1) * width), 1);

/** Mean over all places of 1 − the probability of these classes. */
function doubtOf(scores: Float32Array, classes: Int32Array, width: number): number {
  let sum = 0;
  for (const [i, label] of classes.entries()) sum += 1 - (chancesOf(scores, width, i)[label] as number);
  return sum / classes.length;
}

/** The same where each place's scores meet the classes of all. */
function chanceOf(scores: Float32Array, classes: Int32Array, width: number): number {
  const [means, shares] = [0, 1].map(() => new Float64Array(Math.max(width, 2))) as [Float64Array, Float64Array];
  for (const [i, label] of classes.entries()) {
    for (const [c, chance] of chancesOf(scores, width, i).entries()) means[c] = (means[c] as number) + chance;
    shares[label] = (shares[label] as number) + 1;
  }
  return 1 - means.reduce((sum, mean, c) => sum + mean * (shares[c] as number), 0) / classes.length ** 2;
}
