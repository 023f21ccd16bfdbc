/** Graphs as a file states them: one list of subgraphs, no paddings of the graph's own, handles in place of variables. */
import { Pint8Error } from "../../../errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE, type Port, type TensorId } from "../../../graph.ts";
import { dimensions, type Tensor } from "../../../tensor.ts";
import { spelled, whole } from "../../spelled.ts";
import { shorten } from "../../text.ts";
import { accepted } from "./accepted.ts";
import { halves } from "./halves.ts";
import { withLoops } from "./loops.ts";
import { type WrittenOperator, writtenOperator } from "./options.ts";
import { takePadding } from "./padding.ts";
import { signed } from "./signed.ts";
import { takeStates } from "./states.ts";

/** An operator of a file. */
export interface FileOperator extends WrittenOperator {
  readonly node: AnyNode;
  /** Tensors that have a type alone. */
  readonly intermediates?: readonly number[];
}

export interface FileSubgraph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly FileOperator[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Constants to store sparse. */
  readonly sparse: ReadonlySet<Tensor>;
  /** The tensors that hold the scales of constants that are quantized by blocks. */
  readonly scales: ReadonlyMap<Tensor, number>;
}

/** A graph with what its nodes run still inside, on its way. */
interface Draft {
  readonly graph: Graph;
  readonly operators: { readonly node: AnyNode; readonly subgraphs: readonly number[] }[];
}

/** Constants worth storing sparse: their bytes shrink. */
type Sparser = (tensor: Tensor) => boolean;

/** Operators that TensorFlow Lite spells with others. */
const LACKING = ["layerNorm", "erf", "lookup", "scatterUpdate", "nonZero", "prefix"] as const;

/** Element types that TensorFlow Lite makes dense again. */
const DENSIFIED = ["float32", "float16", "int8"];

/**
 * The subgraphs of a file, the given graphs first and in order, then those that nodes run.
 *
 * Errors: UNSUPPORTED with all nodes that TensorFlow Lite has no form for.
 */
export function fileSubgraphs(graphs: readonly Graph[], isSparse: Sparser): readonly FileSubgraph[] {
  const drafts: Draft[] = [];
  const queue: Graph[] = [...graphs];
  for (let at = 0; at < queue.length; at++) {
    const graph = takePadding(accepted(spelled(signed(takeStates(withLoops(queue[at] as Graph))), LACKING)));
    const operators = graph.nodes.map((node) => ({
      node,
      subgraphs: bodiesOf(node).map((body) => queue.push(body) - 1),
    }));
    drafts.push({ graph, operators });
  }
  const missing: { readonly where: string; readonly kind: string }[] = [];
  const done = drafts.map((draft) => finish(draft, isSparse, missing));
  if (missing.length > 0) refuse(missing);
  return done;
}

function refuse(missing: readonly { readonly where: string; readonly kind: string }[]): never {
  const counts = new Map<string, number>();
  for (const { kind } of missing) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  throw new Pint8Error("UNSUPPORTED", {
    where: missing[0]?.where ?? "graph",
    expected: "operators that TensorFlow Lite has",
    received: [...counts].map(([kind, count]) => `${kind} (${count}×)`).join(", "),
    hint: "Leave these parts out of the model, or write .onnx.",
  });
}

/** Variables as handles, sparse constants behind DENSIFY, and only the tensors that are left in use. */
function finish(
  { graph, operators }: Draft,
  isSparse: Sparser,
  missing: { where: string; kind: string }[],
): FileSubgraph {
  const tensors: Tensor[] = [...graph.tensors];
  const sparse = new Set<Tensor>();
  const made: { node: AnyNode; subgraphs: readonly number[] }[] = [];
  for (const [id, tensor] of graph.tensors.entries()) {
    if (tensor.resource !== undefined) made.push(handle(graph, id as TensorId, tensors));
  }
  const dense = new Map<TensorId, TensorId>();
  const densified = (id: TensorId, node: AnyNode): TensorId => {
    const tensor = tensors[id];
    if (tensor?.data === undefined || !DENSIFIED.includes(tensor.dtype)) return id;
    if (node.kind === "densify") sparse.add(tensor);
    if (node.kind === "densify" || !isSparse(tensor)) return id;
    const known = dense.get(id);
    if (known !== undefined) return known;
    // The scales stand at the dense one, where they count.
    const { data: _data, ...type } = tensor;
    const { quantization: _quantization, ...stored } = tensor;
    tensors[id] = { ...stored, name: `${tensor.name}/sparse` };
    sparse.add(tensors[id] as Tensor);
    const output = (tensors.push(type) - 1) as TensorId;
    dense.set(id, output);
    made.push({
      node: { kind: "densify", where: node.where, inputs: [id], outputs: [output], attributes: {} },
      subgraphs: [],
    });
    return output;
  };
  const rest = operators.map(({ node, subgraphs }) => ({
    node: { ...node, inputs: node.inputs.map((id) => densified(id, node)) } as AnyNode,
    subgraphs,
  }));
  const found: FileOperator[] = [];
  for (const { node, subgraphs } of [...made, ...rest]) {
    const written = whole(node, () => writtenOperator(node, tensors, subgraphs));
    if (written === undefined) missing.push(node);
    else found.push({ ...written, node });
  }
  return compact({ ...graph, tensors, operators: found, sparse });
}

/** VAR_HANDLE for a variable, whose place the handle takes. */
function handle(graph: Graph, id: TensorId, tensors: Tensor[]): { node: AnyNode; subgraphs: readonly number[] } {
  const key = graph.tensors[id]?.resource ?? "";
  tensors[id] = { name: key, dtype: "resource", shape: [1] };
  return {
    node: { kind: "varHandle", where: `variable "${shorten(key)}"`, inputs: [], outputs: [id], attributes: { key } },
    subgraphs: [],
  };
}

function compact(subgraph: Omit<FileSubgraph, "scales">): FileSubgraph {
  const { operators, tensors, inputs, outputs } = subgraph;
  const used = new Set<number>([...inputs, ...outputs].map(({ tensor }) => tensor));
  // A handle that nothing uses is no variable of this subgraph.
  const kept = operators.filter(
    ({ node }) =>
      node.kind !== "varHandle" ||
      operators.some(({ node: { inputs: read } }) => read.includes(node.outputs[0] as TensorId)),
  );
  for (const { node } of kept) for (const id of [...node.inputs, ...node.outputs]) used.add(id);
  const ids = new Map<number, TensorId>();
  const list = tensors.filter((_, id) => {
    if (used.has(id)) ids.set(id, ids.size as TensorId);
    return used.has(id);
  });
  const scales = new Map<Tensor, number>();
  for (const tensor of [...list]) {
    const { scale, block } = tensor.quantization ?? {};
    if (scale === undefined || block === undefined) continue;
    scales.set(tensor, list.length);
    list.push(scalesOf(tensor, scale, block));
  }
  const now = (id: TensorId) => (id === NONE ? NONE : (ids.get(id) as TensorId));
  const port = ({ name, tensor }: Port) => ({ name, tensor: now(tensor) });
  return {
    name: subgraph.name,
    sparse: subgraph.sparse,
    scales,
    tensors: list,
    operators: kept.map((operator) => {
      const node = { ...operator.node, inputs: operator.node.inputs.map(now), outputs: operator.node.outputs.map(now) };
      return { ...operator, node: node as AnyNode, intermediates: intermediates(node as AnyNode, list) };
    }),
    inputs: inputs.map(port),
    outputs: outputs.map(port),
  };
}

/** Puts tensors with the scales of an operator's insides into the list: int16 gates, and an int8 output. */
function intermediates(node: AnyNode, list: Tensor[]): readonly number[] {
  if (node.kind !== "lstm") return [];
  return (node.attributes.intermediates ?? []).map(({ scale, zeroPoint }, i) => {
    const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
    return list.push({ name: "", dtype: i < 4 ? "int16" : "int8", shape: [], quantization }) - 1;
  });
}

/** Scales of blocks as a tensor `[rows, blocks]`: float16 where that holds them. */
function scalesOf({ name, shape }: Tensor, scale: readonly number[], block: number): Tensor {
  const values = Float32Array.from(scale);
  const bits = halves(values);
  const [rows, columns] = dimensions(shape, 2);
  const sizes = [rows, columns / block];
  const data = bits ?? new Uint8Array(values.buffer);
  return { name: `${name}/scales`, dtype: bits === undefined ? "float32" : "float16", shape: sizes, data };
}
