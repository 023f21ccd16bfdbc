import { Pint8Error } from "../errors.ts";
import { align, type Plan, type PlanStep, STEP_BYTES } from "../plan/types.ts";
import { hasThreads, isNode } from "./engine.ts";
import { instantiate } from "./instantiate.ts";
import { compileThreads, type KernelModule } from "./modules.ts";
import { CONTROL_BYTES, controlOf, type ThreadsExports, threadsImports } from "./threads-control.ts";
import { threadStarter } from "./threads-host.ts";

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

/** Nanoseconds of one thread below which a step is not worth its barriers, which take 1 to 3 µs. */
const WORTH_SHARING = 4000;
/** What simd.wasm does, measured: products, and additions, lookups and pooling. */
const MACS_PER_NANOSECOND = 32;
const ELEMENTS_PER_NANOSECOND = 3;

/**
 * What `threads` threads for a plan take, or the reason why there can be none here. The reasons are for people: they end a
 * sentence.
 */
export async function roster(
  plan: Plan,
  kernels: KernelModule,
  threads: number,
  warn: (message: string) => void,
): Promise<Roster | string> {
  if (kernels.name === "scalar") return "the module scalar has no threads build";
  if (typeof SharedArrayBuffer === "undefined" || (!isNode() && globalThis.crossOriginIsolated === false))
    return "there is no SharedArrayBuffer here; a page gets it by the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  if (!hasThreads()) return "this engine has no WebAssembly threads";
  const start = await threadStarter();
  if (start === undefined) return "there are no workers here";
  const module = await compileThreads(kernels);
  if (typeof module === "string") return module;

  const control = align(plan.scratchAddress + threads * plan.scratchBytes, 64);
  const marks = control + CONTROL_BYTES;
  return {
    memoryBytes: align(marks + plan.steps.length, 65536),
    async form(memory) {
      new Uint8Array(memory.buffer, marks, plan.steps.length).set(plan.steps.map(isSmall));
      const { lead } = (await instantiate(module, memory, threadsImports(memory).env)) as unknown as ThreadsExports;
      const state = controlOf(memory, control);
      const stops: (() => void)[] = [];
      try {
        for (let thread = 0; thread < threads - 1; thread++)
          stops.push(
            start({ module, memory, control, thread }, (cause) => {
              if (state.entered(thread)) state.fail(cause);
              else warn(`a thread could not start (${textOf(cause)}); the others do its work.`);
            }),
          );
      } catch (cause) {
        // Scripts of another origin, Trusted Types, Node's permissions: none of them forbids one worker and allows the next.
        warn(`no thread can start here (${textOf(cause)}); those that run do the work.`);
      }
      return {
        size: () => state.joined() + 1,
        run(first, count) {
          stopIfFailed(state.failure());
          try {
            lead(control, plan.stepsAddress + first * STEP_BYTES, count, marks + first);
          } catch (cause) {
            state.fail(cause);
            throw cause;
          }
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

/** Whether barriers around a step cost more than sharing it gains. */
const isSmall = ({ macs, elements }: PlanStep): number =>
  macs / MACS_PER_NANOSECOND + elements / ELEMENTS_PER_NANOSECOND < WORTH_SHARING ? 1 : 0;

function stopIfFailed(failure: string | undefined): void {
  if (failure === undefined) return;
  throw new Pint8Error("WORKER", {
    where: "threads",
    expected: "threads that run",
    received: failure,
    hint: "Close the model and load it again.",
  });
}

const textOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
