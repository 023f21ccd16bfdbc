import { ensure, kindOf } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { operators as table } from "../ops/index.ts";
import type { Operators } from "../ops/types.ts";
import { type RunOptions, runPassesBy } from "./run.ts";

export { PASS_NAMES, type PassName } from "./run.ts";

/** Which passes run, and on which operators. */
export interface PassOptions extends RunOptions {
  /** The operators; the library's own when absent. */
  readonly operators?: Operators;
}

/**
 * Checks the graph, infers its types and runs the passes, verifying after each. The result computes the same bytes.
 *
 * Errors: INVALID_GRAPH, UNSUPPORTED, OUT_OF_MEMORY as `verify` and each operator's `infer` say; INVALID_OPTION.
 */
export function runPasses(graph: Graph, given: PassOptions = {}): Graph {
  const { operators = table, ...options } = Object(given) as PassOptions;
  ensure(Array.isArray(Object(graph).nodes), "INVALID_INPUT", () => ({
    where: "runPasses",
    expected: "a graph, as importModel gives it",
    received: kindOf(graph),
  }));
  return runPassesBy(operators, graph, options);
}
