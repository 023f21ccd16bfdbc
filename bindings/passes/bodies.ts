/** Graphs inside of nodes: types and constants go into them, starts of variables come out of them. */
import { Pint8Error } from "../errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId, withBodies } from "../graph.ts";
import type { Tensor } from "../tensor.ts";

/** A node with graphs that know the types of their inputs. */
interface Specialised {
  readonly node: AnyNode;
  /** Outputs that are no longer the node's, because they are constants. */
  readonly constants: ReadonlyMap<TensorId, Tensor>;
}

const isConstant = (tensor: Tensor | undefined) => tensor?.data !== undefined && !tensor.variable;

/**
 * Gives the graphs that a node runs the types of its inputs and infers the rest. Constants that stay what they are go into
 * them, for operators that need them constant, and are no inputs any more.
 */
export function specialise(node: AnyNode, tensors: readonly Tensor[], infer: (graph: Graph) => Graph): Specialised {
  const bodies = bodiesOf(node);
  return bodies.length === 0 ? { node, constants: new Map() } : specialiseBodies(node, bodies, tensors, infer);
}

function specialiseBodies(
  node: AnyNode,
  bodies: readonly Graph[],
  tensors: readonly Tensor[],
  infer: (graph: Graph) => Graph,
): Specialised {
  const unchanged = { node, constants: new Map<TensorId, Tensor>() };
  // What a condition is does not go into the branches.
  const first = node.kind === "if" ? 1 : 0;
  const given = node.inputs.slice(first).map((id) => tensors[id] as Tensor);
  const next = node.kind === "while" ? bodies[1] : undefined;
  const stays = (i: number) => next === undefined || next.outputs[i]?.tensor === next.inputs[i]?.tensor;
  const inside = given.map((tensor, i) => isConstant(tensor) && stays(i));

  const specialised = bodies.map((body) => {
    if (body.inputs.length !== given.length) return body;
    const own = [...body.tensors];
    for (const [i, { tensor: id }] of body.inputs.entries()) {
      const { dtype, shape, data } = given[i] as Tensor;
      own[id] = { ...(own[id] as Tensor), dtype, shape, ...(inside[i] && data !== undefined ? { data } : {}) };
    }
    return infer({ ...body, tensors: own, inputs: body.inputs.filter((_, i) => !inside[i]) });
  });
  const inputs = node.inputs.filter((_, i) => !inside[i - first]);
  if (next === undefined) return { ...unchanged, node: withBodies({ ...node, inputs }, specialised) };

  const [condition, body] = specialised as [Graph, Graph];
  const constants = new Map<TensorId, Tensor>();
  for (const [i, id] of node.outputs.entries()) if (inside[i]) constants.set(id, given[i] as Tensor);
  const outputs = node.outputs.filter((_, i) => !inside[i]);
  const shorter = { ...body, outputs: body.outputs.filter((_, i) => !inside[i]) };
  return { node: withBodies({ ...node, inputs, outputs }, [condition, shorter]), constants };
}

/** Every graph that nodes run, changed, to any depth; the same graph where there is none. */
export function mapBodies(graph: Graph, change: (body: Graph) => Graph): Graph {
  if (graph.nodes.every((node) => bodiesOf(node).length === 0)) return graph;
  const nodes = graph.nodes.map((node) => {
    const bodies = bodiesOf(node);
    return bodies.length === 0 ? node : withBodies(node, bodies.map(change));
  });
  return { ...graph, nodes };
}

/** Whether running the graph changes a variable, or depends on one. */
export function touchesState(graph: Graph, node: AnyNode): boolean {
  return (
    [...node.inputs, ...node.outputs].some((id) => id !== NONE && graph.tensors[id]?.variable === true) ||
    bodiesOf(node).some((body) => body.nodes.some((inner) => touchesState(body, inner)))
  );
}

/**
 * Runs what is done once, here, and gives every variable its start; a CALL_ONCE is gone then. `compute` infers a graph and
 * computes all that is constant.
 *
 * Errors: UNSUPPORTED where a start is not a constant.
 */
export function initialise(graph: Graph, compute: (graph: Graph) => Graph): Graph {
  const starts = new Map<string, Uint8Array>();
  const collect = (from: Graph): Graph => {
    for (const node of from.nodes) {
      if (node.kind !== "callOnce") continue;
      for (const body of bodiesOf(node)) startsOf(collect(compute(body)), starts);
    }
    const left = from.nodes.filter(({ kind }) => kind !== "callOnce");
    return mapBodies(left.length === from.nodes.length ? from : { ...from, nodes: left }, collect);
  };
  const place = (into: Graph): Graph => {
    const started = (tensor: Tensor): Tensor => {
      const data = tensor.resource === undefined ? undefined : starts.get(tensor.resource);
      return data === undefined ? tensor : { ...tensor, data };
    };
    return mapBodies({ ...into, tensors: into.tensors.map(started) }, place);
  };
  const stripped = collect(graph);
  return stripped === graph ? graph : place(stripped);
}

function startsOf(body: Graph, starts: Map<string, Uint8Array>): void {
  for (const node of body.nodes) {
    const [variable, value] = node.inputs.map((id) => body.tensors[id]);
    if (node.kind !== "assignVariable" || variable?.resource === undefined || !isConstant(value))
      throw new Pint8Error("UNSUPPORTED", {
        where: node.where,
        expected: "variables that start as constants",
        received: `a start that ${node.kind === "assignVariable" ? "is computed" : `needs ${node.kind}`}`,
      });
    starts.set(variable.resource, value?.data as Uint8Array);
  }
}
