/** IF and WHILE → If and Loop: nodes whose attributes are graphs. */
import { type AnyNode, bodiesOf, type Graph, type TensorId, withBodies } from "../../../graph.ts";
import type { Tensor } from "../../../tensor.ts";
import { Emitter } from "./emit.ts";
import type { OnnxGraph, OnnxPort } from "./model.ts";
import { reshaped } from "./steps.ts";
import { portOf, written } from "./written.ts";

/** Writes all nodes of an emitter's graph. */
type WriteNodes = (to: Emitter) => void;

/**
 * The graph where lists have the types of what they are made of, in loops too: importers leave them lists there, since loops are given their types by
 * passes.
 */
export function withTypes(graph: Graph): Graph {
  const tensors = [...graph.tensors];
  const take = (all: Tensor[], id: TensorId, from: Tensor | undefined) => {
    const { dtype, name } = all[id] ?? {};
    if (dtype === "variant" && from !== undefined) all[id] = { name: name ?? "", dtype: from.dtype, shape: from.shape };
  };
  const nodes = graph.nodes.map((node) => {
    if (node.kind !== "while") return node;
    const given = node.inputs.map((id) => tensors[id]);
    for (const [i, id] of node.outputs.entries()) take(tensors, id, given[i]);
    const bodies = bodiesOf(node).map((body) => {
      const own = [...body.tensors];
      for (const [i, { tensor }] of body.inputs.entries()) take(own, tensor, given[i]);
      return { ...body, tensors: own };
    });
    return withBodies(node, bodies);
  });
  return { ...graph, tensors, nodes };
}

/** The names of a graph's outputs, each of which one of the operators gives that are written, and only once. */
function outputsOf(to: Emitter): readonly string[] {
  const made = new Set(to.operators.flatMap(({ outputs }) => outputs));
  return to.graph.outputs.map(({ tensor }) => {
    const name = to.name(tensor);
    return made.delete(name) ? name : to.step("Identity", [name]);
  });
}

const portsOf = (to: Emitter, names: readonly string[]): readonly OnnxPort[] =>
  to.graph.outputs.map(({ tensor }, i) => portOf(to, names[i] as string, tensor));

/** One truth without dimensions, as runtimes ask for. */
const truth = (to: Emitter, name: string, { shape }: Tensor): string =>
  shape.length === 0 ? name : reshaped(to, name, []);

/** A condition's nodes among those of another graph; its inputs have these names. Returns the name of what it says. */
function among(outer: Emitter, graph: Graph, names: readonly string[], write: WriteNodes): string {
  const to = new Emitter(graph, { to: outer, names, isPart: true });
  write(to);
  return truth(to, outputsOf(to)[0] ?? "", to.tensor(graph.outputs[0]?.tensor));
}

/** A graph that reads what is around it. */
function branch(outer: Emitter, graph: Graph, names: readonly string[], write: WriteNodes): OnnxGraph {
  const to = new Emitter(graph, { to: outer, names });
  write(to);
  return written(to, [], portsOf(to, outputsOf(to)));
}

/** The next state of a loop, and whether it goes on from there. */
function turn(outer: Emitter, condition: Graph, body: Graph, write: WriteNodes): OnnxGraph {
  const names = body.inputs.map(({ name }) => outer.fresh(name || "state"));
  const to = new Emitter(body, { to: outer, names });
  write(to);
  const next = outputsOf(to);
  const again = to.step("Identity", [among(to, condition, next, write)]);
  const one = (name: string, dtype: "int64" | "bool"): OnnxPort => ({ name: outer.fresh(name), dtype, shape: [] });
  const state = body.inputs.map(({ tensor }, i) => portOf(to, names[i] as string, tensor));
  return written(
    to,
    [one("turn", "int64"), one("goes", "bool"), ...state],
    [{ name: again, dtype: "bool", shape: [] }, ...portsOf(to, next)],
  );
}

/** Writes a node that runs graphs; undefined for others. */
export function writeControl(node: AnyNode, to: Emitter, write: WriteNodes): boolean | undefined {
  if (node.kind !== "if" && node.kind !== "while") return undefined;
  to.where = node.where;
  const [first, second] = bodiesOf(node) as readonly [Graph?, Graph?];
  if (first === undefined || second === undefined) return false;
  const names = node.inputs.map((id) => to.name(id));
  const outputs = node.outputs.map((id) => to.name(id));
  if (node.kind === "if") {
    const [condition = "", ...given] = names;
    const [yes, no] = [first, second].map((graph) => branch(to, graph, given, write)) as [OnnxGraph, OnnxGraph];
    to.operators.push({
      type: "If",
      inputs: [truth(to, condition, to.tensor(node.inputs[0]))],
      outputs,
      attributes: { then_branch: { graph: yes }, else_branch: { graph: no } },
    });
    return true;
  }
  const goes = among(to, first, names, write);
  const body = { graph: turn(to, first, second, write) };
  to.operators.push({ type: "Loop", inputs: ["", goes, ...names], outputs, attributes: { body } });
  return true;
}
