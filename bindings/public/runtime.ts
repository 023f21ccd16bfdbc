/**
 * Runs saved plans: `pint8/runtime`. No importers, operators or passes are in this bundle.
 *
 * @module
 */
import { readPlan } from "../plan/file.ts";
import { loadModule } from "../session/modules.ts";
import { Session, type SessionOptions } from "../session/session.ts";
import { readSource, type Source } from "../session/source.ts";

export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export { isPlan, readPlan } from "../plan/file.ts";
export type { Plan, PlanPort, PlanStep, Range } from "../plan/types.ts";
export { MODULES, type ModuleName } from "../primitives/modules.ts";
export { type KernelModule, loadModule } from "../session/modules.ts";
export type { Inputs, Outputs, TensorInfo } from "../session/ports.ts";
export { Session, type SessionOptions } from "../session/session.ts";
export type { Source } from "../session/source.ts";
export type { DType, TypedArray } from "../tensor.ts";

/** How a saved plan is run. A plan is bound to one module, so there is none to choose. */
export interface LoadPlanOptions extends SessionOptions {
  /** The plan's module, compiled elsewhere: for workers that must import it statically. */
  readonly wasm?: WebAssembly.Module;
}

/**
 * A session of a saved plan.
 *
 * Errors: IO, INVALID_PLAN, MODULE_UNAVAILABLE where this engine cannot run the plan's module, OUT_OF_MEMORY.
 */
export async function loadPlan(source: Source, options: LoadPlanOptions = {}): Promise<Session> {
  const plan = readPlan(await readSource(source));
  return Session.open(plan, await loadModule(plan.module, options.wasm, plan.edition), options);
}
