/** What a teacher gives, computed once for each copy of the data where there is room. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount, listText, type TypedArray } from "../../tensor.ts";
import { moved } from "../data/planes.ts";
import { openBatched } from "../tap.ts";
import { endAt, type Goal, goalOf, goalText } from "./objective.ts";
import type { Store } from "./store.ts";

/** Samples that the teacher takes at a time. */
const BATCH = 32;
/** Floats of all copies that are kept; what would be more is computed when it is asked for. */
const KEPT = 2 ** 27;

export interface Teacher {
  /** Writes what it gives for these samples of a copy, one after the other. */
  write(samples: ArrayLike<number>, copy: number, to: Float32Array, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** A network that gives numbers for any store's samples. */
interface Giver {
  give(store: Store, samples: ArrayLike<number>, copy: number, to: Float32Array, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Opens a network for what is to be learned of it. Its output must be as large as the student's.
 *
 * Errors: INVALID_OPTION; those of `openBatched`.
 */
export async function openGiver(graph: Graph, goal: Goal, threads: number | "auto"): Promise<Giver> {
  const own = goalOf(graph, goal.objective);
  ensure(own.places === goal.places && own.width === goal.width, "INVALID_OPTION", () => ({
    where: "teacher",
    expected: `${goalText(goal)}, as the student has`,
    received: goalText(own),
  }));
  const ready = endAt(graph, goal.objective);
  const floats = goal.places * goal.width;
  const { session, batch } = await openBatched(ready, BATCH, { threads });
  const lengths = ready.inputs.map(({ tensor }) => elementCount(tensorOf(ready, tensor).shape));
  const fed = lengths.map((length) => new Float32Array(length * batch));
  const shapes = ready.inputs.map(({ tensor }) => tensorOf(ready, tensor).shape);
  const { scale = 0, zeroPoint = 0 } = session.outputs[0] ?? {};
  const give: Giver["give"] = async (store, samples, copy, to, signal) => {
    const given = store.shapes.map((shape) => [1, ...shape]);
    ensure(lengths.join() === given.map(elementCount).join(), "INVALID_OPTION", () => ({
      where: "teacher",
      expected: `inputs of the student's size, ${given.map(listText).join(", ")}`,
      received: shapes.map(listText).join(", "),
    }));
    const moves = shapes.map((shape, i) => moved(given[i] ?? [], shape));
    for (let first = 0; first < samples.length; first += batch) {
      const count = Math.min(batch, samples.length - first);
      for (let i = 0; i < count; i++)
        for (const [input, length] of lengths.entries()) {
          const into = (fed[input] as Float32Array).subarray(i * length, (i + 1) * length);
          store.write(samples[first + i] as number, copy, input, into);
          into.set(moves[input]?.(into) ?? []);
        }
      const values = Object.values(session.run(fed as never, { outputs: "views" }))[0] as TypedArray;
      for (let i = 0; i < count * floats; i++) {
        const value = Number(values[i]);
        to[first * floats + i] = scale === 0 ? value : scale * (value - zeroPoint);
      }
      if ((first / batch) % 16 === 0) await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
  };
  return { give, close: () => session.close() };
}

/**
 * Opens a teacher of a store's samples.
 *
 * Errors: those of `openGiver`.
 */
export async function openTeacher(graph: Graph, store: Store, goal: Goal, threads: number | "auto"): Promise<Teacher> {
  const { give, close } = await openGiver(graph, goal, threads);
  const floats = goal.places * goal.width;
  const known = new Map<number, Float32Array>();
  const all = Uint32Array.from({ length: store.size }, (_, i) => i);
  return {
    async write(samples, copy, to, signal) {
      let kept = known.get(copy);
      if (kept === undefined) {
        if ((known.size + 1) * store.size * floats > KEPT) return give(store, samples, copy, to, signal);
        kept = new Float32Array(store.size * floats);
        await give(store, all, copy, kept, signal);
        known.set(copy, kept);
      }
      for (let i = 0; i < samples.length; i++) {
        const from = (samples[i] as number) * floats;
        to.set(kept.subarray(from, from + floats), i * floats);
      }
    },
    close,
  };
}
