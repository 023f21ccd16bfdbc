/**
 * The block of memory in which threads meet: offsets in bytes, as `assembly/threads.ts` has them. The text of the first
 * failure stands at its end, so that a caller that never yields to its event loop can read it.
 */
const DONE = 64;
const WAKE = 128;
const STOP = 140;
const FAILED = 144;
const PATIENCE = 148;
const TEXT = 192;
const TEXT_BYTES = 252;
/** One byte for each thread, 1 while it runs. */
const RUNNING = 448;
/** Bytes of the block; the chunks of the steps follow. */
export const CONTROL_BYTES = 512;

/** Milliseconds of one sleep: nothing is lost when a thread that was waited for has gone away without a word. */
const SLEEP = 1000;
/** Moves the words that are slept on past anything that a sleeper expects. */
const FAR = 2 ** 30;

/** What a worker is told. */
export interface Job {
  /** The kernels. */
  readonly module: WebAssembly.Module;
  /** The step loop. */
  readonly loop: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the control block, a multiple of 64. */
  readonly control: number;
  /** Address of the list of steps whose scratch is this thread's. */
  readonly steps: number;
  /** Number of the thread among those besides the caller's, from 0. */
  readonly thread: number;
}

/** What the step loop exports. */
export interface ThreadsExports {
  lead(control: number, steps: number, first: number, end: number, chunks: number, share: number): number;
  follow(control: number, steps: number): void;
}

/** What the step loop imports: memory, the kernels' `run`, and how to sleep. A page's main thread may not, and looks again and again. */
export function threadsImports(memory: WebAssembly.Memory, run: WebAssembly.ImportValue): WebAssembly.ModuleImports {
  const words = new Int32Array(memory.buffer);
  const sleep = (address: number, expected: number) => void Atomics.wait(words, address >>> 2, expected, SLEEP);
  const look = (address: number, expected: number) => {
    const end = performance.now() + SLEEP;
    while (Atomics.load(words, address >>> 2) === expected && performance.now() < end);
  };
  return { memory, run, sleep: mayWait() ? sleep : look };
}

function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

/** The control block as JavaScript sees it. */
export interface Control {
  /** Threads besides the caller's that run. */
  running(): number;
  /** Says that thread number `thread` runs: whatever ends it from now on is a failure. */
  enter(thread: number): void;
  /** Says that it ended, and whether it had run. */
  leave(thread: number): boolean;
  /** What the first thread that failed said; undefined when none has. */
  failure(): string | undefined;
  /** Says that a thread failed: the others stop. Only the first counts. */
  fail(cause: unknown): void;
  /** Seconds that the caller waits for chunks of a step of which none is finished. */
  setPatience(seconds: number): void;
  /** Lets every follower return. */
  end(): void;
  /** Whether followers have been told to return. */
  ended(): boolean;
}

export function controlOf(memory: WebAssembly.Memory, address: number): Control {
  const words = new Int32Array(memory.buffer, address, CONTROL_BYTES / 4);
  const text = new Uint8Array(memory.buffer, address + TEXT + 4, TEXT_BYTES);
  const running = new Uint8Array(memory.buffer, address + RUNNING, CONTROL_BYTES - RUNNING);
  const end = () => {
    Atomics.store(words, STOP / 4, 1);
    Atomics.add(words, WAKE / 4, FAR);
    Atomics.notify(words, WAKE / 4);
  };
  return {
    running: () => running.reduce((count, _, thread) => count + Atomics.load(running, thread), 0),
    enter: (thread) => void Atomics.store(running, thread, 1),
    leave: (thread) => Atomics.exchange(running, thread, 0) === 1,
    failure: () =>
      Atomics.load(words, FAILED / 4) === 0
        ? undefined
        : new TextDecoder().decode(text.slice(0, Atomics.load(words, TEXT / 4))),
    fail(cause) {
      // 1 while the text is written, 2 once it can be read.
      if (Atomics.compareExchange(words, FAILED / 4, 0, 1) !== 0) return;
      const said = new TextEncoder().encode(cause instanceof Error ? cause.message : String(cause));
      const bytes = said.subarray(0, text.length);
      text.set(bytes);
      Atomics.store(words, TEXT / 4, bytes.length);
      Atomics.store(words, FAILED / 4, 2);
      Atomics.add(words, DONE / 4, FAR);
      Atomics.notify(words, DONE / 4);
      end();
    },
    setPatience: (seconds) => void Atomics.store(words, PATIENCE / 4, seconds),
    end,
    ended: () => Atomics.load(words, STOP / 4) !== 0,
  };
}
