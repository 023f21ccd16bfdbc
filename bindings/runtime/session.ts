import { ensure, Pint8Error } from "../errors.ts";
import type { ModuleName } from "../kernels/modules.ts";
import { memoryBytes, type Plan, type PlanStep, STEP_BYTES } from "../plan/types.ts";
import { instantiate, type KernelExports } from "./instantiate.ts";
import type { KernelModule } from "./modules.ts";
import { type BoundPort, bindPort, type Inputs, type Outputs, setInputs, type TensorInfo } from "./ports.ts";

const PAGE_BYTES = 65536;
/** More threads than any machine that this runs on gains from. */
const MAX_THREADS = 64;

/** What a session is told beyond its plan. */
export interface SessionOptions {
  /** How many threads run each step, 1 when absent. This version runs one whatever is asked, and warns. */
  readonly threads?: number;
  /** Told what the caller should know but need not act on; console.warn when absent. */
  readonly onWarning?: (message: string) => void;
}

/** Everything that closing lets go of. */
interface Live {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly inputs: readonly BoundPort[];
  readonly outputs: readonly BoundPort[];
  /** State that lives from run to run, with its start. */
  readonly variables: readonly { readonly address: number; readonly start: Uint8Array }[];
}

/**
 * A network in one wasm memory, ready to run. All memory is taken when it opens; a run allocates nothing but the copies of
 * its outputs.
 */
export class Session {
  /** What `run` takes, in input order. */
  readonly inputs: readonly TensorInfo[];
  /** What `run` returns. */
  readonly outputs: readonly TensorInfo[];
  /** The kernels that run it. */
  readonly module: ModuleName;
  /** The kernel calls of one run, in order. */
  readonly steps: readonly PlanStep[];
  /** Bytes of linear memory, a multiple of 64 KiB. */
  readonly memoryBytes: number;

  #live: Live | undefined;
  readonly #stepsAddress: number;

  private constructor(plan: Plan, live: Live) {
    this.#live = live;
    this.#stepsAddress = plan.stepsAddress;
    this.inputs = Object.freeze(live.inputs.map(({ info }) => info));
    this.outputs = Object.freeze(live.outputs.map(({ info }) => info));
    this.module = plan.module;
    this.steps = plan.steps;
    this.memoryBytes = live.memory.buffer.byteLength;
  }

  /**
   * Opens a plan on the module it was made for.
   *
   * Errors: INVALID_PLAN where the module is another than the plan's, OUT_OF_MEMORY where the engine grants less memory than
   * the plan needs, INVALID_OPTION.
   */
  static async open(plan: Plan, { name, module, hash }: KernelModule, options: SessionOptions = {}): Promise<Session> {
    ensure(plan.module === name && plan.moduleHash === hash, "INVALID_PLAN", () => ({
      where: "plan",
      expected: `a plan for module ${name} ${hash.slice(0, 12)}`,
      received: `one for ${plan.module} ${plan.moduleHash.slice(0, 12)}`,
      hint: "Make the plan again from the model with this version of pint8.",
    }));
    checkThreads(options);
    const memory = takeMemory(memoryBytes(plan, 1));
    new Uint8Array(memory.buffer).set(plan.image, plan.imageAddress);
    return new Session(plan, {
      kernels: await instantiate(module, memory),
      memory,
      inputs: plan.inputs.map((port) => bindPort(port, memory.buffer)),
      outputs: plan.outputs.map((port) => bindPort(port, memory.buffer)),
      variables: plan.variables.map(({ address, bytes }) => {
        const offset = address - plan.imageAddress;
        return { address, start: plan.image.slice(offset, offset + bytes) };
      }),
    });
  }

  /**
   * One inference. Inputs by name or in input order, each the typed array of its dtype (`bool` Uint8Array, float16
   * Uint16Array) with exactly the tensor's number of elements. Returns copies.
   *
   * Errors: INVALID_INPUT, CLOSED.
   */
  run(inputs: Inputs): Outputs {
    const live = this.#open();
    setInputs(live.inputs, inputs);
    this.#steps(live.kernels, 0, this.steps.length);
    const outputs: Outputs = {};
    for (const { info, view } of live.outputs) outputs[info.name] = view.slice();
    return outputs;
  }

  /**
   * One inference step by step: the milliseconds of each entry of `steps`, by the given clock. The inputs are whatever the
   * memory holds when none are given.
   */
  profile(inputs?: Inputs, now: () => number = () => performance.now()): Float64Array {
    const { kernels, inputs: ports } = this.#open();
    if (inputs !== undefined) setInputs(ports, inputs);
    const times = new Float64Array(this.steps.length);
    for (let i = 0; i < times.length; i++) {
      const start = now();
      this.#steps(kernels, i, 1);
      times[i] = now() - start;
    }
    return times;
  }

  /** Puts the state that lives from run to run back to its start. */
  reset(): void {
    const { memory, variables } = this.#open();
    const bytes = new Uint8Array(memory.buffer);
    for (const { address, start } of variables) bytes.set(start, address);
  }

  /** Releases the memory. Closing twice is fine; everything else is an error from then on. */
  close(): void {
    this.#live = undefined;
  }

  #open(): Live {
    const live = this.#live;
    ensure(live !== undefined, "CLOSED", () => ({
      where: "model",
      expected: "an open model",
      received: "a closed one",
    }));
    return live;
  }

  #steps(kernels: KernelExports, first: number, count: number): void {
    try {
      kernels.run(this.#stepsAddress + first * STEP_BYTES, count, 0, 1);
    } catch (cause) {
      // Kernels check nothing: only a plan that pint8 did not make gets here.
      throw new Pint8Error(
        "INVALID_PLAN",
        {
          where: "run",
          expected: "steps within their memory",
          received: cause instanceof Error ? cause.message : String(cause),
        },
        { cause },
      );
    }
  }
}

function takeMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / PAGE_BYTES;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new Pint8Error(
      "OUT_OF_MEMORY",
      { where: "session", expected: `${bytes} bytes of memory`, received: "an engine that grants less" },
      { cause },
    );
  }
}

function checkThreads({ threads = 1, onWarning = console.warn }: SessionOptions): void {
  ensure(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS, "INVALID_OPTION", () => ({
    where: "threads",
    expected: `a whole number from 1 to ${MAX_THREADS}`,
    received: String(threads),
  }));
  if (threads > 1) onWarning(`pint8: this version runs one thread; ${threads} were asked for.`);
}
