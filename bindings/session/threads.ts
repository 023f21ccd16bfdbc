import { Pint8Error, textOf } from "../errors.ts";
import { align, type Plan } from "../plan/types.ts";
import { chunksOf } from "./chunks.ts";
import { validates } from "./engine.ts";
import { instanceOf, instantiate } from "./instantiate.ts";
import { listsFor } from "./lists.ts";
import type { KernelModule } from "./modules.ts";
import { createPace } from "./pace.ts";
import {
  CONTROL_BYTES,
  type Control,
  controlOf,
  type Job,
  type ThreadsExports,
  threadsImports,
} from "./threadsControl.ts";
import { type StartThread, threadStarter } from "./threadsHost.ts";
import { compileThreads } from "./threadsModules.ts";

/** The threads of one session, over its memory. */
export interface Team {
  /** Threads that take part in the next run: the caller's, and those that have come so far. */
  size(): number;
  /**
   * Runs `count` steps from step `first`; the calling thread does its share.
   *
   * Errors: WORKER where another thread failed, now or before; a trap of the calling thread as it is.
   */
  run(first: number, count: number): void;
  /** Ends the threads. */
  close(): void;
}

/** A team that can be formed, and the memory that it needs. */
export interface Roster {
  /** Shared memory in bytes. */
  readonly memoryBytes: number;
  /** Starts the threads; they join when they are ready, and runs do not wait for them. */
  form(memory: WebAssembly.Memory): Promise<Team>;
}

/** An atomic load of a shared memory. */
const THREADS = "AGFzbQEAAAABBAFgAAADAgEABQQBAwEBCgsBCQBBAP4QAgAaCw==";

/** Whether this engine has WebAssembly threads. */
export const hasThreads = (): boolean => validates(THREADS);

/** Seconds that a chunk may take: some for a busy machine, and a thousand times what it is thought to. */
const PATIENCE = 5;
const PATIENCE_FOR_CHUNK = 1e-6;

/** What `threads` threads for a plan take, or the reason why there can be none here, as the end of a sentence. */
export async function roster(
  plan: Plan,
  kernels: KernelModule,
  threads: number,
  warn: (message: string) => void,
): Promise<Roster | string> {
  if (!hasThreads()) return "this engine has no WebAssembly threads";
  const start = await threadStarter();
  const modules = await compileThreads(kernels);
  if (typeof modules === "string") return modules;

  const control = align(plan.scratchAddress + threads * plan.scratchBytes, 64);
  const countsAt = control + CONTROL_BYTES;
  const lists = listsFor(plan, threads, align(countsAt + plan.steps.length));
  return {
    memoryBytes: align(lists.end, 65536),
    async form(memory) {
      const chunks = chunksOf(plan, threads);
      new Uint8Array(memory.buffer).set(chunks.counts, countsAt);
      lists.write(memory.buffer);
      const { run } = await instantiate(modules.module, memory);
      const { lead } = await instanceOf<ThreadsExports>(modules.loop, threadsImports(memory, run));
      const state = controlOf(memory, control);
      state.setPatience(PATIENCE + Math.ceil(PATIENCE_FOR_CHUNK * chunks.longest));
      const pace = createPace();
      const stops = startAll(start, warn, state, { ...modules, memory, control }, lists.addresses.slice(1));
      return {
        size: () => state.running() + 1,
        run(first, count) {
          stopIfFailed(state.failure());
          // Steps alone, as profiles run them, say nothing of how long runs take.
          const whole = count === plan.steps.length && chunks.isShared;
          const shares = chunks.isShared && pace.shares();
          const start = whole ? performance.now() : 0;
          try {
            if (lead(control, plan.stepsAddress, first, first + count, countsAt, shares ? 1 : 0) === 0)
              state.fail("a thread that ended in the middle of its work");
          } catch (cause) {
            state.fail(cause);
            throw cause;
          }
          if (whole) pace.took(performance.now() - start);
          stopIfFailed(state.failure());
        },
        close() {
          state.end();
          for (const stop of stops) stop();
        },
      };
    },
  };
}

/** Starts a thread for every list; those that cannot start are done without. What is returned ends them. */
function startAll(
  start: StartThread,
  warn: (message: string) => void,
  state: Control,
  shared: Pick<Job, "module" | "loop" | "memory" | "control">,
  lists: readonly number[],
): readonly (() => void)[] {
  const stops: (() => void)[] = [];
  const onEnd = (thread: number, cause: unknown) => {
    // No run is waiting for it while this is told.
    if (state.ended()) return;
    const what = state.leave(thread) ? "ended" : "could not start";
    warn(`a thread ${what} (${textOf(cause)}); the others do its work.`);
  };
  try {
    for (const [thread, steps] of lists.entries())
      stops.push(start({ ...shared, steps, thread }, (cause) => onEnd(thread, cause)));
  } catch (cause) {
    // Scripts of another origin, Trusted Types, Node's permissions, a system without threads to spare: the next would not start either.
    warn(`no thread can start here (${textOf(cause)}); those that run do the work.`);
  }
  return stops;
}

function stopIfFailed(failure: string | undefined): void {
  if (failure === undefined) return;
  throw new Pint8Error("WORKER", {
    where: "threads",
    expected: "threads that run",
    received: failure,
    hint: "Close the model and load it again.",
  });
}
