/**
 * Turns a model into one WebAssembly module that imports nothing: `pint8/compile`.
 *
 * ```ts
 * import { compileModel } from "pint8/compile";
 *
 * const { wasm, js, dts, header, report } = await compileModel("digits.tflite", { name: "digits" });
 * ```
 *
 * @module
 */
import { reportOf } from "../compile/figures.ts";
import { headerText } from "../compile/header.ts";
import { readKernels } from "../compile/kernels.ts";
import { layoutOf } from "../compile/layout.ts";
import { link } from "../compile/link.ts";
import { declarationText, loaderText } from "../compile/loader.ts";
import { checkMemory, type Sized } from "../compile/memory.ts";
import type { CompileReport } from "../compile/report.ts";
import { ensure, inFile, kindOf } from "../errors.ts";
import { importModel } from "../formats/index.ts";
import { refuseOfPlan } from "../given.ts";
import { type Graph, NONE, tensorOf } from "../graph.ts";
import { runPasses } from "../passes/index.ts";
import { isPlan, readPlan } from "../plan/file.ts";
import { planGraph } from "../plan/plan.ts";
import { MAKE_AGAIN, type Plan } from "../plan/types.ts";
import { MODULES, type ModuleName, type Optimize } from "../primitives/modules.ts";
import { checkOptions, type OptionNames } from "../session/options.ts";
import { nameOf, readSource, type Source } from "../session/source.ts";
import { byteLength, type TypedArray, typeText } from "../tensor.ts";

export type { CompileReport } from "../compile/report.ts";
export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export type { Plan } from "../plan/types.ts";
export type { ModuleName, Optimize } from "../primitives/modules.ts";

/** How a model is compiled. */
export interface CompileOptions {
  /** The kernels it gets: `"scalar"`, the default, runs on every engine. */
  readonly module?: ModuleName;
  /** What to spare: `"size"` is the default for `scalar`, `"speed"` for the others. */
  readonly optimize?: Optimize;
  /** Name of the files, without `.wasm`: the loader looks for it, the header's macros begin with it. */
  readonly name?: string;
  /** Refuse a model that needs more bytes of linear memory. */
  readonly maxMemory?: number;
  /** Size of the first dimension where a model leaves it open, or in place of the model's own. */
  readonly batch?: number;
  /** Shapes of inputs by name, for models that leave dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** ONNX: values of inputs that are known beforehand, by name: these become constants. */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>>;
  /** ONNX: files with tensors that the model keeps outside of itself, by the names that it gives them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
  /** TensorFlow Lite: the signature to compile, by its name; the model's first subgraph where absent. */
  readonly signature?: string;
  /** Is told what is being done. */
  readonly onProgress?: (message: string) => void;
}

const OPTIONS: OptionNames<CompileOptions> = {
  module: true,
  optimize: true,
  name: true,
  maxMemory: true,
  batch: true,
  shapes: true,
  constants: true,
  externalData: true,
  signature: true,
  onProgress: true,
};

/** The files, and what there is to say of them. */
export interface Compiled {
  /** The module. Exports: `memory`, `input_ptr(i)`, `input_bytes(i)`, `output_ptr(i)`, `output_bytes(i)`, `invoke()`, `reset()`. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** An ES module that loads it. */
  readonly js: string;
  /** The types of `js`: literal names, shapes and quantization. */
  readonly dts: string;
  /** Sizes, addresses and quantization for C. */
  readonly header: string;
  /** The same sizes, in bytes, as an object. */
  readonly report: CompileReport;
}

/**
 * Compiles a .tflite model or a plan; a plan has its module, batch and optimization already.
 *
 * Errors: those of `loadModel`; OUT_OF_MEMORY where it needs more than `maxMemory`.
 */
export function compileModel(source: Source | Plan, options: CompileOptions = {}): Promise<Compiled> {
  return inFile(nameOf(source), () => compiled(source, options));
}

async function compiled(source: Source | Plan, options: CompileOptions): Promise<Compiled> {
  checkOptions("compileModel", options, OPTIONS);
  checkValues(options);
  const { name = "model", maxMemory = 2 ** 32, onProgress = () => {} } = options;
  const { plan, tensors } = await planOf(source, options);
  for (const { name, lengthAddress } of plan.outputs)
    ensure(lengthAddress === undefined, "UNSUPPORTED", () => ({
      where: `output "${name}"`,
      expected: "outputs whose lengths are known when compiled",
      received: "one whose length only a run can tell",
      hint: "Run the model or its plan with a session.",
    }));
  const [host] = plan.hosts;
  ensure(host === undefined, "UNSUPPORTED", () => ({
    where: `"${host?.name}"`,
    expected: "operators that are kernels",
    received: "one that runs on the host",
    hint: "A module of its own has no host: run the plan in a session.",
  }));
  const { optimize = plan.module === "scalar" ? "size" : "speed" } = options;
  const layout = layoutOf(plan, optimize);
  checkMemory(plan, layout, maxMemory, tensors);
  const kernels = await readKernels(plan.module, plan.edition);
  ensure(kernels.hash === plan.moduleHash, "INVALID_PLAN", () => ({
    where: "plan",
    expected: `a plan for module ${plan.module} ${kernels.hash.slice(0, 12)}`,
    received: `one for ${plan.moduleHash.slice(0, 12)}`,
    hint: MAKE_AGAIN,
  }));
  onProgress(`linking ${plan.steps.length} steps with the ${plan.module} kernels`);
  const wasm = await link(plan, kernels, layout, optimize);
  return {
    wasm,
    js: loaderText(plan, name),
    dts: declarationText(plan, name),
    header: headerText(plan, layout, name),
    report: reportOf(plan, layout, wasm),
  };
}

interface Planned {
  readonly plan: Plan;
  /** For messages. */
  readonly tensors: readonly Sized[];
}

async function planOf(source: Source | Plan, options: CompileOptions): Promise<Planned> {
  if (typeof source === "object" && source !== null && "steps" in source) return planned(source, options);
  const bytes = await readSource(source);
  if (isPlan(bytes)) return planned(readPlan(bytes), options);
  const {
    module = "scalar",
    optimize = module === "scalar" ? "size" : "speed",
    batch,
    shapes,
    signature,
    constants,
    externalData,
    onProgress,
  } = options;
  onProgress?.("planning");
  const graph = runPasses(importModel(bytes, { batch, shapes, signature, constants, externalData }));
  const { hash } = await readKernels(module);
  return { plan: planGraph(graph, { module, moduleHash: hash, optimize }), tensors: tensorsOf(graph) };
}

function planned(plan: Plan, options: CompileOptions): Planned {
  refuseOfPlan(plan.module, options);
  const ports = [...plan.inputs, ...plan.outputs].map(({ name, shape, dtype, bytes }) => ({
    text: `"${name}" ${typeText({ dtype, shape })}, ${bytes} bytes`,
    bytes,
  }));
  const weights = plan.steps.map(({ where, bytes }) => ({ text: `weights of ${where}, ${bytes} bytes`, bytes }));
  return { plan, tensors: [...ports, ...weights] };
}

function tensorsOf(graph: Graph): readonly Sized[] {
  const used = [
    ...graph.inputs.map(({ tensor }) => tensor),
    ...graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  ];
  return [...new Set(used)]
    .filter((id) => id !== NONE)
    .map((id) => {
      const tensor = tensorOf(graph, id);
      const bytes = byteLength(tensor);
      return { text: `"${tensor.name}" ${typeText(tensor)}, ${bytes} bytes`, bytes };
    });
}

function checkValues({ module, optimize, maxMemory, name }: CompileOptions): void {
  const check = (where: string, fits: boolean, expected: string, received: unknown) =>
    ensure(fits, "INVALID_OPTION", () => ({ where, expected, received: kindOf(received) }));
  check("module", module === undefined || MODULES.includes(module), MODULES.join(", "), module);
  check("optimize", optimize === undefined || optimize === "size" || optimize === "speed", "size or speed", optimize);
  check(
    "maxMemory",
    maxMemory === undefined || (typeof maxMemory === "number" && maxMemory > 0),
    "a number of bytes",
    maxMemory,
  );
  check(
    "name",
    name === undefined || (typeof name === "string" && /^[^/\\]+$/.test(name) && !/\p{Surrogate}/u.test(name)),
    "a file name without folders",
    name,
  );
}
