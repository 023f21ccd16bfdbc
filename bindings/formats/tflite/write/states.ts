/** Variables as a file has them, and what they start with. */
import { ensure } from "../../../errors.ts";
import { type AnyNode, type Graph, type TensorId, withBodies } from "../../../graph.ts";
import { BITS, floatsOf, type Tensor } from "../../../tensor.ts";
import { shorten } from "../../text.ts";
import { STATED } from "../state.ts";
import { halves } from "./halves.ts";

/**
 * The reverse of reading state: operators keep their own, variables with a handle are given their start by what is called once, and a start of another
 * is a float16 constant that is dequantized.
 *
 * Errors: UNSUPPORTED for a start of values between those of float16, of a variable without a handle.
 */
export function takeStates(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = graph.nodes.map((node) =>
    STATED.includes(node.kind) ? { ...node, inputs: node.inputs.slice(0, -1) } : node,
  );
  const begun = new Set<string>();
  for (const [id, tensor] of graph.tensors.entries()) {
    if (!tensor.variable || tensor.data === undefined || BITS[tensor.dtype] === 0) continue;
    const { data, ...type } = tensor;
    tensors[id] = type;
    const { resource } = tensor;
    if (resource === undefined) nodes.unshift(dequantizedStart(tensor, data, id as TensorId, tensors));
    else if (!begun.has(resource)) nodes.unshift(start(type, data));
    if (resource !== undefined) begun.add(resource);
  }
  return { ...graph, tensors, nodes };
}

function dequantizedStart(tensor: Tensor, data: Uint8Array, id: TensorId, tensors: Tensor[]): AnyNode {
  const { name, shape } = tensor;
  const half: Tensor = { name: `${name}/start`, dtype: "float16", shape, data: halvesOf(data, name) };
  const inputs = [(tensors.push(half) - 1) as TensorId];
  return { kind: "dequantize", where: `variable "${shorten(name)}"`, attributes: {}, inputs, outputs: [id] };
}

/** CALL_ONCE of a graph that assigns the start. */
function start(variable: Tensor, data: Uint8Array): AnyNode {
  const { variable: _, resource: _resource, ...type } = variable;
  const where = `variable "${shorten(variable.name)}"`;
  const constant = { ...type, name: `${variable.name}/start`, data };
  const inputs = [0, 1] as readonly number[] as readonly TensorId[];
  const assign: AnyNode = { kind: "assignVariable", where, attributes: {}, inputs, outputs: [] };
  const body = {
    name: "start",
    tensors: [variable, constant],
    nodes: [assign],
    inputs: [],
    outputs: [],
    subgraphs: [],
  };
  const once = { kind: "callOnce", where, inputs: [], outputs: [], attributes: { subgraphs: [], bodies: [] } };
  return withBodies(once as AnyNode, [body]);
}

function halvesOf(data: Uint8Array, name: string): Uint8Array {
  const bits = halves(floatsOf({ data }));
  ensure(bits !== undefined, "UNSUPPORTED", () => ({
    where: `variable "${shorten(name)}"`,
    expected: "a start of float16 values",
    received: "values between them",
  }));
  return bits;
}
