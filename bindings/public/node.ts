/**
 * `pint8` for Node: the same names. What takes models apart step by step, for which all importers and operators must be at hand, is
 * loaded when it is first called for: most programs only load models, and Node evaluates all that it imports.
 *
 * @module
 */
import { createRequire } from "node:module";
import type { ImportOptions } from "../formats/importing.ts";
import type { Graph } from "../graph.ts";
import type { PassOptions } from "../passes/index.ts";
import type { PlanOptions } from "../plan/plan.ts";
import type { Plan } from "../plan/types.ts";

export { PASS_NAMES, type PassName } from "../passes/run.ts";
export * from "./models.ts";
export type { PassOptions, PlanOptions };

/** Beside this file where the package is built; package.json leads only those Nodes here that load ES modules by `require`. */
const whole = (): typeof import("../whole.ts") => createRequire(import.meta.url)("./whole.js");

/** As `importModel` of `index.ts`. */
export function importModel(bytes: Uint8Array, options?: ImportOptions): Graph {
  return whole().importModel(bytes, options);
}

/** As `runPasses` of `index.ts`. */
export function runPasses(graph: Graph, options?: PassOptions): Graph {
  return whole().runPasses(graph, options);
}

/** As `planGraph` of `index.ts`. */
export function planGraph(graph: Graph, options: PlanOptions): Plan {
  return whole().planGraph(graph, options);
}
