/** Operators that move data and keep it: they do the same to integers. */
import { type AnyNode, NONE, type OpKind, type TensorId } from "../../../graph.ts";
import { scaleOf, zeroOf } from "../../../tensor.ts";
import { declare, emit, type Network, sameTarget, scalarOf, type Target, targetOf, tensorAt } from "./network.ts";

const MOVES: ReadonlySet<string> = new Set<OpKind>([
  "batchToSpace",
  "broadcastTo",
  "concat",
  "depthToSpace",
  "expandDims",
  "gather",
  "gatherNd",
  "maxPool2d",
  "mirrorPad",
  "pack",
  "pad",
  "reduceMax",
  "reduceMin",
  "reshape",
  "resizeNearestNeighbor",
  "reverse",
  "selectV2",
  "slice",
  "spaceToBatch",
  "spaceToDepth",
  "split",
  "splitV",
  "squeeze",
  "stridedSlice",
  "tile",
  "transpose",
  "unpack",
]);

/** Those that take int16 as TFLite has it, with a zero point of 0. */
const CENTRED: ReadonlySet<string> = new Set<OpKind>(["maxPool2d", "reduceMax", "reduceMin"]);

export const isMove = ({ kind, attributes }: AnyNode): boolean =>
  MOVES.has(kind) && (!("activation" in attributes) || attributes.activation === "none");

/** Which inputs are data: those of the output's type. */
export function dataInputs(net: Network, node: AnyNode): readonly number[] {
  const { dtype } = tensorAt(net, node.outputs[0] as TensorId);
  return node.inputs.flatMap((id, i) =>
    id !== NONE && tensorAt(net, id).dtype === dtype && !(node.kind === "pad" && i > 0) ? [i] : [],
  );
}

/** Adds the node on integers in the places of its data, whose outputs are of this quantization; `undefined` where it cannot. */
export function emitMove(
  net: Network,
  node: AnyNode,
  integers: ReadonlyMap<number, TensorId>,
  target: Target,
): readonly TensorId[] | undefined {
  if (CENTRED.has(node.kind) && target.dtype === "int16" && zeroOf(target) !== 0) return undefined;
  const inputs = node.inputs.map((id, i) => integers.get(i) ?? id);
  if (node.kind === "pad" && inputs.length > 2) {
    const fill = fillOf(net, inputs[2] as TensorId, target);
    if (fill === undefined) return undefined;
    inputs[2] = fill;
  }
  const outputs = node.outputs.map((id) => declare(net, { name: "", shape: tensorAt(net, id).shape, ...target }));
  emit(net, { ...node, inputs, outputs } as AnyNode);
  return outputs;
}

/** The integer that a padding of float32 is, where there is one. */
function fillOf(net: Network, id: TensorId, target: Target): TensorId | undefined {
  const value = scalarOf(net, id);
  if (value === undefined) return undefined;
  const q = value / scaleOf(target) + zeroOf(target);
  const [lo, hi] = target.dtype === "uint8" ? [0, 255] : target.dtype === "int8" ? [-128, 127] : [-32768, 32767];
  if (!Number.isInteger(q) || q < lo || q > hi) return undefined;
  const data = target.dtype === "int16" ? new Uint8Array(Int16Array.of(q).buffer) : Uint8Array.of(q);
  return declare(net, { name: "", shape: [], data, ...target });
}

/** The node on integers before they are dequantized, where all its data have one quantization; false otherwise. */
export function moveDequantize(net: Network, node: AnyNode): boolean {
  if (!isMove(node)) return false;
  const data = dataInputs(net, node);
  const isFloat = tensorAt(net, node.outputs[0] as TensorId).dtype === "float32";
  const from = isFloat ? net.meaning : net.raw;
  const integers = new Map<number, TensorId>();
  let target: Target | undefined;
  for (const i of data) {
    const id = from.get(node.inputs[i] as TensorId);
    const own = id === undefined ? undefined : targetOf(net, id);
    if (id === undefined || own === undefined || (target && !sameTarget(own, target))) return false;
    target = own;
    integers.set(i, id);
  }
  const outputs = target && emitMove(net, node, integers, target);
  if (outputs === undefined) return false;
  for (const [i, id] of outputs.entries()) {
    const old = node.outputs[i] as TensorId;
    from.set(old, id);
    const back = isFloat ? "dequantize" : "cast";
    emit(net, { kind: back, where: node.where, inputs: [id], outputs: [old], attributes: {} });
  }
  return true;
}
