import { type AnyNode, type Graph, NONE, type Node, type Padding, type TensorId, tensorOf } from "../graph.ts";
import { type Tensor, zeroOf } from "../tensor.ts";
import { sameQuantization } from "./view.ts";

/** Rows and columns that a convolution takes over at most, so that those of several stay within what it may have. */
const MAX_FOLDED = 1024;

interface Edges {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Folds a PAD of rows and columns into the convolutions that read it. Only where the padded value is the zero point,
 * which is what a convolution pads with, and the convolution pads nothing of its own or explicit edges.
 *
 *     PAD [0,0] [1,1] [1,1] [0,0] → CONV_2D valid     becomes     CONV_2D {top 1, bottom 1, left 1, right 1}
 */
export function foldPad(graph: Graph): Graph {
  const pads = new Map<TensorId, { readonly x: TensorId; readonly edges: Edges }>();
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind === "pad") {
      const edges = edgesOf(graph, node);
      if (edges !== undefined) pads.set(node.outputs[0] as TensorId, { x: node.inputs[0] as TensorId, edges });
      return node;
    }
    if (node.kind !== "conv2d" && node.kind !== "depthwiseConv2d") return node;
    const pad = pads.get(node.inputs[0] as TensorId);
    if (pad === undefined) return node;
    const padding = join(pad.edges, node.attributes.padding);
    if (padding === undefined) return node;
    return {
      ...node,
      inputs: [pad.x, ...node.inputs.slice(1)],
      attributes: { ...node.attributes, padding },
    };
  });
  return { ...graph, nodes };
}

function join(edges: Edges, padding: Padding): Edges | undefined {
  if (padding === "valid") return edges;
  if (padding === "same") return undefined;
  const joined = {
    top: edges.top + padding.top,
    bottom: edges.bottom + padding.bottom,
    left: edges.left + padding.left,
    right: edges.right + padding.right,
  };
  return Object.values(joined).some((size) => size > MAX_FOLDED) ? undefined : joined;
}

/** The rows and columns that a PAD adds, or undefined where a convolution cannot take it over. */
function edgesOf(graph: Graph, node: Node<"pad">): Edges | undefined {
  const [x, paddings, value = NONE] = node.inputs as [TensorId, TensorId, TensorId?];
  const y = node.outputs[0] as TensorId;
  if (tensorOf(graph, x).shape.length !== 4 || !sameQuantization(graph, x, y)) return undefined;
  const amounts = integers(tensorOf(graph, paddings));
  if (amounts?.length !== 8 || amounts.some((amount) => amount < 0)) return undefined;
  const [n0, n1, top, bottom, left, right, c0, c1] = amounts as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (n0 + n1 + c0 + c1 !== 0 || Math.max(top, bottom, left, right) > MAX_FOLDED) return undefined;
  if (value !== NONE && !isZero(tensorOf(graph, value), tensorOf(graph, x))) return undefined;
  return { top, bottom, left, right };
}

/** The pad value is real zero: the zero point, in the padded tensor's own quantization. */
function isZero(value: Tensor, x: Tensor): boolean {
  if (value.data?.length === undefined || value.dtype !== x.dtype) return false;
  const view = new DataView(value.data.buffer, value.data.byteOffset, value.data.byteLength);
  const zero = zeroOf(x);
  if (value.dtype === "int8") return view.byteLength === 1 && view.getInt8(0) === zero;
  if (value.dtype === "uint8") return view.byteLength === 1 && view.getUint8(0) === zero;
  return value.dtype === "float32" && view.byteLength === 4 && view.getFloat32(0, true) === 0;
}

/** The numbers of an int32 or int64 constant. */
function integers({ dtype, data }: Tensor): readonly number[] | undefined {
  if (data === undefined || (dtype !== "int32" && dtype !== "int64")) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = dtype === "int32" ? 4 : 8;
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) =>
    dtype === "int32" ? view.getInt32(i * 4, true) : Number(view.getBigInt64(i * 8, true)),
  );
}
