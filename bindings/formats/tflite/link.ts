/** Subgraphs → one graph whose nodes hold the graphs that they run, with variables in place of handles. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Graph, Port, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { scattered } from "./scatters.ts";
import { windowed } from "./windows.ts";

/** A subgraph as it was read, or why it could not be. */
export type Read = Graph | Pint8Error;

/** Deeper nests, and more nodes in all their copies, are refused, so that linking ends. */
const MAX_DEPTH = 16;
const MAX_NODES = 1 << 16;

/** The key of the variable that a tensor of handles stands for. */
type Handles = ReadonlyMap<TensorId, string>;

interface Linker {
  readonly read: readonly Read[];
  /** The type of every variable, by key. */
  readonly variables: Map<string, Tensor>;
  nodes: number;
}

/**
 * Subgraph `index` with everything that it runs: IF, WHILE and CALL_ONCE get graphs of their own, CALL is replaced by what it
 * calls, windows under an operator by slices, and READ_VARIABLE and ASSIGN_VARIABLE name variables, which tensors of one `resource` share between graphs.
 *
 * Errors: INVALID_MODEL where a subgraph or variable is not there, UNSUPPORTED for recursion; what reading a subgraph met.
 */
export function linkSubgraphs(read: readonly Read[], index: number): Graph {
  const linker: Linker = { read, variables: new Map(), nodes: 0 };
  for (const graph of read) if (!(graph instanceof Pint8Error)) findVariables(graph, linker.variables);
  return link(linker, index, "model", new Map(), []);
}

/** Types of variables: of what is assigned, else of what is read. */
function findVariables(graph: Graph, variables: Map<string, Tensor>): void {
  const keys = new Map<TensorId, string>();
  const named = (handle: TensorId | undefined, id: TensorId | undefined, overwrite: boolean) => {
    const key = keys.get(handle as TensorId);
    const tensor = graph.tensors[id as number];
    if (key === undefined || tensor === undefined || (!overwrite && variables.has(key))) return;
    const { dtype, shape, quantization } = tensor;
    variables.set(key, {
      name: key,
      dtype,
      shape,
      ...(quantization && { quantization }),
      variable: true,
      resource: key,
    });
  };
  for (const node of graph.nodes) {
    if (node.kind === "varHandle") keys.set(node.outputs[0] as TensorId, node.attributes.key);
    if (node.kind === "assignVariable") named(node.inputs[0], node.inputs[1], true);
    if (node.kind === "readVariable") named(node.inputs[0], node.outputs[0], false);
  }
}

function link(linker: Linker, index: number, where: string, given: Handles, stack: readonly number[]): Graph {
  const found = linker.read[index];
  const invalid = (expected: string, received: string) =>
    new Pint8Error("INVALID_MODEL", { where, expected, received });
  if (found === undefined) throw invalid(`a subgraph below ${linker.read.length}`, `subgraph ${index}`);
  if (found instanceof Pint8Error) throw found;
  const graph = found;
  linker.nodes += graph.nodes.length;
  ensure(!stack.includes(index) && stack.length < MAX_DEPTH && linker.nodes <= MAX_NODES, "UNSUPPORTED", () => ({
    where,
    expected: `subgraphs that do not run themselves, at most ${MAX_DEPTH} deep and with ${MAX_NODES} operators in all`,
    received: stack.includes(index) ? `subgraph ${index}, which runs itself` : "more",
  }));

  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [];
  const handles = new Map(given);
  const variables = new Map<string, TensorId>();
  /** What stands in place of a tensor that a call would have written. */
  const renamed = new Map<TensorId, TensorId>();
  const now = (id: TensorId) => renamed.get(id) ?? id;

  const variable = (handle: TensorId | undefined, at: string): TensorId => {
    const key = handles.get(handle as TensorId) ?? "";
    const tensor = linker.variables.get(key);
    ensure(tensor !== undefined, "INVALID_MODEL", () => ({
      where: at,
      expected: "the handle of a variable",
      received: key === "" ? "another tensor" : `"${key}", which nothing reads or writes`,
    }));
    const known = variables.get(key);
    if (known !== undefined) return known;
    variables.set(key, tensors.length as TensorId);
    return (tensors.push(tensor) - 1) as TensorId;
  };

  /** The graph that a node runs on `inputs`; handles go in by themselves. */
  const body = (number: number, at: string, inputs: readonly TensorId[]): Graph => {
    const target = linker.read[number];
    const inside = new Map<TensorId, string>();
    if (target !== undefined && !(target instanceof Pint8Error)) {
      ensure(target.inputs.length === inputs.length, "INVALID_MODEL", () => ({
        where: at,
        expected: `${target.inputs.length} inputs for subgraph ${number}`,
        received: `${inputs.length}`,
      }));
      for (const [i, { tensor }] of target.inputs.entries()) {
        const key = handles.get(inputs[i] as TensorId);
        if (key !== undefined) inside.set(tensor, key);
      }
    }
    return link(linker, number, at, inside, [...stack, index]);
  };
  const isValue = (id: TensorId) => !handles.has(id);

  for (const raw of graph.nodes) {
    const node = { ...raw, inputs: raw.inputs.map(now) } as AnyNode;
    const { where: at, inputs, outputs } = node;
    switch (node.kind) {
      case "varHandle":
        handles.set(outputs[0] as TensorId, node.attributes.key);
        break;
      case "readVariable":
        nodes.push({ ...node, inputs: [variable(inputs[0], at)] });
        break;
      case "assignVariable":
        nodes.push({ ...node, inputs: [variable(inputs[0], at), ...inputs.slice(1)], outputs: [] });
        break;
      case "callOnce": {
        const bodies = node.attributes.subgraphs.map((number) => body(number, at, []));
        nodes.push({ ...node, attributes: { ...node.attributes, bodies } });
        break;
      }
      case "if": {
        const bodies = node.attributes.subgraphs.map((number) => body(number, at, inputs.slice(1)));
        nodes.push({ ...node, inputs: inputs.filter(isValue), attributes: { ...node.attributes, bodies } });
        break;
      }
      case "while": {
        const bodies = node.attributes.subgraphs.map((number) => body(number, at, inputs));
        const state = outputs.filter((_, i) => isValue(inputs[i] as TensorId));
        for (const [i, id] of outputs.entries()) {
          const key = handles.get(inputs[i] as TensorId);
          if (key !== undefined) handles.set(id, key);
        }
        nodes.push({
          ...node,
          inputs: inputs.filter(isValue),
          outputs: state,
          attributes: { ...node.attributes, bodies },
        });
        break;
      }
      case "scatter":
      case "reduceWindow": {
        const [number = -1] = node.attributes.subgraphs;
        // a body of its own inputs: nothing of this graph goes in by itself
        const own = number < 0 ? undefined : link(linker, number, at, new Map(), [...stack, index]);
        nodes.push(...(node.kind === "scatter" ? scattered(node, own, tensors) : windowed(node, own, tensors)));
        break;
      }
      case "call": {
        const called = body(node.attributes.subgraphs[0] ?? -1, at, inputs);
        inline(called, inputs.filter(isValue), outputs);
        break;
      }
      default:
        nodes.push(node);
    }
  }

  /** Puts a graph in place of a node that calls it. */
  function inline(called: Graph, inputs: readonly TensorId[], outputs: readonly TensorId[]): void {
    const place = new Map<TensorId, TensorId>(
      called.inputs.map(({ tensor }, i) => [tensor, inputs[i] as TensorId] as const),
    );
    for (const [id, tensor] of called.tensors.entries()) {
      if (place.has(id as TensorId)) continue;
      const known = tensor.resource === undefined ? undefined : variables.get(tensor.resource);
      if (tensor.resource !== undefined && known === undefined)
        variables.set(tensor.resource, tensors.length as TensorId);
      place.set(id as TensorId, known ?? ((tensors.push(tensor) - 1) as TensorId));
    }
    const moved = (id: TensorId) => place.get(id) ?? id;
    for (const inner of called.nodes)
      nodes.push({ ...inner, inputs: inner.inputs.map(moved), outputs: inner.outputs.map(moved) } as AnyNode);
    for (const [i, id] of outputs.entries()) {
      const port = called.outputs[i];
      if (port === undefined) throw invalid(`${outputs.length} outputs of what is called`, `${called.outputs.length}`);
      renamed.set(id, moved(port.tensor));
    }
  }

  const values = (list: readonly Port[]) =>
    list.filter(({ tensor }) => isValue(tensor)).map((port) => ({ ...port, tensor: now(port.tensor) }));
  return { ...graph, tensors, nodes, inputs: values(graph.inputs), outputs: values(graph.outputs), subgraphs: [] };
}
