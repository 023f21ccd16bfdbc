/**
 * The block of memory in which threads meet: offsets in bytes, as `assembly/threads.ts` has them. The text of the first
 * failure stands at its end, so that a caller that never yields to its event loop can read it.
 */
const START = 0;
const JOINED = 8;
const ARRIVED = 64;
const FAILED = 72;
const TEXT = 192;
const TEXT_BYTES = 252;
/** One byte for each thread, 1 once it runs. */
const RUNNING = 448;
/** Bytes of the block; the marks of the steps follow. */
export const CONTROL_BYTES = 512;

/** The word START that ends followers. */
const END = 127;
/** Opens every barrier that is still to come, and no wrapped comparison takes it for the past. */
const FAR = 2 ** 30;

/** What a worker is told. */
export interface Job {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the control block, a multiple of 64. */
  readonly control: number;
  /** Number of the thread, from 0; which part of a run it does is decided when it joins. */
  readonly thread: number;
}

/** What the threads builds export besides. */
export interface ThreadsExports {
  lead(control: number, steps: number, count: number, marks: number): void;
  follow(control: number): void;
}

/** What the threads builds import: the memory, and how to sleep. A page's main thread may not, and looks again and again. */
export function threadsImports(memory: WebAssembly.Memory): { readonly env: WebAssembly.ModuleImports } {
  const words = new Int32Array(memory.buffer);
  const sleep = (address: number, expected: number) => void Atomics.wait(words, address >>> 2, expected);
  return { env: { memory, sleep: mayWait() ? sleep : () => {} } };
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
  /** Threads besides the caller's that have joined. */
  joined(): number;
  /** Says that thread number `thread` runs: whatever ends it from now on is a failure. */
  enter(thread: number): void;
  entered(thread: number): boolean;
  /** What the first thread that failed said; undefined when none has. */
  failure(): string | undefined;
  /** Says that a thread failed: all barriers open, and the others stop. Only the first counts. */
  fail(cause: unknown): void;
  /** Lets every follower return. */
  end(): void;
}

export function controlOf(memory: WebAssembly.Memory, address: number): Control {
  const words = new Int32Array(memory.buffer, address, CONTROL_BYTES / 4);
  const text = new Uint8Array(memory.buffer, address + TEXT + 4, TEXT_BYTES);
  const running = new Uint8Array(memory.buffer, address + RUNNING, CONTROL_BYTES - RUNNING);
  return {
    joined: () => Atomics.load(words, JOINED / 4),
    enter: (thread) => void Atomics.store(running, thread, 1),
    entered: (thread) => Atomics.load(running, thread) === 1,
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
      Atomics.add(words, ARRIVED / 4, FAR);
      Atomics.notify(words, ARRIVED / 4);
    },
    end() {
      Atomics.store(words, START / 4, END);
      Atomics.notify(words, START / 4);
    },
  };
}
