/// <reference lib="esnext.disposable" preserve="true" />
import { ensure, mistakeIf, Pint8Error, textOf } from "../errors.ts";
import { MAKE_AGAIN, type Plan, type PlanStep } from "../plan/types.ts";
import type { ModuleName } from "../primitives/modules.ts";
import type { TypedArray } from "../tensor.ts";
import type { AnyModel, Inputs, ModelTypes, Outputs, Places } from "../values/types.ts";
import { bindHosts, type CustomRunner, type Host } from "./hosts.ts";
import { withOwnHosts } from "./hostsLater.ts";
import { type Running, takeThreads } from "./memory.ts";
import type { KernelModule } from "./modules.ts";
import { type BoundPort, bindPort, copyOf, outputValue, setInputs, viewsOf } from "./ports.ts";
import { asksViews, DEFAULT_RUN, type RunOptions } from "./runOptions.ts";

/** What `using` calls; engines that do not know it have no `using` either. */
const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

export type { RunOptions };

/** What a session is told beyond its plan. */
export interface SessionOptions {
  /**
   * How many threads run each step, 1 when absent; the calling thread is one of them. More than 64 are 64. `"auto"` takes
   * what the machine has, up to 8. Where there are none to be had, as in a page that is not cross-origin isolated or with
   * the module scalar, one runs and a warning says why; `"auto"` then runs one in silence.
   */
  readonly threads?: number | "auto";
  /** The user's own operators, by the names that the model has for them. */
  readonly customOperators?: Readonly<Record<string, CustomRunner>>;
  /** Told what the caller should know but need not act on; console.warn when absent. */
  readonly onWarning?: (message: string) => void;
}

/** Plans the model of a session for other shapes of its inputs, by name. */
type Replan = (
  shapes: Readonly<Record<string, readonly number[]>>,
) => Promise<{ readonly plan: Plan; readonly kernels: KernelModule }>;

/** Everything that closing lets go of. */
interface Live extends Running {
  readonly inputs: readonly BoundPort[];
  readonly outputs: readonly BoundPort[];
  /** What a run returns that is asked for views, where no length is the run's to tell. */
  readonly views: Readonly<Record<string, TypedArray>> | undefined;
  /** The user's operators, in the order in which they run, and what asks behind the last step whether data exceeded a bound. */
  readonly hosts: readonly Host[];
  /** State that lives from run to run, with its start. */
  readonly variables: readonly { readonly address: number; readonly start: Uint8Array }[];
}

/** What a session tells of itself, closed or not. */
interface Shown<M extends ModelTypes> {
  readonly inputs: Places<M["inputs"]>;
  readonly outputs: M["outputs"];
  readonly module: ModuleName;
  readonly steps: readonly PlanStep[];
  readonly memoryBytes: number;
}

function shownOf<M extends ModelTypes>({ module, steps }: Plan, live: Live, open: () => Live): Shown<M> {
  const { inputs, outputs, memory } = live;
  const place = ({ info }: BoundPort, i: number) =>
    Object.freeze(Object.defineProperty({ ...info }, "data", { get: () => open().inputs[i]?.view }));
  return {
    inputs: Object.freeze(inputs.map(place)) as unknown as Places<M["inputs"]>,
    outputs: Object.freeze(outputs.map(({ info }) => info)) as M["outputs"],
    module,
    steps,
    memoryBytes: memory.buffer.byteLength,
  };
}

/**
 * A network in one wasm memory, ready to run. All memory is taken when it opens; a run allocates nothing but the copies of
 * its outputs.
 */
export class Session<M extends ModelTypes = AnyModel> {
  #live: Live | undefined;
  #shown: Shown<M>;
  readonly #options: SessionOptions;
  readonly #replan: Replan | undefined;

  private constructor(plan: Plan, live: Live, options: SessionOptions, replan: Replan | undefined) {
    this.#live = live;
    this.#shown = shownOf<M>(plan, live, () => this.#open());
    this.#options = options;
    this.#replan = replan;
  }

  /**
   * Opens a plan on the module it was made for; with `replan` it can be reshaped.
   *
   * Errors: INVALID_PLAN where the module is another than the plan's, OUT_OF_MEMORY where the engine grants less memory than
   * the plan needs, INVALID_OPTION.
   */
  static async open<M extends ModelTypes = AnyModel>(
    plan: Plan,
    kernels: KernelModule,
    options: SessionOptions = {},
    replan?: Replan,
  ): Promise<Session<M>> {
    // Not by its name: bundlers rename a class that says it to _Session.
    return new this<M>(plan, await liveOf(plan, kernels, options), options, replan);
  }

  /**
   * What `run` takes, in input order. `data` is a view of the input's memory, to be filled in place for a run without
   * inputs; a run may overwrite it.
   */
  get inputs(): Places<M["inputs"]> {
    return this.#shown.inputs;
  }

  /** What `run` returns. */
  get outputs(): M["outputs"] {
    return this.#shown.outputs;
  }

  /** The kernels that run it. */
  get module(): ModuleName {
    return this.#shown.module;
  }

  /** The kernel calls of one run, in order. */
  get steps(): readonly PlanStep[] {
    return this.#shown.steps;
  }

  /** Bytes of linear memory, a multiple of 64 KiB. */
  get memoryBytes(): number {
    return this.#shown.memoryBytes;
  }

  /**
   * Plans the model anew for these shapes of inputs, by name; others are as they were asked for when it was loaded. The
   * newest few plans are kept with one copy of the weights that they share, so that going back to one of them is quick. State
   * that lives from run to run begins anew. Where it fails the session stays as it was.
   *
   * Errors: those of `loadModel`; INVALID_OPTION for a session of a saved plan, which has its shapes; CLOSED.
   */
  async reshape(shapes: Readonly<Record<string, readonly number[]>>): Promise<this> {
    this.#open();
    ensure(this.#replan !== undefined, "INVALID_OPTION", () => ({
      where: "reshape",
      expected: "a session of a model",
      received: "one of a plan, which has its shapes",
      hint: "Load the model itself, or make a plan for each shape.",
    }));
    const { plan, kernels } = await this.#replan(shapes);
    const live = await liveOf(plan, kernels, this.#options);
    if (this.#live === undefined) live.team?.close();
    const before = this.#open();
    this.#live = live;
    this.#shown = shownOf<M>(plan, live, () => this.#open());
    before.team?.close();
    return this;
  }

  /**
   * Threads that take part in the next run. Those that were asked for join one by one soon after the model is loaded; runs
   * do not wait for them, and give the same bytes with any number.
   */
  get threads(): number {
    return this.#open().team?.size() ?? 1;
  }

  /**
   * One inference. Inputs by name or in input order, each with exactly the tensor's number of elements: the typed array of
   * its dtype (`bool` Uint8Array, float16 Uint16Array), or real numbers for a quantized or float input, as a Float32Array or
   * an array, which are quantized as `quantize` does. `run()`, or `run(undefined, options)`, takes what has been written to the
   * inputs' `data` since the last run.
   * Returns the outputs by name: copies, or where they are asked for `"views"` of the model's memory, which the next run
   * overwrites, in one object that every run returns.
   *
   * Errors: INVALID_INPUT, CLOSED, OUT_OF_MEMORY where data asks for more than the plan has room for, TRAP where WebAssembly ended the run, as
   * it does in a loop without end (`received` is the engine's word for it), WORKER where a thread failed: the model can only be closed then.
   */
  run(inputs?: Inputs<M>, options: RunOptions = DEFAULT_RUN): Outputs<M> {
    const live = this.#live ?? this.#open();
    const views = options !== DEFAULT_RUN && asksViews(options);
    // biome-ignore lint/complexity/noArguments: run(undefined) is a mistake of the caller's, run() is not.
    const inPlace = inputs === undefined && arguments.length !== 1;
    if (!inPlace) setInputs(live.inputs, inputs as Inputs);
    this.#steps(live, 0, this.steps.length);
    if (views && live.views !== undefined) return live.views as Outputs<M>;
    const outputs: Record<string, TypedArray> = {};
    for (const port of live.outputs) {
      const value = outputValue(port);
      outputs[port.info.name] = views ? value : copyOf(value);
    }
    return outputs as Outputs<M>;
  }

  /**
   * One inference step by step: the milliseconds of each entry of `steps`, by the given clock. The inputs are whatever the
   * memory holds when none are given.
   */
  profile(inputs?: Inputs<M>, now: () => number = () => performance.now()): Float64Array {
    const live = this.#open();
    if (inputs !== undefined) setInputs(live.inputs, inputs as Inputs);
    const times = new Float64Array(this.steps.length);
    for (let i = 0; i < times.length; i++) {
      const start = now();
      this.#steps(live, i, 1);
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

  /** Ends the threads and releases the memory. Closing twice is fine; everything else is an error from then on. */
  close(): void {
    this.#live?.team?.close();
    this.#live = undefined;
  }

  /** Closes: `using model = await loadModel(source)`. */
  [DISPOSE](): void {
    this.close();
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

  #steps({ runSteps, hosts }: Live, first: number, count: number): void {
    const end = first + count;
    let next = first;
    try {
      if (hosts.length === 0) return runSteps(first, count);
      for (const host of hosts) {
        const within = host.step >= first && (host.step < end || (host.step === end && end === this.steps.length));
        if (!within) continue;
        if (host.step > next) runSteps(next, host.step - next);
        next = host.step;
        host.run();
      }
      if (end > next) runSteps(next, end - next);
    } catch (cause) {
      if (cause instanceof Pint8Error) throw cause;
      // Kernels check nothing: a loop whose condition always holds, a plan that pint8 did not make, a mistake of a kernel.
      throw new Pint8Error(
        "TRAP",
        {
          where: "run",
          expected: "a run that ends",
          received: textOf(cause),
          hint: mistakeIf("its loops end"),
        },
        { cause },
      );
    }
  }
}

/** Memory with the plan in it, its threads, and views of its inputs and outputs. */
async function liveOf(plan: Plan, kernels: KernelModule, options: SessionOptions): Promise<Live> {
  const { name, hash, edition } = kernels;
  ensure(plan.module === name && plan.moduleHash === hash, "INVALID_PLAN", () => ({
    where: "plan",
    expected: `a plan for module ${name} ${hash.slice(0, 12)}`,
    received: `one for ${plan.module} ${plan.moduleHash.slice(0, 12)}`,
    hint: MAKE_AGAIN,
  }));
  ensure(edition === plan.edition || (edition === "full" && plan.edition === "core"), "INVALID_PLAN", () => ({
    where: "plan",
    expected: `the ${plan.edition} edition of module ${name}, whose kernels the plan uses`,
    received: `the ${edition} edition`,
    hint: `Load ${name}.${plan.edition}.wasm: loadModule("${name}", undefined, "${plan.edition}").`,
  }));
  const runners = await withOwnHosts(plan, options.customOperators);
  const running = await takeThreads(plan, kernels, options);
  const { buffer } = running.memory;
  const outputs = plan.outputs.map((port) => bindPort(port, buffer));
  return {
    ...running,
    outputs,
    views: viewsOf(outputs),
    hosts: bindHosts(plan, buffer, runners),
    inputs: plan.inputs.map((port) => bindPort(port, buffer)),
    variables: plan.variables.map(({ address, bytes }) => ({
      address,
      start: new Uint8Array(buffer, address, bytes).slice(),
    })),
  };
}
