/**
 * Runs saved plans: `pint8/runtime`. No importers, operators or passes are in this bundle.
 *
 * @module
 */
import { readPlan } from "../plan/file.ts";
import { requireEngine } from "../session/engine.ts";
import type { WasmUrl } from "../session/files.ts";
import { loadModule } from "../session/modules.ts";
import { checkOptions, type OptionNames } from "../session/options.ts";
import { Session, type SessionOptions } from "../session/session.ts";
import { type ReadOptions, readSource, type Source } from "../session/source.ts";
import type { AnyModel, ModelTypes } from "../session/types.ts";

export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export { isPlan, readPlan } from "../plan/file.ts";
export type { Plan, PlanPort, PlanStep, Range } from "../plan/types.ts";
export { MODULES, type ModuleName } from "../primitives/modules.ts";
export type { WasmUrl } from "../session/files.ts";
export type { CustomRun, CustomRunner } from "../session/hosts.ts";
export { type KernelModule, loadModule } from "../session/modules.ts";
export { type RunOptions, Session, type SessionOptions } from "../session/session.ts";
export type { Progress, ReadOptions, Source } from "../session/source.ts";
export type {
  AnyModel,
  ArrayOf,
  InputArray,
  Inputs,
  ModelTypes,
  NumberArray,
  Outputs,
  TensorInfo,
} from "../session/types.ts";
export type { DType, TypedArray } from "../tensor.ts";

export { dequantize, type Quantized, quantize, type Score, topK } from "../values/quantize.ts";

/** How a saved plan is run. A plan is bound to one module, so there is none to choose. */
export interface LoadPlanOptions extends SessionOptions, ReadOptions {
  /** The module, compiled elsewhere: for workers that must import it statically. What it is stands in it. */
  readonly wasm?: WebAssembly.Module;
  /**
   * Where the package's wasm files are, by their names: for bundlers that leave them behind, and for files on another host.
   * Without it they are looked for beside the package's scripts, in `../../wasm/`.
   */
  readonly wasmUrl?: WasmUrl;
}

export const PLAN_OPTIONS: OptionNames<LoadPlanOptions> = {
  threads: true,
  customOperators: true,
  onWarning: true,
  signal: true,
  onProgress: true,
  wasm: true,
  wasmUrl: true,
};

/**
 * A session of a saved plan.
 *
 * Errors: IO, INVALID_PLAN, MODULE_UNAVAILABLE where this engine cannot run the plan's module, OUT_OF_MEMORY,
 * INVALID_OPTION; the signal's reason.
 */
export async function loadPlan<M extends ModelTypes = AnyModel>(
  source: Source,
  options: LoadPlanOptions = {},
): Promise<Session<M>> {
  checkOptions("loadPlan", options, PLAN_OPTIONS);
  requireEngine();
  const plan = readPlan(await readSource(source, options));
  return Session.open(plan, await loadModule(plan.module, options.wasm, plan.edition, options.wasmUrl), options);
}
