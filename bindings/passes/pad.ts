import { type AnyNode, type Graph, NONE, type Node, type Padding, type TensorId, tensorOf } from "../graph.ts";
import { integersOf } from "../ops/values.ts";
import { GREATEST_FLOAT, type Tensor, typedCopy, zeroOf } from "../tensor.ts";
import { sameQuantization } from "./view.ts";

/** Rows and columns that a convolution takes over at most, so that those of several stay within what it may have. */
const MAX_FOLDED = 1024;

interface Edges {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

interface Pad {
  readonly x: TensorId;
  readonly edges: Edges;
  /** What a convolution pads with. */
  readonly isZero: boolean;
  /** No maximum of more numbers. */
  readonly isLeast: boolean;
}

/**
 * Folds a PAD of rows and columns into the convolutions that read it. Only where the padded value is the zero point,
 * which is what a convolution pads with, and the convolution pads nothing of its own or explicit edges. A MAX_POOL_2D whose windows
 * all have an element takes over a PAD of what no maximum is: LiteRT-Torch writes PyTorch's so, with −∞.
 *
 *     PAD [0,0] [1,1] [1,1] [0,0] → CONV_2D valid     becomes     CONV_2D {top 1, bottom 1, left 1, right 1}
 */
export function foldPad(graph: Graph): Graph {
  const pads = new Map<TensorId, Pad>();
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind === "pad") {
      const pad = padOf(graph, node);
      if (pad !== undefined) pads.set(node.outputs[0] as TensorId, pad);
      return node;
    }
    if (node.kind !== "conv2d" && node.kind !== "depthwiseConv2d" && node.kind !== "maxPool2d") return node;
    const pad = pads.get(node.inputs[0] as TensorId);
    if (pad === undefined || !(node.kind === "maxPool2d" ? isReached(pad, node) : pad.isZero)) return node;
    const padding = join(pad.edges, node.attributes.padding);
    if (padding === undefined) return node;
    return {
      ...node,
      inputs: [pad.x, ...node.inputs.slice(1)],
      attributes: { ...node.attributes, padding },
    } as AnyNode;
  });
  return { ...graph, nodes };
}

/** Every window has an element between edges that are no maximum. */
function isReached({ isLeast, edges }: Pad, { attributes: { filter } }: Node<"maxPool2d">): boolean {
  const [height, width] = filter;
  return isLeast && Math.max(edges.top, edges.bottom) < height && Math.max(edges.left, edges.right) < width;
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

/** The rows and columns that a PAD adds, or undefined where nothing can take it over. */
function padOf(graph: Graph, node: Node<"pad">): Pad | undefined {
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
  const of = value === NONE ? undefined : tensorOf(graph, value);
  const from = tensorOf(graph, x);
  const real = of && constantOf(of, from);
  const { dtype } = from;
  const least = dtype === "int8" ? -128 : dtype === "uint8" ? 0 : -GREATEST_FLOAT;
  const isZero = of === undefined || real === (dtype === "float32" ? 0 : zeroOf(from));
  return { x, edges: { top, bottom, left, right }, isZero, isLeast: real !== undefined && real <= least };
}

/** The one number of a constant of the padded tensor's type. */
function constantOf({ dtype, data }: Tensor, x: Tensor): number | undefined {
  if (data === undefined || dtype !== x.dtype) return undefined;
  const values = typedCopy(dtype, data);
  return values.length === 1 ? Number(values[0]) : undefined;
}

/** The numbers of an int32 or int64 constant. */
function integers(tensor: Tensor): readonly number[] | undefined {
  const isWhole = tensor.dtype === "int32" || tensor.dtype === "int64";
  return tensor.data !== undefined && isWhole ? integersOf(tensor) : undefined;
}
