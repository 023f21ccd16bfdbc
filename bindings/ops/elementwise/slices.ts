/** Broadcasting in more loops than kernels have: one call for each index of the outermost dimensions. */
import type { OpKind } from "../../graph.ts";
import { broadcastShape, broadcastStrides, mergeLoops } from "../../primitives/broadcast.ts";
import { byteLength } from "../../tensor.ts";
import type { Lowering, NodeView, Placed } from "../types.ts";

/** Loops of a kernel of two operands. */
export const MOST_LOOPS = 6;
/** Calls that one node may become. */
const MOST_CALLS = 4096;

/** How many loops these shapes take when broadcast to `shape`. */
function loopCount(shape: readonly number[], operands: readonly (readonly number[])[]): number {
  const strides = operands.map((each) => broadcastStrides(each, shape));
  return mergeLoops(shape, strides).sizes.length;
}

/** True where so few slices have loops enough. */
export function fitsSlices(shape: readonly number[], operands: readonly (readonly number[])[]): boolean {
  let calls = 1;
  let rest = shape;
  let own = operands;
  while (loopCount(rest, own) > MOST_LOOPS) {
    calls *= rest[0] as number;
    own = own.map((each) => (each.length === rest.length ? each.slice(1) : each));
    rest = rest.slice(1);
  }
  return calls <= MOST_CALLS;
}

/** Lowers a node of two operands whole, or slice by slice along its outermost dimension. */
export function bySlices<K extends OpKind>(
  node: NodeView<K>,
  to: Lowering,
  lower: (node: NodeView<K>, to: Lowering) => void,
): void {
  const [a, b, y] = [to.inputs[0], to.inputs[1], to.outputs[0]] as readonly [Placed, Placed, Placed];
  const shape = broadcastShape(a.shape, b.shape) ?? y.shape;
  if (loopCount(shape, [a.shape, b.shape]) <= MOST_LOOPS) return lower(node, to);
  const cut = (tensor: Placed, i: number): Placed => {
    if (tensor.shape.length < shape.length) return tensor;
    const slice = { ...tensor, shape: tensor.shape.slice(1) };
    return { ...slice, address: tensor.address + (tensor.shape[0] === 1 ? 0 : i * byteLength(slice)) };
  };
  for (let i = 0; i < (shape[0] as number); i++) {
    const [inputs, outputs] = [[cut(a, i), cut(b, i)], [cut(y, i)]];
    bySlices({ ...node, inputs, outputs }, { ...to, inputs, outputs }, lower);
  }
}
