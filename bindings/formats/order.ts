/** Checks that every tensor has one source, and brings nodes into an order in which they can run. */
import { ensure, Pint8Error } from "../errors.ts";
import type { AnyNode, TensorId } from "../graph.ts";
import { listText, type Tensor } from "../tensor.ts";
import { shorten } from "./text.ts";

/** What stands between tensors: a node, or what is made of several. */
type Ordered = Pick<AnyNode, "where" | "inputs" | "outputs">;

/** Where the value of a tensor comes from: a node by index, or outside of the nodes. */
const OUTSIDE = -1;

/**
 * The nodes in an order in which each runs after those that write its inputs: the given order if it is one already.
 * Refuses tensors with two sources, reads of tensors without one, and loops. Time is linear in nodes and edges.
 */
export function runnableOrder<N extends Ordered>(
  nodes: readonly N[],
  tensors: readonly Tensor[],
  inputs: readonly TensorId[],
  outputs: readonly TensorId[],
): readonly N[] {
  const sources = findSources(nodes, tensors, inputs);
  for (const id of outputs) ensure(sources[id] !== undefined, "INVALID_GRAPH", () => unwritten("outputs", id, tensors));
  const waitsFor = nodes.map((node) => dependencies(node, sources, tensors));
  const inOrder = waitsFor.every((before, index) => before.every((source) => source < index));
  return inOrder ? nodes : sort(nodes, waitsFor);
}

function findSources(
  nodes: readonly Ordered[],
  tensors: readonly Tensor[],
  inputs: readonly TensorId[],
): readonly (number | undefined)[] {
  const sources: (number | undefined)[] = tensors.map(({ data, variable }) =>
    data !== undefined || variable ? OUTSIDE : undefined,
  );
  for (const id of inputs) {
    // A state may be an input as well; a constant may not.
    ensure(sources[id] === undefined || tensors[id]?.variable === true, "INVALID_GRAPH", () =>
      rewritten("inputs", id, tensors),
    );
    sources[id] = OUTSIDE;
  }
  ensure(new Set(inputs).size === inputs.length, "INVALID_GRAPH", () => ({
    where: "inputs",
    expected: "each tensor once",
    received: listText(inputs.slice(0, 20)),
  }));
  for (const [index, { outputs, where }] of nodes.entries())
    for (const id of outputs) {
      ensure(sources[id] === undefined, "INVALID_GRAPH", () => rewritten(where, id, tensors));
      sources[id] = index;
    }
  return sources;
}

/** Indices of the nodes that write this node's inputs. */
function dependencies(
  { inputs, where }: Ordered,
  sources: readonly (number | undefined)[],
  tensors: readonly Tensor[],
): readonly number[] {
  const before: number[] = [];
  for (const id of inputs) {
    if (id < 0) continue;
    const source = sources[id];
    if (source === undefined) throw new Pint8Error("INVALID_GRAPH", unwritten(where, id, tensors));
    if (source !== OUTSIDE) before.push(source);
  }
  return before;
}

/** Kahn's algorithm; nodes that become free at the same time keep their order. */
function sort<N extends Ordered>(nodes: readonly N[], waitsFor: readonly (readonly number[])[]): readonly N[] {
  const pending = waitsFor.map((before) => before.length);
  const readers: number[][] = nodes.map(() => []);
  for (const [index, before] of waitsFor.entries()) for (const source of before) readers[source]?.push(index);
  const order = [...nodes.keys()].filter((index) => pending[index] === 0);
  // The list grows while it is walked.
  for (const index of order)
    for (const reader of readers[index] ?? []) {
      pending[reader] = (pending[reader] as number) - 1;
      if (pending[reader] === 0) order.push(reader);
    }
  const stuck = pending.findIndex((count) => count > 0);
  ensure(stuck === -1, "INVALID_GRAPH", () => ({
    where: nodes[stuck]?.where ?? "graph",
    expected: "a graph without loops",
    received: "a node that waits for its own result",
  }));
  return order.map((index) => nodes[index] as N);
}

function unwritten(where: string, id: number, tensors: readonly Tensor[]) {
  return {
    where,
    expected: "tensors that an input, a constant or a node provides",
    received: describe(id, tensors),
  };
}

function rewritten(where: string, id: number, tensors: readonly Tensor[]) {
  return { where, expected: "tensors that have one source", received: `${describe(id, tensors)}, which has another` };
}

function describe(id: number, tensors: readonly Tensor[]): string {
  return `tensor ${id} "${shorten(tensors[id]?.name ?? "")}"`;
}
