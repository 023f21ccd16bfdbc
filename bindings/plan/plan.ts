import { chosen, ensure, kindOf } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { operators as table } from "../ops/index.ts";
import type { Operators } from "../ops/types.ts";
import { MODULES } from "../primitives/modules.ts";
import { type BindOptions, planGraphBy } from "./bind.ts";
import type { Plan } from "./types.ts";

/** What a graph is planned for, and with which operators. */
export interface PlanOptions extends BindOptions {
  /** The operators; the library's own when absent. */
  readonly operators?: Operators;
}

/**
 * Binds a graph that `runPasses` returned to one module: arena offsets first, so that addresses are known when each
 * operator packs its weights; then the image; scratch, whose size only lowering tells, comes last in memory.
 *
 * Errors: INVALID_INPUT; OUT_OF_MEMORY where all of it takes more than 4 GiB, with the largest tensors; whatever lowering refuses.
 */
export function planGraph(graph: Graph, options: PlanOptions): Plan {
  const { operators = table, ...rest } = Object(options) as PlanOptions;
  ensure(Array.isArray(Object(graph).nodes) && typeof rest.moduleHash === "string", "INVALID_INPUT", () => ({
    where: "planGraph",
    expected: "a graph, as runPasses gives it, and { module, moduleHash }",
    received: `${kindOf(graph)} and ${kindOf(options)}`,
    hint: "loadModule gives name and hash of a module.",
  }));
  chosen("module", rest.module, MODULES);
  return planGraphBy(operators, graph, rest);
}
