/**
 * What takes models apart step by step, for which all importers and operators are at hand. Who has it loads none of them later; who
 * bundles without it does.
 */
import { importModel } from "./formats/index.ts";
import { provideImporter } from "./formats/later.ts";
import { operators } from "./ops/index.ts";
import { provide } from "./ops/later.ts";

provide(operators);
provideImporter(importModel);

export { PASS_NAMES, type PassName, type PassOptions, runPasses } from "./passes/index.ts";
export { type PlanOptions, planGraph } from "./plan/plan.ts";
export { importModel };
