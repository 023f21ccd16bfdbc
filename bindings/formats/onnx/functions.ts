/** Calls of a model's own functions, replaced by their bodies. */
import { ensure } from "../../errors.ts";
import { shorten } from "../text.ts";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from "./messages.ts";

/** Functions may call functions; nodes that this may make in all. */
const MOST_NODES = 1 << 18;
const MOST_NESTED = 32;

/** The graph without calls of these functions. Names inside of a call get a prefix of their own. */
export function inlineFunctions(graph: GraphProto, functions: readonly FunctionProto[]): GraphProto {
  if (functions.length === 0) return graph;
  const byKey = new Map(functions.map((each) => [`${each.domain}\0${each.name}`, each]));
  let calls = 0;
  let made = 0;

  const expandGraph = (inner: GraphProto, depth: number): GraphProto => ({
    ...inner,
    nodes: inner.nodes.flatMap((node) => expand(node, depth)),
  });
  const expand = (node: NodeProto, depth: number): readonly NodeProto[] => {
    const body = byKey.get(`${node.domain}\0${node.operator}`);
    const where = `function "${shorten(node.operator)}"`;
    ensure(depth <= MOST_NESTED && ++made <= MOST_NODES, "INVALID_MODEL", () => ({
      where,
      expected: `functions that call each other at most ${MOST_NESTED} deep and make ${MOST_NODES} nodes`,
      received: "more",
    }));
    if (body === undefined) return [withGraphs(node, (inner) => expandGraph(inner, depth))];
    return call(body, node, `${node.operator}:${calls++}/`).flatMap((each) => expand(each, depth + 1));
  };
  return expandGraph(graph, 0);
}

/** The body with the caller's names for its inputs and outputs, and the caller's attributes. */
function call(body: FunctionProto, node: NodeProto, prefix: string): readonly NodeProto[] {
  const names = new Map<string, string>();
  for (const [i, name] of body.inputs.entries()) names.set(name, node.inputs[i] ?? "");
  for (const [i, name] of body.outputs.entries()) names.set(name, node.outputs[i] || `${prefix}${name}`);
  const rename = (name: string): string => {
    if (name === "") return "";
    const known = names.get(name) ?? `${prefix}${name}`;
    names.set(name, known);
    return known;
  };
  const defaults = new Map(body.defaults.map((each) => [each.name, each]));
  const attributesOf = (each: NodeProto): ReadonlyMap<string, AttributeProto> => {
    const list: [string, AttributeProto][] = [];
    for (const [name, value] of each.attributes) {
      const actual =
        value.reference === "" ? value : (node.attributes.get(value.reference) ?? defaults.get(value.reference));
      if (actual !== undefined) list.push([name, { ...actual, name }]);
    }
    return new Map(list);
  };
  const renamed = (each: NodeProto): NodeProto =>
    withGraphs(
      {
        ...each,
        inputs: each.inputs.map(rename),
        outputs: each.outputs.map(rename),
        attributes: attributesOf(each),
      },
      (inner) => ({
        ...inner,
        nodes: inner.nodes.map(renamed),
        outputs: inner.outputs.map((output) => ({ ...output, name: rename(output.name) })),
        inputs: inner.inputs.map((input) => ({ ...input, name: rename(input.name) })),
        initializers: inner.initializers.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
      }),
    );
  return body.nodes.map(renamed);
}

/** A node whose subgraphs are rewritten. */
function withGraphs(node: NodeProto, rewrite: (graph: GraphProto) => GraphProto): NodeProto {
  if (![...node.attributes.values()].some(({ graph }) => graph !== undefined)) return node;
  const attributes = new Map(
    [...node.attributes].map(([name, value]) => [
      name,
      value.graph ? { ...value, graph: rewrite(value.graph) } : value,
    ]),
  );
  return { ...node, attributes };
}
