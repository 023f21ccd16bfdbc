/** Quantizing moves up: to the operator that computed the floats, which then computes integers. */
import { type AnyNode, NONE, type Node, type Rounding, type TensorId } from "../../../graph.ts";
import { scaleOf } from "../../../tensor.ts";
import { rint } from "../rounding.ts";
import { dataInputs, emitMove, isMove } from "./moves.ts";
import {
  declare,
  emit,
  fits,
  isByte,
  type Network,
  sameTarget,
  scalarOf,
  type Target,
  targetOf,
  tensorAt,
} from "./network.ts";
import { averageOf } from "./pools.ts";
import { productOf } from "./products.ts";
import { tableOf } from "./table.ts";

/** Nested operators between a product and what quantizes it. */
const MOST_DEPTH = 64;

/** A tensor of integers that is `f` quantized; `undefined` where only floats can be. */
export function quantizedOf(
  net: Network,
  f: TensorId,
  target: Target,
  rounding: Rounding,
  where: string,
  depth = 0,
): TensorId | undefined {
  const meaning = net.meaning.get(f);
  if (meaning !== undefined) return requantized(net, meaning, target, rounding, where);
  const node = net.producers.get(f);
  if (node === undefined || depth > MOST_DEPTH) return undefined;
  const table = rounding.rule === "onnx" ? tableOf(net, f, target, rounding) : undefined;
  if (table !== undefined) return table;
  if (net.readers[f] !== 1) return undefined;
  const clamp = clampOf(net, node);
  if (clamp !== undefined) {
    const within = clamped(rounding, clamp, target.quantization.scale[0] as number);
    return within && quantizedOf(net, clamp.x, target, within, where, depth + 1);
  }
  if (isMove(node)) return moved(net, node, f, target, rounding, depth);
  return (
    productOf(net, node, target, rounding) ??
    pairOf(net, node, target, rounding) ??
    meanOf(net, node, target, rounding) ??
    averageOf(net, node, target, rounding) ??
    net.slopedOf?.(net, node, target, rounding)
  );
}

const isWhole = ({ lo, hi }: Rounding): boolean => lo <= -65536 && hi >= 65536;

/** Integers of one quantization as another's. */
function requantized(net: Network, x: TensorId, target: Target, rounding: Rounding, where: string) {
  const own = targetOf(net, x);
  if (own === undefined || !isByte(own.dtype)) return undefined;
  if (sameTarget(own, target) && isWhole(rounding)) return x;
  const y = declare(net, { name: "", shape: tensorAt(net, x).shape, ...target });
  emit(net, { kind: "quantize", where, inputs: [x], outputs: [y], attributes: { rounding } });
  return y;
}

interface Clamp {
  readonly x: TensorId;
  readonly lo: number;
  readonly hi: number;
}

/** What a node clamps, and to what. */
function clampOf(net: Network, node: AnyNode): Clamp | undefined {
  const [x, other] = node.inputs as readonly TensorId[];
  if (x === undefined) return undefined;
  if (node.kind === "relu") return { x, lo: 0, hi: Infinity };
  if (node.kind === "relu6") return { x, lo: 0, hi: 6 };
  if (node.kind !== "maximum" && node.kind !== "minimum") return undefined;
  for (const [value, bound] of [[x, other] as const, [other, x] as const]) {
    const number = bound === undefined ? undefined : scalarOf(net, bound);
    if (number === undefined || value === undefined) continue;
    return node.kind === "maximum" ? { x: value, lo: number, hi: Infinity } : { x: value, lo: -Infinity, hi: number };
  }
  return undefined;
}

/** The clamp of integers that one before rounding comes to: rounding is monotone. */
function clamped(rounding: Rounding, { lo, hi }: Clamp, scale: number): Rounding | undefined {
  const steps = (bound: number) => rint(Math.fround(Math.fround(bound) / Math.fround(scale)));
  const least = Math.max(rounding.lo, Math.min(Math.max(steps(lo), -65536), 65536));
  const most = Math.min(rounding.hi, Math.max(Math.min(steps(hi), 65536), -65536));
  return least <= most ? { ...rounding, lo: least, hi: most } : undefined;
}

/** What moves data, after quantizing: parts of a concatenation that have no integers are quantized as floats. */
function moved(net: Network, node: AnyNode, f: TensorId, target: Target, rounding: Rounding, depth: number) {
  const integers = new Map<number, TensorId>();
  const data = dataInputs(net, node);
  for (const i of data) {
    const x = node.inputs[i] as TensorId;
    const q = quantizedOf(net, x, target, rounding, node.where, depth + 1);
    if (q === undefined && data.length === 1) return undefined;
    integers.set(i, q ?? quantizedFloats(net, x, target, rounding, node.where));
  }
  return emitMove(net, node, integers, target)?.[node.outputs.indexOf(f)];
}

function quantizedFloats(net: Network, x: TensorId, target: Target, rounding: Rounding, where: string): TensorId {
  const y = declare(net, { name: "", shape: tensorAt(net, x).shape, ...target });
  emit(net, { kind: "quantize", where, inputs: [x], outputs: [y], attributes: { rounding } });
  return y;
}

/** Means over neighbouring axes, and over whole images. */
function meanOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  const [f = NONE, axes] = node.inputs;
  const x = net.meaning.get(f);
  if (x === undefined || !isWhole(rounding) || !isByte(tensorAt(net, x).dtype) || !targetOf(net, x)) return undefined;
  const { shape } = tensorAt(net, x);
  if (!fits(scaleOf(tensorAt(net, x)), target)) return undefined;
  let over: readonly number[];
  if (node.kind === "mean") over = axesOf(net, axes, shape.length);
  else if (node.kind === "averagePool2d" && isGlobal(node, shape)) over = [1, 2];
  else return undefined;
  const isRun = over.every((axis, i) => i === 0 || axis === (over[i - 1] as number) + 1);
  const count = over.reduce((size, axis) => size * (shape[axis] ?? 0), 1);
  if (!isRun || over.length === 0 || count < 1 || count > 2 ** 16) return undefined;
  const data = new Uint8Array(Int32Array.from(over).buffer);
  const along = declare(net, { name: "", dtype: "int32", shape: [over.length], data });
  const y = declare(net, { name: "", shape: tensorAt(net, node.outputs[0] as TensorId).shape, ...target });
  const keepDims = node.kind === "mean" ? node.attributes.keepDims : true;
  emit(net, { kind: "mean", where: node.where, inputs: [x, along], outputs: [y], attributes: { keepDims, rounding } });
  return y;
}

/** Constant axes from 0 on, in order. */
function axesOf(net: Network, id: TensorId | undefined, rank: number): readonly number[] {
  const data = id === undefined || id === NONE ? undefined : tensorAt(net, id).data;
  if (data === undefined) return [];
  const axes = Array.from(new Int32Array(data.slice().buffer), (axis) => (axis < 0 ? axis + rank : axis));
  return [...new Set(axes)].sort((a, b) => a - b);
}

/** One window, the whole of the image. */
function isGlobal({ attributes: { filter, padding, activation } }: Node<"averagePool2d">, shape: readonly number[]) {
  return filter[0] === shape[1] && filter[1] === shape[2] && padding === "valid" && activation === "none";
}

/** Sums, differences and products of two tensors of bytes. */
function pairOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  if (node.kind !== "add" && node.kind !== "sub" && node.kind !== "mul") return undefined;
  if (node.attributes.activation !== "none") return undefined;
  const inputs: TensorId[] = [];
  for (const id of node.inputs) {
    const q = net.meaning.get(id) ?? net.origins.get(id);
    const own = q === undefined ? undefined : targetOf(net, q);
    if (q === undefined || own === undefined || !isByte(own.dtype)) return undefined;
    inputs.push(q);
  }
  const [a, b] = inputs.map((id) => scaleOf(tensorAt(net, id))) as [number, number];
  if (node.kind === "mul" && !fits(a * b, target)) return undefined;
  const y = declare(net, { name: "", shape: tensorAt(net, node.outputs[0] as TensorId).shape, ...target });
  emit(net, { ...node, inputs, outputs: [y], attributes: { activation: "none", rounding } } as AnyNode);
  return y;
}
