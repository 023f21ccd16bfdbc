/**
 * Runs saved plans: `pint8/runtime`. No importers, operators or passes are in this bundle.
 *
 * @module
 */
import { readPlan } from "../plan/file.ts";
import { requireEngine } from "../session/engine.ts";
import { loadModule } from "../session/modules.ts";
import { checkOptions } from "../session/options.ts";
import { type LoadPlanOptions, PLAN_OPTIONS } from "../session/planOptions.ts";
import { Session } from "../session/session.ts";
import { readSource, type Source } from "../session/source.ts";
import type { AnyModel, ModelTypes } from "../values/types.ts";

export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export { isPlan, readPlan } from "../plan/file.ts";
export type { Plan, PlanPort, PlanStep, Range } from "../plan/types.ts";
export { MODULES, type ModuleName } from "../primitives/modules.ts";
export type { WasmUrl } from "../session/files.ts";
export type { CustomRun, CustomRunner } from "../session/hosts.ts";
export { type KernelModule, loadModule } from "../session/modules.ts";
export type { LoadPlanOptions } from "../session/planOptions.ts";
export { type RunOptions, Session, type SessionOptions } from "../session/session.ts";
export type { Progress, ReadOptions, Source } from "../session/source.ts";
export type { DType, TypedArray } from "../tensor.ts";

export * from "../values/index.ts";

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
