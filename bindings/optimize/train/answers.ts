/** What a sample says that a network should give. */
import { ensure } from "../../errors.ts";
import { requireFinite } from "../data/finite.ts";
import type { Sample } from "../data/types.ts";
import { VOID } from "../evaluate/scores.ts";
import { classesOf, type Goal, goalText } from "./objective.ts";

/**
 * The classes of a sample's places, −1 where a place does not count, or the targets of its values; undefined where it has none.
 *
 * Errors: INVALID_INPUT for others than the network can give.
 */
export function answerOf(sample: Sample, goal: Goal, name: string): Int32Array | Float32Array | undefined {
  const { label = -1, targets: [target] = [] } = sample;
  const { places, width, objective } = goal;
  if (objective !== "classes") return targetOf(sample, goal, name);
  if (target === undefined && label === -1) return undefined;
  const count = classesOf(goal);
  // One class of several decisions: it is 1, the others are 0.
  const chosen = width === 1 && places > 1 && goal.grid.length === 0 && label >= 0 && label < places;
  const given = target ?? (chosen ? Float32Array.from({ length: places }, (_, i) => Number(i === label)) : [label]);
  const classes = Int32Array.from(given);
  ensure(classes.length === places, "INVALID_INPUT", () => ({
    where: name,
    expected: places === 1 ? "one class" : `a class for each of ${places} places, the output being ${goalText(goal)}`,
    received: target === undefined ? `the class ${label} for all` : `${target.length} numbers`,
    hint: "A regression, or an embedding, is trained with the objective values, or embeddings.",
  }));
  for (const [i, value] of given.entries()) {
    const isVoid = value === -1 || (target !== undefined && value === VOID && count <= VOID);
    if (isVoid) classes[i] = -1;
    ensure(isVoid || (Number.isInteger(value) && value >= 0 && value < count), "INVALID_INPUT", () => ({
      where: name,
      expected: `a class from 0 to ${count - 1}, as the network has outputs`,
      received: `${value}`,
    }));
  }
  return classes;
}

/** A whole number is what a network of one value should give; embeddings need no classes of theirs. */
function targetOf({ label = -1, targets }: Sample, goal: Goal, name: string): Float32Array | undefined {
  const count = goal.places * goal.width;
  const target = targets?.[0] ?? (count === 1 && label >= 0 ? Float32Array.of(label) : undefined);
  ensure(
    target === undefined ? label < 0 || goal.objective === "embeddings" : target.length === count,
    "INVALID_INPUT",
    () => ({
      where: name,
      expected: `${count} targets, as the network gives ${goalText(goal)}`,
      received: target === undefined ? `the class ${label}` : `${target.length}`,
    }),
  );
  if (target !== undefined) requireFinite(target, name);
  return target?.slice();
}

/**
 * Refuses labels that are all the same: a network that learns them says that class of everything.
 *
 * Errors: INVALID_INPUT.
 */
export function requireClasses(answers: readonly (Int32Array | Float32Array | undefined)[]): void {
  const [first] = answers;
  const of = first?.[0];
  const isOne = (answer: Int32Array | Float32Array | undefined) =>
    answer instanceof Int32Array && answer.every((label) => label === of);
  ensure(answers.length < 2 || !answers.every(isOne), "INVALID_INPUT", () => ({
    where: "labels",
    expected: "examples of several classes",
    received: `${answers.length}, all of class ${of}`,
    hint: "Check the labels; data in the order of its classes needs another order, or more of it.",
  }));
}

/** The first example; undefined where there is none. */
export async function firstOf(data: AsyncIterable<Sample>): Promise<Sample | undefined> {
  for await (const sample of data) return sample;
  return undefined;
}
