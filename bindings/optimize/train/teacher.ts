/** A teacher's scores, computed once for each copy of the data. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount, type TypedArray } from "../../tensor.ts";
import { openBatched } from "../tap.ts";
import { classesOf, endWithLogits } from "./prepare.ts";
import type { Store } from "./store.ts";

/** Samples that the teacher takes at a time. */
const BATCH = 32;

export interface Teacher {
  /** [samples][classes] of a copy. */
  scores(copy: number, signal?: AbortSignal): Promise<Float32Array>;
  close(): void;
}

/**
 * Opens a teacher. Its output must be as large as the student's.
 *
 * Errors: INVALID_OPTION; those of `openBatched`.
 */
export async function openTeacher(
  graph: Graph,
  store: Store,
  classes: number,
  threads: number | "auto",
): Promise<Teacher> {
  const ready = endWithLogits(graph);
  ensure(classesOf(graph) === classes, "INVALID_OPTION", () => ({
    where: "teacher",
    expected: `${classes} scores, as the student has`,
    received: `${classesOf(graph)}`,
  }));
  const { session, batch } = await openBatched(ready, BATCH, { threads });
  const lengths = ready.inputs.map(({ tensor }) => elementCount(tensorOf(ready, tensor).shape));
  const fed = lengths.map((length) => new Float32Array(length * batch));
  const known = new Map<number, Float32Array>();
  const { scale = 0, zeroPoint = 0 } = session.outputs[0] ?? {};
  return {
    async scores(copy, signal) {
      const before = known.get(copy);
      if (before !== undefined) return before;
      const scores = new Float32Array(store.size * classes);
      for (let first = 0; first < store.size; first += batch) {
        const count = Math.min(batch, store.size - first);
        for (let i = 0; i < count; i++)
          for (const [input, length] of lengths.entries())
            store.write(first + i, copy, input, (fed[input] as Float32Array).subarray(i * length, (i + 1) * length));
        const values = Object.values(session.run(fed as never, { outputs: "views" }))[0] as TypedArray;
        for (let i = 0; i < count * classes; i++) {
          const value = Number(values[i]);
          scores[first * classes + i] = scale === 0 ? value : scale * (value - zeroPoint);
        }
        if ((first / batch) % 16 === 0) await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
      }
      known.set(copy, scores);
      return scores;
    },
    close: () => session.close(),
  };
}
