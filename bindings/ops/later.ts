/** The operators that a network needs: the rarer ones are loaded when it has one. */
import { type AnyNode, bodiesOf, type Graph } from "../graph.ts";
import { loadLater } from "../later.ts";
import { ordinary } from "./ordinary.ts";
import type { Operators } from "./types.ts";

let provided: Operators | undefined;

/** Says that all operators are here already: none are loaded later. */
export function provide(operators: Operators): void {
  provided = operators;
}

/** The operators of this graph and of those that its nodes run, and perhaps others. Errors: IO where they cannot be loaded. */
export function operatorsFor(graph: Graph): Operators | Promise<Operators> {
  // Passes and lowering ask for the kinds that the graph has, and for ordinary ones.
  return provided ?? (isOrdinary(graph) ? (ordinary as unknown as Operators) : operatorsLater());
}

const isOrdinary = ({ nodes, tensors }: Graph) =>
  nodes.every(
    (node) => Object.hasOwn(ordinary, node.kind) && bodiesOf(node).length === 0 && !isComputedPart(node, tensors),
  );

/** Slices of computed sizes become other operators. */
const isComputedPart = ({ kind, inputs }: AnyNode, tensors: Graph["tensors"]) =>
  (kind === "slice" || kind === "stridedSlice") && inputs.slice(1).some((id) => tensors[id]?.data === undefined);

/** All operators. Errors: IO where they cannot be loaded. */
export async function operatorsLater(): Promise<Operators> {
  if (provided !== undefined) return provided;
  const { rare } = await loadLater("the rarer operators", () => import("./rare.ts"));
  return { ...ordinary, ...rare };
}
