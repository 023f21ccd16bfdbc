/**
 * Means of windows as a depthwise convolution of integers with weights of 1. The floats of the file are summed in an order
 * of their own: integers take their place only where no sum that can be is next to a tie of rounding.
 */
import type { AnyNode, Node, Padding, Rounding, TensorId } from "../../../graph.ts";
import { NONE } from "../../../graph.ts";
import { dimensions, scaleOf, sizeOf, typedCopy, zeroOf } from "../../../tensor.ts";
import { boundsOf } from "../rounding.ts";
import { declare, emit, fits, isByte, type Network, type Target, targetOf, tensorAt } from "./network.ts";

const { fround } = Math;

/** Elements of a window. */
const MOST_ELEMENTS = 1024;
/** Sums next to a tie, of all that can be. */
const MOST_TIES = 5e-4;

interface Means {
  readonly filter: readonly [number, number];
  readonly attributes: Node<"depthwiseConv2d">["attributes"];
}

/** The node on integers; `undefined` for windows that are not all of one size, and where ties decide. */
export function averageOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  const x = net.meaning.get(node.inputs[0] as TensorId);
  const own = x === undefined ? undefined : targetOf(net, x);
  if (x === undefined || own === undefined || !isByte(own.dtype) || !isByte(target.dtype)) return undefined;
  if (!fits(scaleOf(own), target)) return undefined;
  const means = node.kind === "averagePool2d" ? poolOf(net, node) : weightedOf(net, node);
  if (means === undefined) return undefined;
  const count = means.filter[0] * means.filter[1];
  if (count > MOST_ELEMENTS || !isDecided(own, target, count)) return undefined;
  const channels = sizeOf(tensorAt(net, x), 3);
  const w = declare(net, {
    name: "",
    dtype: "int8",
    shape: [1, ...means.filter, channels],
    data: new Uint8Array(count * channels).fill(1),
    quantization: { scale: [fround(1 / count)], zeroPoint: [0], axis: 3 },
  });
  const y = declare(net, { name: "", shape: tensorAt(net, node.outputs[0] as TensorId).shape, ...target });
  const attributes = { ...means.attributes, rounding };
  emit(net, { kind: "depthwiseConv2d", where: node.where, inputs: [x, w], outputs: [y], attributes });
  return y;
}

/** True of a padding of nothing. */
const isNone = (padding: Padding): boolean =>
  typeof padding === "string" ? padding === "valid" : Object.values(padding).every((size) => size <= 0);

/** A pool whose windows all stand within the picture. */
function poolOf(net: Network, node: Node<"averagePool2d">): Means | undefined {
  const { filter, stride, padding, activation } = node.attributes;
  const [from, to] = [node.inputs[0], node.outputs[0]].map((id) => tensorAt(net, id as TensorId).shape);
  const isInside = [0, 1].every(
    (d) => ((to?.[d + 1] as number) - 1) * (stride[d] as number) + (filter[d] as number) <= (from?.[d + 1] as number),
  );
  if (activation !== "none" || !isInside || !isNone(padding)) return undefined;
  return { filter, attributes: { stride, dilation: [1, 1], padding: "valid", activation } };
}

/** A convolution with one weight for all, which counts its padding. */
function weightedOf(net: Network, node: AnyNode): Means | undefined {
  if (node.kind !== "depthwiseConv2d" || node.inputs.length > 2 || node.attributes.activation !== "none")
    return undefined;
  const [from = NONE, id = NONE] = node.inputs;
  const w = tensorAt(net, id);
  const [, height, width, channels] = dimensions(w.shape, 4);
  if (w.data === undefined || w.dtype !== "float32" || channels !== sizeOf(tensorAt(net, from), 3)) return undefined;
  const weight = fround(1 / (height * width));
  if (!(typedCopy("float32", w.data) as Float32Array).every((value) => value === weight)) return undefined;
  return { filter: [height, width], attributes: node.attributes };
}

/** True where floats, however they are summed, round as the exact sum does, but for few sums. */
function isDecided(x: Target, y: Target, count: number): boolean {
  const [least, most] = boundsOf(x.dtype);
  const [low, high] = boundsOf(y.dtype);
  const [lo, hi] = [count * Math.min(least - zeroOf(x), 0), count * Math.max(most - zeroOf(x), 0)];
  const factor = fround(x.quantization.scale[0] as number) / (fround(y.quantization.scale[0] as number) * count);
  const error = (count + 4) * 2 ** -25;
  let ties = 0;
  for (let sum = lo; sum <= hi; sum++) {
    const value = sum * factor;
    const q = value + zeroOf(y);
    if (q < low - 1 || q > high + 1) continue;
    if (Math.abs(value - Math.floor(value) - 0.5) <= Math.abs(value) * error) ties++;
  }
  return ties <= (hi - lo) * MOST_TIES;
}
