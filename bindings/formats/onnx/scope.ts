import type { Scope, Shared } from "./convert.ts";
import type { Value } from "./layout.ts";
import type { GraphProto, NodeProto } from "./messages.ts";

/** A scope for a graph's names. */
export function createScope(
  shared: Shared,
  graph: GraphProto,
  outer?: Scope,
  prefix = "",
  isUncertain = outer?.isUncertain ?? false,
): Scope {
  const values = new Map<string, Value>();
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.nodes)
    for (const name of node.inputs) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  const computed = new Set<string>();
  for (const { operator, outputs } of graph.nodes)
    if (operator !== "Constant") for (const name of outputs) computed.add(name);
  const outputs = new Map(graph.outputs.map(({ name, dims }) => [name, dims]));
  return {
    shared,
    prefix,
    isUncertain,
    lookup: (name) => values.get(name) ?? outer?.lookup(name),
    define: (name, value) => values.set(name, value),
    readers: (name) => readers.get(name) ?? [],
    isOutput: (name) => outputs.has(name),
    isComputed: (name) => computed.has(name),
    declared: (name) => outputs.get(name),
  };
}
