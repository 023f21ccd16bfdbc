/** How a model becomes a session: what `pint8` and `pint8/inline` have in common, which differ in who imports. */
import { ensure, inFile, kindOf } from "./errors.ts";
import type { Importer } from "./formats/importing.ts";
import { isOnnx, isOrdinary } from "./formats/select.ts";
import { refuseOfPlan } from "./given.ts";
import { type Limits, requireLimits } from "./limits.ts";
import type { CustomInfer } from "./ops/control/custom.ts";
import { operatorsFor } from "./ops/later.ts";
import { loadPacker } from "./packer/index.ts";
import { runPassesBy } from "./passes/run.ts";
import { planGraphBy } from "./plan/bind.ts";
import { isPlan, readPlan, writePlan } from "./plan/file.ts";
import { createPool, type ImageOptions } from "./plan/image.ts";
import { memoryBytes, type Plan } from "./plan/types.ts";
import type { ModuleName } from "./primitives/modules.ts";
import type { Packer } from "./primitives/requantize/types.ts";
import { readAgain } from "./session/again.ts";
import { requireEngine } from "./session/engine.ts";
import type { CustomRunner } from "./session/hosts.ts";
import { reach } from "./session/memory.ts";
import { type KernelModule, loadModule } from "./session/modules.ts";
import { checkOptions, type OptionNames } from "./session/options.ts";
import { type LoadPlanOptions, PLAN_OPTIONS } from "./session/planOptions.ts";
import { recent } from "./session/recent.ts";
import { type Rest, restFile } from "./session/rest.ts";
import { Session } from "./session/session.ts";
import { nameOf, readSource, type Source } from "./session/source.ts";
import type { TypedArray } from "./tensor.ts";
import type { AnyModel, ModelTypes } from "./values/types.ts";

/** An operator of your own. */
export interface CustomOperator extends CustomRunner {
  /** Types of the outputs, by the inputs and the bytes of the operator's options. */
  readonly infer: CustomInfer;
}

/** How a model is loaded. */
export interface LoadOptions extends LoadPlanOptions {
  /**
   * The kernels that run it. `"auto"`, the default, takes the fastest that this engine runs correctly; one asked for by
   * name that it cannot run correctly is an error. Every module gives the same bytes.
   */
  readonly module?: ModuleName | "auto";
  /** Size of the first dimension where a model leaves it open, or in place of the model's own. */
  readonly batch?: number;
  /** Shapes of inputs by name, where a model leaves dimensions open or in place of its own: `{ image: [1, 320, 320, 3] }`. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** TensorFlow Lite: the signature to run, by its name; the model's first subgraph where absent. */
  readonly signature?: string;
  /**
   * TensorFlow Lite: operators of your own, by the names that the model has for them. `infer` gives the types of the outputs
   * when the model is loaded, `run` fills them; both on the calling thread. A saved plan needs `run` alone.
   */
  readonly customOperators?: Readonly<Record<string, CustomOperator>>;
  /**
   * ONNX: values of inputs that are known beforehand, by name: axes, shapes, sample rates. These inputs become constants, and
   * are no inputs of the session: what is computed from them alone is computed once.
   */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>>;
  /** ONNX: files with tensors that the model keeps outside of itself, by the names that it gives them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
  /**
   * `"low"` keeps weights as compact as the model has them: no Winograd convolutions, no weights widened to 16 bits beforehand.
   * The same bytes come out of quantized networks, nearly the same of floats, on some layers in up to twice the time.
   */
  readonly memory?: "low";
  /** What the model may ask for: memory, work of a run, work of planning. Of a saved plan, which is bounded by those it was made with, memory alone counts. */
  readonly limits?: Limits;
}

const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  ...PLAN_OPTIONS,
  module: true,
  batch: true,
  shapes: true,
  signature: true,
  constants: true,
  externalData: true,
  memory: true,
  limits: true,
};

/** `loadModel`, by this importer. */
export function loadBy<M extends ModelTypes = AnyModel>(
  importer: Importer,
  source: Source,
  options: LoadOptions = {},
): Promise<Session<M>> {
  return inFile(nameOf(source), () => load<M>(importer, source, options));
}

async function load<M extends ModelTypes>(
  importer: Importer,
  source: Source,
  options: LoadOptions,
): Promise<Session<M>> {
  checkOptions("loadModel", options, LOAD_OPTIONS);
  requireEngine();
  const { shapes, wasm, wasmUrl } = options;
  const resting = (options.threads ?? 1) === 1 ? restFile(source, options) : undefined;
  const { bytes, early, rest } = await fetched(source, options, resting);
  if (isPlan(bytes)) {
    const plan = readPlan(bytes);
    refuseOfPlan(plan.module, options);
    requireMemory(plan, options.limits);
    return Session.open(plan, await loadModule(plan.module, wasm, plan.edition, wasmUrl), options);
  }
  // Nothing that outlives this call holds on to the bytes and the packer: `make` is given them.
  const make = async (given: Uint8Array, asked: LoadOptions["shapes"], atHand: AtHand): Promise<Bound> => {
    const all = { ...options, shapes: { ...shapes, ...asked } };
    const { plan, kernels } = await planned(importer, given, all, atHand);
    const fits = kernels.edition === "full" || plan.edition === "core";
    return { plan, kernels: fits ? kernels : await loadModule(kernels.name, wasm, plan.edition, wasmUrl) };
  };
  const again = readAgain(source, bytes);
  const pool = createPool();
  const plans = recent(KEPT_PLANS, async (key) =>
    make(await again(), JSON.parse(key) as LoadOptions["shapes"], { image: { pool } }),
  );
  const replan = (asked: NonNullable<LoadOptions["shapes"]>) => {
    checkShapes("reshape", asked);
    return plans(JSON.stringify(sorted(asked)));
  };
  const image = { resting: rest, ...((options.threads ?? 1) === 1 ? { reach } : {}) };
  try {
    const { plan, kernels } = await make(bytes, {}, { early, image });
    return await Session.open(plan, kernels, options, replan);
  } finally {
    rest?.close();
  }
}

/** Refuses a plan that needs more memory than is granted. Errors: OUT_OF_MEMORY, INVALID_OPTION. */
function requireMemory(plan: Plan, limits?: Limits): void {
  requireLimits(limits);
  const { memory = Number.POSITIVE_INFINITY } = limits ?? {};
  ensure(memoryBytes(plan, 1) <= memory, "OUT_OF_MEMORY", () => ({
    where: "plan",
    expected: `memory within limits.memory of ${memory} bytes`,
    received: `${memoryBytes(plan, 1)}`,
  }));
}

/** Plans of one model, for different shapes, that a session keeps. */
const KEPT_PLANS = 4;

/** A plan and kernels that run it. */
interface Bound {
  readonly plan: Plan;
  readonly kernels: KernelModule;
}

/** Refuses what is no object of shapes, which are checked by the model. */
function checkShapes(where: string, shapes: unknown): void {
  const lists =
    typeof shapes === "object" && shapes !== null && !Array.isArray(shapes) ? Object.values(shapes) : [shapes];
  const isShape = (list: unknown) => Array.isArray(list) && list.every((size) => typeof size === "number");
  ensure(lists.every(isShape), "INVALID_OPTION", () => ({
    where,
    expected: "an object of shapes by the names of inputs, as { image: [1, 320, 320, 3] }",
    received: kindOf(lists.find((list) => !isShape(list))),
  }));
}

/** The same by the order of names. */
function sorted(shapes: Readonly<Record<string, readonly number[]>>): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a model is planned for: everything of `LoadOptions` that is not about running it. */
export type PlanModelOptions = Omit<LoadOptions, "threads" | "onWarning">;

/** `planModel`, by this importer. */
export function planBy(importer: Importer, source: Source, options: PlanModelOptions = {}): Promise<Uint8Array> {
  return inFile(nameOf(source), () => planOf(importer, source, options));
}

async function planOf(importer: Importer, source: Source, options: PlanModelOptions): Promise<Uint8Array> {
  const { threads: _threads, onWarning: _onWarning, ...known } = LOAD_OPTIONS;
  checkOptions("planModel", options, known);
  requireEngine();
  const { bytes, early } = await fetched(source, options);
  ensure(!isPlan(bytes), "INVALID_OPTION", () => ({
    where: "source",
    expected: "a model",
    received: "a plan",
    hint: "Take the model that it was made from.",
  }));
  return writePlan((await planned(importer, bytes, options, { early })).plan);
}

type Kernels = readonly [KernelModule, Packer];

/** The kernels that most models of a format need, and the packer. Where it fails, whoever waits for it says so. */
function fetchKernels({ module = "auto", wasm, wasmUrl }: PlanModelOptions, isOnnx: boolean): Promise<Kernels> {
  const loading = Promise.all([loadModule(module, wasm, isOnnx ? "full" : "core", wasmUrl), loadPacker()]);
  loading.catch(() => {});
  return loading;
}

/**
 * A source's bytes, and where they rest, if they may. Where they must be waited for the kernels are asked for meanwhile, but after them,
 * which are needed first.
 */
async function fetched(
  source: Source,
  options: PlanModelOptions,
  resting?: Promise<Rest | undefined>,
): Promise<Fetched> {
  const reading = resting
    ? resting.then((rest) => rest?.bytes ?? readSource(source, options))
    : readSource(source, options);
  const early = isHere(source) ? undefined : fetchKernels(options, /\.onnx$/i.test(nameOf(source) ?? ""));
  const bytes = await reading;
  const rest = await resting;
  if (rest === undefined || isOrdinary(bytes)) return { bytes, early, rest };
  rest.close();
  return { bytes: bytes.slice(), early };
}

interface Fetched {
  readonly bytes: Uint8Array;
  readonly early: Promise<Kernels> | undefined;
  readonly rest?: Rest | undefined;
}

/** Whether a source need not be waited for. */
const isHere = (source: Source) => ArrayBuffer.isView(source) || source instanceof ArrayBuffer;

/** What may be at hand before a model is planned. */
interface AtHand {
  readonly early?: Promise<Kernels> | undefined;
  readonly image?: ImageOptions;
}

/** The plan of a model, and the kernels that it is for. */
async function planned(
  importer: Importer,
  bytes: Uint8Array,
  options: PlanModelOptions,
  { early, image }: AtHand,
): Promise<Bound> {
  const { memory, limits = {}, batch, shapes, signature, customOperators, constants, externalData } = options;
  ensure(memory === undefined || memory === "low", "INVALID_OPTION", () => ({
    where: "memory",
    expected: '"low", or nothing',
    received: kindOf(memory),
  }));
  // The engine compiles while the graph is read; what is wrong with the model is reported first.
  const loading = early ?? fetchKernels(options, isOnnx(bytes));
  const read = await importer(bytes, { batch, shapes, signature, customOperators, constants, externalData });
  const operators = await operatorsFor(read);
  const graph = runPassesBy(operators, read, { limits });
  const [kernels, packer] = await loading;
  const plan = planGraphBy(operators, graph, {
    module: kernels.name,
    moduleHash: kernels.hash,
    packer,
    limits,
    optimize: memory === "low" ? "size" : "speed",
    ...image,
  });
  return { plan, kernels };
}
