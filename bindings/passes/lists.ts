/** Loops that set one row of a list at a time, as converters write them. */
import type { AnyNode, Graph, Node, TensorId } from "../graph.ts";
import type { Tensor } from "../tensor.ts";
import { dropDead } from "./fold.ts";

/**
 * `CONCATENATION(SLICE(list, 0, [i, −1…]), row, SLICE(list, [i + 1, 0…], [−1…]))`, whose slices have computed lengths, becomes
 * `DYNAMIC_UPDATE_SLICE(list, row, [i, 0…])`: the row at i replaced, everything of a known length.
 */
export function setRows(graph: Graph): Graph {
  return graph.nodes.some(mayJoin) ? setRowsOf(graph) : graph;
}

/** Three parts along the first axis. */
const mayJoin = (node: AnyNode) => node.kind === "concat" && node.inputs.length === 3 && node.attributes.axis === 0;

function setRowsOf(graph: Graph): Graph {
  const writers = new Map<TensorId, AnyNode>();
  for (const node of graph.nodes) for (const id of node.outputs) writers.set(id, node);
  const tensors: Tensor[] = [...graph.tensors];
  const nodes = graph.nodes.flatMap((node): readonly AnyNode[] => {
    const found = node.kind === "concat" ? match(node, graph.tensors, writers) : undefined;
    if (found === undefined) return [node];
    const { join } = found;
    const start = join
      ? ((tensors.push({ name: "start", dtype: "int32", shape: join.shape }) - 1) as TensorId)
      : found.index;
    const joined = join && {
      ...join.like,
      where: `${node.where}, start`,
      inputs: [found.index, join.others],
      outputs: [start],
    };
    const set: Node<"dynamicUpdateSlice"> = {
      kind: "dynamicUpdateSlice",
      where: node.where,
      inputs: [found.list, found.row, start],
      outputs: node.outputs,
      attributes: {},
    };
    return joined ? [joined, set] : [set];
  });
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : dropDead({ ...graph, tensors, nodes });
}

interface Found {
  readonly list: TensorId;
  readonly row: TensorId;
  /** `[i]`. */
  readonly index: TensorId;
  /** Of rows that are no scalars: a concatenation to copy, the zeros that follow i, and the shape of both together. */
  readonly join?: { readonly like: Node<"concat">; readonly others: TensorId; readonly shape: readonly number[] };
}

function match(
  { inputs, attributes }: Node<"concat">,
  tensors: readonly Tensor[],
  writers: ReadonlyMap<TensorId, AnyNode>,
): Found | undefined {
  const [before, row, after] = inputs;
  if (inputs.length !== 3 || attributes.axis !== 0 || row === undefined || tensors[row]?.shape[0] !== 1)
    return undefined;
  const writer = <K extends AnyNode["kind"]>(id: TensorId | undefined, kind: K) => {
    const node = writers.get(id as TensorId);
    return node?.kind === kind ? (node as Extract<AnyNode, { kind: K }>) : undefined;
  };
  const all = (id: TensorId | undefined, value: number) => {
    const { dtype, data } = tensors[id as number] ?? {};
    if (dtype !== "int32" || data === undefined) return false;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return Array.from({ length: data.length >> 2 }, (_, i) => view.getInt32(i * 4, true)).every(
      (each) => each === value,
    );
  };
  const [first, last] = [writer(before, "slice"), writer(after, "slice")];
  const [list, zeros, length] = first?.inputs ?? [];
  const [same, begin, rest] = last?.inputs ?? [];
  if (list === undefined || same !== list || !all(zeros, 0) || !all(rest, -1)) return undefined;
  const isVector = tensors[row]?.shape.length === 1;
  const [size, from] = [writer(length, "concat"), writer(begin, "concat")];
  const [index, open] = isVector ? [length] : (size?.inputs ?? []);
  const [next, others] = isVector ? [begin] : (from?.inputs ?? []);
  const joins = all(open, -1) && all(others, 0) && size?.inputs.length === 2 && from?.inputs.length === 2;
  if (!joins && !isVector) return undefined;
  const i = writer(index, "reshape")?.inputs[0];
  const sum = writer(writer(next, "reshape")?.inputs[0], "add");
  const [a, b] = sum?.inputs ?? [];
  const counts = i !== undefined && ((a === i && all(b, 1)) || (b === i && all(a, 1)));
  if (!counts || index === undefined) return undefined;
  if (isVector || others === undefined || from === undefined) return { list, row, index };
  return { list, row, index, join: { like: from, others, shape: [1 + (tensors[others]?.shape[0] ?? 0)] } };
}
