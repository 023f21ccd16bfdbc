import { type ErrorDetail, ensure } from "../errors.ts";
import { type AnyNode, type Graph, NONE, type TensorId } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import { BITS, byteLength, checkShape, type Tensor, typeText } from "../tensor.ts";

/** More nodes than any real network has; keeps every pass's time bounded. */
const MAX_NODES = 1 << 20;

/**
 * Refuses a graph whose structure is broken:
 *
 * - C1 ids are in range; only a node's inputs may be absent
 * - C2 constants hold exactly the bytes of their type, and nothing writes them
 * - C3 each tensor has one writer: the caller (graph inputs), one node, or its own data
 * - C4 a node reads only what was written before it, so there are no loops
 * - C5 the graph's outputs are written
 * - C6 inputs and outputs have types whose elements have a size
 *
 * Constants that are the very objects of `before`, a graph that was verified, are not looked at again.
 */
export function verifyStructure(graph: Graph, before?: Graph): void {
  const fail = (where: string, expected: string, received: string): ErrorDetail => ({ where, expected, received });
  const { tensors } = graph;
  ensure(graph.nodes.length <= MAX_NODES, "UNSUPPORTED", () =>
    fail("graph", `at most ${MAX_NODES} operators`, `${graph.nodes.length}`),
  );
  const written = new Uint8Array(tensors.length);
  const name = (id: TensorId) => `tensor ${id} "${tensors[id]?.name ?? ""}"`;
  const inRange = (id: TensorId, where: string) =>
    ensure(Number.isInteger(id) && id >= 0 && id < tensors.length, "INVALID_GRAPH", () =>
      fail(where, `a tensor from 0 to ${tensors.length - 1}`, `${id}`),
    );
  const write = (id: TensorId, where: string) => {
    inRange(id, where);
    ensure(written[id] === 0, "INVALID_GRAPH", () => fail(where, `one writer of ${name(id)}`, "a second one"));
    written[id] = 1;
  };

  for (let id = 0; id < tensors.length; id++) {
    const tensor = tensors[id] as Tensor;
    const { data } = tensor;
    if (data !== undefined || tensor.variable) written[id] = 1;
    if (data === undefined || tensor === before?.tensors[id]) continue;
    const where = name(id as TensorId);
    checkShape(tensor.shape, tensor.dtype, where);
    ensure(BITS[tensor.dtype] === 0 || data.length === byteLength(tensor), "INVALID_GRAPH", () =>
      fail(where, `${byteLength(tensor)} bytes for ${typeText(tensor)}`, `${data.length}`),
    );
  }
  for (const port of graph.inputs) {
    write(port.tensor, `input "${port.name}"`);
    checkPort(tensors[port.tensor] as Tensor, `input "${port.name}"`);
  }
  for (const node of graph.nodes) {
    for (const id of node.inputs) {
      if (id === NONE) continue;
      inRange(id, node.where);
      ensure(written[id] === 1, "INVALID_GRAPH", () =>
        fail(node.where, `${name(id)} to be written before it is read`, "no earlier writer"),
      );
    }
    for (const id of node.outputs) write(id, node.where);
  }
  for (const port of graph.outputs) {
    inRange(port.tensor, `output "${port.name}"`);
    ensure(written[port.tensor] === 1, "INVALID_GRAPH", () =>
      fail(`output "${port.name}"`, `${name(port.tensor)} to be written`, "no writer"),
    );
    checkPort(tensors[port.tensor] as Tensor, `output "${port.name}"`);
  }
}

function checkPort(tensor: Tensor, where: string): void {
  checkShape(tensor.shape, tensor.dtype, where);
  ensure(BITS[tensor.dtype] > 0, "UNSUPPORTED", () => ({
    where,
    expected: "elements of a fixed size",
    received: tensor.dtype,
  }));
}

/**
 * Refuses a graph whose recorded types are not what each operator's `infer` says. Nodes and tensors that are the very
 * objects of `before`, a graph that was verified, are not looked at again.
 */
export function verifyTypes(graph: Graph, operators: Operators, before?: Graph): void {
  const known = new Set(before?.nodes);
  const isKnown = (node: AnyNode) =>
    known.has(node) && [...node.inputs, ...node.outputs].every((id) => graph.tensors[id] === before?.tensors[id]);
  for (const node of graph.nodes) {
    if (isKnown(node)) continue;
    const { operator, view } = bind(operators, node, graph.tensors);
    for (const [i, type] of operator.infer(view).entries()) {
      const received = view.outputs[i];
      ensure(
        received !== undefined && received.dtype === type.dtype && `${received.shape}` === `${type.shape}`,
        "INVALID_GRAPH",
        () => ({
          where: `${node.where}, output ${i}`,
          expected: typeText(type),
          received: received === undefined ? "no tensor" : typeText(received),
        }),
      );
    }
  }
}

/** Structure and types, of what differs from `before`. Runs after every pass. */
export function verify(graph: Graph, operators: Operators, before?: Graph): void {
  verifyStructure(graph, before);
  verifyTypes(graph, operators, before);
}
