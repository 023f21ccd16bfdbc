/** Subgraphs → one graph whose nodes hold the graphs that they run, with variables in place of handles. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Graph, Node, Port, TensorId } from "../../graph.ts";
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

/** A subgraph while its nodes are linked. */
interface Linking {
  readonly linker: Linker;
  /** The node that runs it, for messages. */
  readonly where: string;
  /** The subgraphs that are being linked, this one last. */
  readonly stack: readonly number[];
  readonly tensors: Tensor[];
  readonly nodes: AnyNode[];
  readonly handles: Map<TensorId, string>;
  /** The tensors of variables, by key. */
  readonly variables: Map<string, TensorId>;
  /** What stands in place of a tensor that a call would have written. */
  readonly renamed: Map<TensorId, TensorId>;
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

function link(linker: Linker, index: number, where: string, given: Handles, above: readonly number[]): Graph {
  const graph = subgraphOf(linker, index, where, above);
  const linking: Linking = {
    linker,
    where,
    stack: [...above, index],
    tensors: [...graph.tensors],
    nodes: [],
    handles: new Map(given),
    variables: new Map(),
    renamed: new Map(),
  };
  const { tensors, nodes, handles, renamed } = linking;
  const now = (id: TensorId) => renamed.get(id) ?? id;
  for (const node of graph.nodes) addNode(linking, { ...node, inputs: node.inputs.map(now) } as AnyNode);
  const values = (list: readonly Port[]) =>
    list.filter(({ tensor }) => !handles.has(tensor)).map((port) => ({ ...port, tensor: now(port.tensor) }));
  return { ...graph, tensors, nodes, inputs: values(graph.inputs), outputs: values(graph.outputs), subgraphs: [] };
}

const invalid = (where: string, expected: string, received: string) =>
  new Pint8Error("INVALID_MODEL", { where, expected, received });

/** The subgraph as it was read, counted; errors where it is not there, runs itself or is one too many. */
function subgraphOf(linker: Linker, index: number, where: string, above: readonly number[]): Graph {
  const found = linker.read[index];
  if (found === undefined) throw invalid(where, `a subgraph below ${linker.read.length}`, `subgraph ${index}`);
  if (found instanceof Pint8Error) throw found;
  linker.nodes += found.nodes.length;
  ensure(!above.includes(index) && above.length < MAX_DEPTH && linker.nodes <= MAX_NODES, "UNSUPPORTED", () => ({
    where,
    expected: `subgraphs that do not run themselves, at most ${MAX_DEPTH} deep and with ${MAX_NODES} operators in all`,
    received: above.includes(index) ? `subgraph ${index}, which runs itself` : "more",
  }));
  return found;
}

/** A node whose inputs are those of the linked graph: with its graphs and variables, or what stands in its place. */
function addNode(linking: Linking, node: AnyNode): void {
  const { nodes, handles } = linking;
  const { where, inputs, outputs } = node;
  const isValue = (id: TensorId) => !handles.has(id);
  switch (node.kind) {
    case "varHandle":
      handles.set(outputs[0] as TensorId, node.attributes.key);
      break;
    case "readVariable":
      nodes.push({ ...node, inputs: [variableOf(linking, inputs[0], where)] });
      break;
    case "assignVariable":
      nodes.push({ ...node, inputs: [variableOf(linking, inputs[0], where), ...inputs.slice(1)], outputs: [] });
      break;
    case "callOnce": {
      const bodies = node.attributes.subgraphs.map((number) => bodyOf(linking, number, where, []));
      nodes.push({ ...node, attributes: { ...node.attributes, bodies } });
      break;
    }
    case "if": {
      const bodies = node.attributes.subgraphs.map((number) => bodyOf(linking, number, where, inputs.slice(1)));
      nodes.push({ ...node, inputs: inputs.filter(isValue), attributes: { ...node.attributes, bodies } });
      break;
    }
    case "while": {
      const bodies = node.attributes.subgraphs.map((number) => bodyOf(linking, number, where, inputs));
      const state = outputs.filter((_, i) => isValue(inputs[i] as TensorId));
      for (const [i, id] of outputs.entries()) {
        const key = handles.get(inputs[i] as TensorId);
        if (key !== undefined) handles.set(id, key);
      }
      const attributes = { ...node.attributes, bodies };
      nodes.push({ ...node, inputs: inputs.filter(isValue), outputs: state, attributes });
      break;
    }
    case "scatter":
    case "reduceWindow":
      addWindowed(linking, node);
      break;
    case "call":
      addCalled(
        linking,
        bodyOf(linking, node.attributes.subgraphs[0] ?? -1, where, inputs),
        inputs.filter(isValue),
        outputs,
      );
      break;
    default:
      nodes.push(node);
  }
}

/** The tensor of the variable that a handle names. */
function variableOf({ linker, handles, variables, tensors }: Linking, handle: TensorId | undefined, where: string) {
  const key = handles.get(handle as TensorId) ?? "";
  const tensor = linker.variables.get(key);
  ensure(tensor !== undefined, "INVALID_MODEL", () => ({
    where,
    expected: "the handle of a variable",
    received: key === "" ? "another tensor" : `"${key}", which nothing reads or writes`,
  }));
  const known = variables.get(key);
  if (known !== undefined) return known;
  const id = (tensors.push(tensor) - 1) as TensorId;
  variables.set(key, id);
  return id;
}

/** The graph that a node runs on `inputs`; handles go in by themselves. */
function bodyOf(linking: Linking, index: number, where: string, inputs: readonly TensorId[]): Graph {
  const { linker, handles, stack } = linking;
  const target = linker.read[index];
  const inside = new Map<TensorId, string>();
  if (target !== undefined && !(target instanceof Pint8Error)) {
    ensure(target.inputs.length === inputs.length, "INVALID_MODEL", () => ({
      where,
      expected: `${target.inputs.length} inputs for subgraph ${index}`,
      received: `${inputs.length}`,
    }));
    for (const [i, { tensor }] of target.inputs.entries()) {
      const key = handles.get(inputs[i] as TensorId);
      if (key !== undefined) inside.set(tensor, key);
    }
  }
  return link(linker, index, where, inside, stack);
}

/** Windows under an operator as slices. Its graph has inputs of its own: nothing of this one goes in by itself. */
function addWindowed({ linker, nodes, tensors, stack }: Linking, node: Node<"scatter"> | Node<"reduceWindow">): void {
  const [index = -1] = node.attributes.subgraphs;
  const own = index < 0 ? undefined : link(linker, index, node.where, new Map(), stack);
  nodes.push(...(node.kind === "scatter" ? scattered(node, own, tensors) : windowed(node, own, tensors)));
}

/** Puts a graph in place of a node that calls it. */
function addCalled(linking: Linking, called: Graph, inputs: readonly TensorId[], outputs: readonly TensorId[]): void {
  const { tensors, nodes, variables, renamed, where } = linking;
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
    if (port === undefined)
      throw invalid(where, `${outputs.length} outputs of what is called`, `${called.outputs.length}`);
    renamed.set(id, moved(port.tensor));
  }
}
