/** How good a network is that is trained, on data that it does not learn from. */
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { Dataset } from "../data/types.ts";
import { openBatched } from "../tap.ts";
import { endAt, type Goal } from "./objective.ts";
import type { TrainOptions } from "./options.ts";
import { largestAt } from "./scores.ts";
import { type Store, storeOf } from "./store.ts";
import { openTeacher } from "./teacher.ts";

/**
 * How to measure a network on this data: the part of its labels that it finds, or the mean |difference| from its targets; where it has none, from the teacher.
 *
 * Errors: those of `storeOf` and `openTeacher`.
 */
export async function validationOf(
  data: Dataset,
  shapes: readonly (readonly number[])[],
  goal: Goal,
  { teacher, threads = "auto" }: TrainOptions,
): Promise<(trained: Graph) => Promise<number>> {
  const store = await storeOf(data, shapes, goal);
  const targets = targetsOf(store, goal);
  if (targets.length > 0 && teacher !== undefined && !store.labelled) {
    const opened = await openTeacher(teacher, store, goal, threads);
    await opened.write(
      Uint32Array.from({ length: store.size }, (_, i) => i),
      0,
      targets,
    );
    opened.close();
  }
  return (trained) => measure(endAt(trained, goal.objective), store, goal, targets);
}

/** What a store's samples say of values; none of classes. */
export function targetsOf(store: Store, { objective, places, width }: Goal): Float32Array {
  const floats = places * width;
  const targets = new Float32Array(objective === "classes" ? 0 : store.size * floats);
  for (let i = 0; i < targets.length; i += floats) store.writeTargets(i / floats, targets.subarray(i, i + floats));
  return targets;
}

/** The part of a store's labels that a network finds, or the mean |difference| of its values from the targets. */
export async function measure(graph: Graph, store: Store, goal: Goal, targets: Float32Array): Promise<number> {
  const lengths = graph.inputs.map(({ tensor }) => elementCount(tensorOf(graph, tensor).shape));
  const { session, batch } = await openBatched(graph, 32);
  try {
    const fed = lengths.map((length) => new Float32Array(length * batch));
    const figure = figureOf(store, goal, targets);
    for (let first = 0; first < store.size; first += batch) {
      const samples = Math.min(batch, store.size - first);
      for (let i = 0; i < samples; i++)
        for (const [input, length] of lengths.entries())
          store.write(first + i, 0, input, (fed[input] as Float32Array).subarray(i * length, (i + 1) * length));
      figure.add(first, samples, Object.values(session.run(fed as never, { outputs: "views" }))[0] as Float32Array);
    }
    return figure.result();
  } finally {
    session.close();
  }
}

/** Counts what a network gives for samples of a store, some at a time. */
export function figureOf(store: Store, goal: Goal, targets: Float32Array) {
  const labels = new Int32Array(goal.places);
  const floats = goal.places * goal.width;
  let [sum, count] = [0, 0];
  return {
    add(first: number, samples: number, values: Float32Array): void {
      if (goal.objective !== "classes") {
        for (let i = 0; i < samples * floats; i++)
          sum += Math.abs((values[i] as number) - (targets[first * floats + i] as number));
        count += samples * floats;
        return;
      }
      for (let i = 0; i < samples; i++) {
        store.writeLabels(first + i, 0, labels);
        for (const [place, label] of labels.entries()) {
          if (label < 0 && goal.places > 1) continue;
          count++;
          if (largestAt(values, i * floats + place * goal.width, goal.width) === label) sum++;
        }
      }
    },
    result: () => sum / count,
  };
}
