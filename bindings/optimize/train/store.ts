/** Examples in memory, where training can reach them in any order. */

import { ensure } from "../../errors.ts";
import { dimensions, listText } from "../../tensor.ts";
import { requireNames } from "../data/classes.ts";
import { requireFinite, Variety } from "../data/finite.ts";
import type { Dataset } from "../data/types.ts";
import { answerOf, requireClasses } from "./answers.ts";
import type { Augmentation } from "./augment.ts";
import { classesOf, type Goal } from "./objective.ts";
import { augment, augmentPlaces, inPlace, type Picture } from "./pictures.ts";
import { randomOf } from "./random.ts";

export interface Store {
  readonly size: number;
  /** Of a sample's inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Whether all samples say what is to be learned. */
  readonly labelled: boolean;
  /** Refuses labels of one class alone. Errors: INVALID_INPUT. */
  requireClasses(): void;
  /** Writes input `input` of a sample into `to`, as copy `copy` has it: copy 0 is as it was. */
  write(sample: number, copy: number, input: number, to: Float32Array): void;
  /** Writes the class of each of its places, −1 where there is none, as that copy has them. */
  writeLabels(sample: number, copy: number, to: Int32Array): void;
  /** The same of other classes of the sample's places, in the place of its own. */
  movePlaces(sample: number, copy: number, from: Int32Array, to: Int32Array): void;
  /** Writes the targets of values or embeddings; what a sample lacks is 0. */
  writeTargets(sample: number, to: Float32Array): void;
  /** Whether the first input is a picture. */
  readonly pictured: boolean;
  /** Least and largest value of the first input. */
  readonly range: readonly [number, number];
  /** The same samples, whose copies are changed by these kinds, as far as what is to be learned follows. */
  changed(kinds: Augmentation, seed: number): Store;
}

/**
 * Reads all of a data set; inputs have `lengths` floats each. Pictures are inputs of the shapes `[height,width,channels]`, or `[channels,height,width]` where they are planar. They are moved, turned and mirrored only where labels
 * follow, as classes of whole pictures do and those of a picture's places.
 *
 * Errors: INVALID_INPUT where a sample does not fit the network or is not finite, names of classes are not as many as it has
 * scores, or the data set is empty.
 */
export async function storeOf(
  data: Dataset,
  shapes: readonly (readonly number[])[],
  goal: Goal,
  planar?: boolean,
): Promise<Store> {
  const lengths = shapes.map((shape) => shape.reduce((product, size) => product * size, 1));
  const rows: (readonly Float32Array[])[] = [];
  const answers: (Int32Array | Float32Array | undefined)[] = [];
  let [lo, hi] = [Infinity, -Infinity];
  const variety = new Variety();
  if (goal.objective === "classes")
    requireNames(data, goal.grid.length === 0 && goal.width === 1 ? Math.max(goal.places, 2) : classesOf(goal));
  for await (const sample of data) {
    const { inputs, name = `sample ${rows.length}` } = sample;
    for (const [i, length] of lengths.entries())
      ensure(inputs[i]?.length === length, "INVALID_INPUT", () => ({
        where: name,
        expected: `${length} values of ${listText(shapes[i] ?? [])}`,
        received: `${inputs[i]?.length ?? 0}`,
      }));
    answers.push(answerOf(sample, goal, name));
    for (const each of inputs) requireFinite(each, name);
    rows.push(inputs.map((each) => each.slice()));
    variety.add(inputs);
    for (const value of inputs[0] ?? []) {
      if (value < lo) lo = value;
      if (value > hi) hi = value;
    }
  }
  ensure(rows.length > 0, "INVALID_INPUT", () => ({ where: "data", expected: "samples", received: "none" }));
  variety.require();
  const picture = pictureOf(shapes[0] ?? [], planar);
  const [gridRows = 0, columns = 0, ...more] = goal.grid;
  const isMap = columns > 0 && more.length === 0;
  const known = answers.some((answer) => answer !== undefined);
  const follows = !known || (goal.objective === "classes" && (goal.places === 1 || isMap));
  const places =
    (changes: Augmentation | undefined, seed: number): Store["movePlaces"] =>
    (sample, copy, from, to) => {
      if (copy === 0 || changes === undefined || picture === undefined || !isMap) to.set(from);
      else augmentPlaces(from, to, [gridRows, columns], picture, changes, randomOf(seed, copy, sample));
    };
  const withChanges = (changes: Augmentation | undefined, seed: number): Store => ({
    size: rows.length,
    shapes,
    pictured: picture !== undefined,
    range: [lo, hi],
    changed: (kinds, own) => withChanges(follows ? kinds : inPlace(kinds), own),
    requireClasses: () => requireClasses(answers),
    labelled: answers.every((answer) => answer !== undefined),
    write(sample, copy, input, to) {
      const from = rows[sample]?.[input] as Float32Array;
      if (copy === 0 || changes === undefined || picture === undefined || input > 0) to.set(from);
      else augment(from, to, picture, [lo, hi], changes, randomOf(seed, copy, sample));
    },
    writeLabels(sample, copy, to) {
      const from = answers[sample];
      if (from instanceof Int32Array) places(changes, seed)(sample, copy, from, to);
      else to.fill(-1);
    },
    movePlaces: places(changes, seed),
    writeTargets(sample, to) {
      const from = answers[sample];
      if (from instanceof Float32Array) to.set(from);
      else to.fill(0);
    },
  });
  return withChanges(undefined, 0);
}

/**
 * The store whose samples take so many copies in turn, each sample beginning at another one: batches are alike throughout, of which a part is as it was, so that
 * statistics of one serve the next.
 */
export function inTurns(store: Store, copies: number): Store {
  const copyOf = (sample: number, turn: number) => (turn + sample) % copies;
  return {
    ...store,
    write: (sample, turn, input, to) => store.write(sample, copyOf(sample, turn), input, to),
    writeLabels: (sample, turn, to) => store.writeLabels(sample, copyOf(sample, turn), to),
    movePlaces: (sample, turn, from, to) => store.movePlaces(sample, copyOf(sample, turn), from, to),
  };
}

function pictureOf(shape: readonly number[], planar = false): Picture | undefined {
  if (shape.length !== 3) return undefined;
  const [a, b, c] = dimensions(shape, 3);
  return planar ? { height: b, width: c, channels: a, planar } : { height: a, width: b, channels: c, planar };
}
