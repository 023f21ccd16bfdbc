/** The memory of a session and who runs its steps there. */
import { ensure, kindOf, Pint8Error } from "../errors.ts";
import { memoryBytes, PAGE_BYTES, type Plan, STEP_BYTES } from "../plan/types.ts";
import { isNode, processors } from "./engine.ts";
import { instantiate } from "./instantiate.ts";
import type { KernelModule } from "./modules.ts";
import type { Team } from "./threads.ts";
import { rosterLater } from "./threadsLater.ts";

/** What 32-bit addresses reach. */
const MAX_PAGES = 65536;
/** More threads than any machine that this runs on gains from. */
const MAX_THREADS = 64;
/** Steps of ordinary networks are too short for more. */
const AUTO_THREADS = 8;

/** How much larger than a plan asks for a memory may be that it was made in. */
const MOST_SPARE = 17 / 16;

/** How many threads are wanted, and who is told why fewer run. */
interface ThreadOptions {
  readonly threads?: number | "auto";
  readonly onWarning?: (message: string) => void;
}

/** Memory, and what runs steps in it. */
export interface Running {
  /** Runs `count` steps from step `first`. */
  readonly runSteps: (first: number, count: number) => void;
  /** Absent with one thread. */
  readonly team: Team | undefined;
  readonly memory: WebAssembly.Memory;
}

/** Memory with the image in it, and what runs steps there: one thread, or a team of them where there can be one. */
export async function takeThreads(
  plan: Plan,
  kernels: KernelModule,
  { threads = 1, onWarning = console.warn }: ThreadOptions,
): Promise<Running> {
  ensure(threads === "auto" || (Number.isInteger(threads) && threads >= 1), "INVALID_OPTION", () => ({
    where: "threads",
    expected: 'a whole number from 1, or "auto"',
    received: kindOf(threads),
  }));
  const wanted = threads === "auto" ? Math.min(await processors(), AUTO_THREADS) : Math.min(threads, MAX_THREADS);
  if (wanted > 1) {
    const warn = (message: string) => onWarning(`pint8: ${message}`);
    const found = await rosterLater(plan, kernels, wanted, warn);
    if (typeof found !== "string") {
      const memory = takeMemory(plan, found.memoryBytes, true);
      const team = await found.form(memory);
      return { memory, team, runSteps: team.run };
    }
    if (threads !== "auto") warn(`one thread runs where ${threads} were asked for, because ${found}.`);
  }
  const memory = takeMemory(plan, memoryBytes(plan, 1), false);
  return { memory, team: undefined, runSteps: await alone(kernels, memory, plan.stepsAddress) };
}

/** Runs steps from an address, on the calling thread. In a function of its own: a closure holds on to all that is named around it. */
async function alone(
  { module }: KernelModule,
  memory: WebAssembly.Memory,
  steps: number,
): Promise<Running["runSteps"]> {
  const { run } = await instantiate(module, memory);
  return (first, count) => run(steps + first * STEP_BYTES, count, 0, 1);
}

/** Memory of a whole number of pages, with the plan's image in it. */
function takeMemory(plan: Plan, bytes: number, shared: boolean): WebAssembly.Memory {
  // a file's memory may be larger
  if (plan.memory !== undefined && !shared && plan.memory.buffer.byteLength < bytes * MOST_SPARE)
    return reach(bytes, plan.memory);
  const memory = granted(bytes, (pages) => new WebAssembly.Memory({ initial: pages, maximum: pages, shared }));
  new Uint8Array(memory.buffer).set(plan.image, plan.imageAddress);
  return memory;
}

/** Memory of so many bytes at least, rounded up to pages: this one grown, or a new one. Errors: OUT_OF_MEMORY. */
export function reach(bytes: number, memory?: WebAssembly.Memory): WebAssembly.Memory {
  return granted(bytes, (pages) => {
    if (memory === undefined) return new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES });
    const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) memory.grow(missing);
    return memory;
  });
}

/** What `take` makes of the pages of so many bytes. */
function granted(bytes: number, take: (pages: number) => WebAssembly.Memory): WebAssembly.Memory {
  try {
    return take(Math.ceil(bytes / PAGE_BYTES));
  } catch (cause) {
    throw new Pint8Error(
      "OUT_OF_MEMORY",
      {
        where: "session",
        expected: `${bytes} bytes of memory`,
        received: "an engine that grants less",
        hint: isNode()
          ? "Where a limit on address space (ulimit -v) is the cause, node --disable-wasm-trap-handler takes less of it."
          : "Close other models, or use a smaller batch or input.",
      },
      { cause },
    );
  }
}
