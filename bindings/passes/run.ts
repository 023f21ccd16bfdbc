import { chosen, guarded } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { chargeNodes, type Limits, limitsOf } from "../limits.ts";
import type { Operators } from "../ops/types.ts";
import { checkBatch } from "./batch.ts";
import { initialise, mapBodies } from "./bodies.ts";
import { dropDead, foldConstants } from "./fold.ts";
import { fuseActivations } from "./fuse.ts";
import { inferTypes } from "./infer.ts";
import { setRows } from "./lists.ts";
import { unpackNibbles } from "./nibbles.ts";
import { foldPad } from "./pad.ts";
import { inferReshaped } from "./reshaped.ts";
import { makeSigned } from "./signed.ts";
import { tabulate } from "./tabulate.ts";
import { verify, verifyStructure } from "./verify.ts";

/** One rewriting of a graph into an equal one: pure, and byte-exact. */
type Pass = (graph: Graph, operators: Operators) => Graph;

/** The optional passes, in the order in which they run. */
const PASSES = { foldConstants, foldPad, fuseActivations, tabulate, dropDead } as const satisfies {
  readonly [name: string]: Pass;
};
/** An optional pass, by its name. */
export type PassName = keyof typeof PASSES;
/** The names of the optional passes, in the order in which they run. */
export const PASS_NAMES = Object.keys(PASSES) as readonly PassName[];

/** What runs, of the passes. */
export interface RunOptions {
  /** Which optional passes run; all when absent. Types are inferred and the graph is verified in any case. */
  readonly only?: "all" | "none" | readonly PassName[];
  /** What the model may ask for. */
  readonly limits?: Limits;
}

/** `runPasses`, by these operators. */
export function runPassesBy(operators: Operators, graph: Graph, { only = "all", limits }: RunOptions = {}): Graph {
  const names = only === "all" ? PASS_NAMES : only === "none" ? [] : [only].flat();
  for (const name of names) chosen("only", name, PASS_NAMES);
  return guarded("INVALID_GRAPH", "graph", () => {
    verifyStructure(graph);
    chargeNodes(graph, limitsOf(graph, limits));
    const started = initialise(asInt8(operators.liteRounding?.(graph) ?? graph), (body) =>
      foldConstants(inferTypes(body, operators), operators),
    );
    const typed = inferReshaped(started, operators);
    if (typed.batch !== undefined) checkBatch(typed, operators);
    return rewrite(typed, names, operators);
  });
}

/** int4 constants and legacy uint8 as int8, in the graph and in those that its nodes run. */
export const asInt8 = (graph: Graph): Graph => mapBodies(makeSigned(unpackNibbles(setRows(graph))), asInt8);

/** The passes over a graph with its types, and over the graphs that its nodes run. */
function rewrite(graph: Graph, names: readonly string[], operators: Operators): Graph {
  let current = graph;
  verifyStructure(current);
  for (const name of PASS_NAMES) {
    if (!names.includes(name)) continue;
    const next = PASSES[name](current, operators);
    if (next !== current) verify(next, operators, current);
    current = next;
  }
  return mapBodies(current, (body) => rewrite(body, names, operators));
}
