import type { AnyNode, Graph, TensorId } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { Operators } from "../ops/types.ts";
import type { Tensor } from "../tensor.ts";
import { countReaders } from "./view.ts";

/** What a tensor is of another one, element by element: its bytes for all 256 bytes of that. */
interface OfBytes {
  readonly source: TensorId;
  bytes(): Uint8Array;
}

const ALL = Uint8Array.from({ length: 256 }, (_, i) => i);
/** int8 in the order of its values. */
const MIDDLE = 0x80;

const isByte = ({ dtype }: Tensor) => dtype === "int8" || dtype === "uint8";

/**
 * One table in place of several functions of the same tensor of bytes: x · sigmoid(x), x · relu6(x + 3) / 6, a rectifier
 * and what rescales it. Where a step of a chain is read by others too, the chain stays.
 *
 *     LOGISTIC x → s, MUL x, s → y     becomes     lookup x → y
 */
export function tabulate(graph: Graph, operators: Operators): Graph {
  const readers = countReaders(graph);
  const found = new Map<TensorId, OfBytes>();
  const nodes = graph.nodes.map((node): AnyNode => {
    const own = functionOf(graph, operators, node, found);
    const [y] = node.outputs as readonly [TensorId];
    if (own === undefined) return node;
    found.set(y, own);
    const steps = node.inputs.filter((id) => graph.tensors[id]?.data === undefined);
    const isChain = steps.length === 1 && steps[0] !== own.source && readers[steps[0] as TensorId] === 1;
    if (steps.length === 1 && !isChain) return node;
    const [from, to] = [own.source, y].map((id) => (graph.tensors[id]?.dtype === "int8" ? MIDDLE : 0)) as [
      number,
      number,
    ];
    const bytes = own.bytes();
    const table = bytes.map((_, i) => (bytes[i ^ from] as number) ^ to);
    return { kind: "lookup", where: node.where, inputs: [own.source], outputs: [y], attributes: { table } };
  });
  return found.size < 2 ? graph : { ...graph, nodes };
}

/** What a node computes of one tensor, through nodes before it; undefined where it looks at more. */
function functionOf(
  { tensors }: Graph,
  operators: Operators,
  node: AnyNode,
  found: ReadonlyMap<TensorId, OfBytes>,
): OfBytes | undefined {
  const { operator, view } = bind(operators, node, tensors);
  const [y] = view.outputs;
  const given = view.inputs as readonly Tensor[];
  if (operator.bytes === undefined || y === undefined || ![y, ...given].every((tensor) => tensor && isByte(tensor)))
    return undefined;
  const steps = node.inputs.map((id): OfBytes => {
    const { data } = tensors[id] as Tensor;
    if (data !== undefined) return { source: id, bytes: () => ALL.map(() => data[0] as number) };
    return found.get(id) ?? { source: id, bytes: () => ALL };
  });
  const sources = steps.map(({ source }) => source).filter((_, i) => given[i]?.data === undefined);
  const [source] = sources;
  const x = source === undefined ? undefined : (tensors[source] as Tensor);
  const isOne = ({ data, shape }: Tensor) => data === undefined || shape.every((size) => size === 1);
  if (source === undefined || !x || x.variable || x.length !== undefined || `${x.shape}` !== `${y.shape}`)
    return undefined;
  if (!sources.every((id) => id === source) || !given.every((tensor) => isOne(tensor) && !tensor.variable))
    return undefined;
  const { bytes } = operator;
  return {
    source,
    bytes: () =>
      bytes(
        view,
        steps.map((step) => step.bytes()),
      ),
  };
}
