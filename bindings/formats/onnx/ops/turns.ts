/** How many turns a loop takes, where that is known beforehand, and whether that is too many to write them out. */
import { byteLength, elementCount } from "../../../tensor.ts";
import { asValue, numbersOf, type OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import type { GraphProto } from "../messages.ts";
import { longs, truth } from "./move.ts";

/** Turns of a loop that gives no number. */
export const ENDLESS = 2 ** 31 - 1;

/** Nodes that a loop may be written out to, and bytes of constants that these may read: beyond them a loop that can run as one does. */
const LONG = 1 << 14;
const HEAVY = 1 << 26;

/** The graph that a node has as an attribute. */
export const graphIn = (n: OnnxNode, name: string): GraphProto =>
  n.attribute(name)?.graph ?? n.refuse(`a graph ${name}`, "none");

/** The number of a value, where it is known when planned. */
export function known(n: OnnxNode, value: Value): number | undefined {
  const tensor = n.b.settled(n.plain(value));
  return tensor.data === undefined ? undefined : numbersOf(tensor)[0];
}

/** Whether a graph gives a value on as it is, by another name. */
export function handsOn({ nodes }: GraphProto, from: string | undefined, to: string | undefined): boolean {
  const same = new Map<string | undefined, string | undefined>();
  for (const { operator, inputs, outputs } of nodes) if (operator === "Identity") same.set(outputs[0], inputs[0]);
  let name = to;
  for (let steps = 0; steps < same.size && name !== from; steps++) name = same.get(name);
  return name !== undefined && name === from;
}

/** Whether written out so many turns of a graph are more than is good. */
export function isLong(n: OnnxNode, { nodes, initializers, inputs: given }: GraphProto, turns: number): boolean {
  const outer = new Map(given.map(({ name }, i) => [name, n.inputs[i]] as const));
  const own = new Map(initializers.map(({ name, dims }) => [name, elementCount(dims)] as const));
  const constant = (name: string): number => {
    const { plain: first, last } = (outer.get(name) ?? n.scope.lookup(name))?.twins ?? {};
    const id = first ?? last;
    return id !== undefined && n.b.isConstant(id) ? byteLength(n.b.tensor(id)) : 0;
  };
  const bytes = nodes
    .flatMap(({ inputs }) => inputs)
    .reduce((sum, name) => sum + 4 * (own.get(name) ?? 0) + constant(name), 0);
  return turns * bytes > HEAVY || turns * nodes.filter(({ operator }) => operator !== "Constant").length > LONG;
}

/** The number of turns, where the counts and constants alone decide it. */
export function turnsOf(n: OnnxNode, graph: GraphProto): number | undefined {
  const most = n.inputs[0] === undefined ? ENDLESS : known(n, n.input(0));
  const goes = n.inputs[1] === undefined ? 1 : known(n, n.input(1));
  if (most === undefined || goes === undefined) return undefined;
  if (most <= ENDLESS && handsOn(graph, graph.inputs[1]?.name, graph.outputs[0]?.name)) return goes === 0 ? 0 : most;
  const { nodes, names } = decidersOf(graph);
  if (nodes.some(({ attributes }) => [...attributes.values()].some((each) => each.graph !== undefined)))
    return undefined;
  const { createScope, convertGraph } = n.scope.shared.inner;
  let state = n.inputs.slice(2).map((_, i): Value | undefined => n.input(i + 2));
  let again: number | undefined = goes;
  let turn = 0;
  for (; again !== 0 && turn < most; turn++) {
    if (again === undefined || turn * nodes.length > LONG) return undefined;
    const scope = createScope(n.scope.shared, { ...graph, nodes }, n.scope, `${n.where}, body, `);
    const counted = [longs(n, [turn], []), truth(n, true)];
    const values = [...counted.map((id) => asValue(n.b, "", id)), ...state];
    for (const [i, { name }] of graph.inputs.entries()) {
      const value = values[i];
      if (value !== undefined && names.has(name)) scope.define(name, value);
    }
    convertGraph({ ...graph, nodes }, scope);
    const [first, ...next] = graph.outputs.map(({ name }) => (names.has(name) ? scope.lookup(name) : undefined));
    again = first && known(n, first);
    state = next;
  }
  return turn;
}

/** The nodes of a loop's body that its condition depends on, in whatever turn, and the names that these read and write. */
function decidersOf(graph: GraphProto): { readonly nodes: GraphProto["nodes"]; readonly names: ReadonlySet<string> } {
  const writers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const states = new Map(graph.inputs.map(({ name }, i) => [name, graph.outputs[i - 1]?.name] as const).slice(2));
  const names = new Set([graph.outputs[0]?.name ?? ""]);
  for (const name of names) {
    for (const input of writers.get(name)?.inputs ?? []) names.add(input);
    const next = states.get(name);
    if (next !== undefined) names.add(next);
  }
  return { nodes: graph.nodes.filter(({ outputs }) => outputs.some((name) => names.has(name))), names };
}
