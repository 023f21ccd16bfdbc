/** What operators of one or two equal-typed int8 tensors share: checks, and the call of the kernel. */
import type { OpKind } from "../../graph.ts";
import { proveSum } from "../../primitives/elementwise/sumProof.ts";
import type { ParamBlocks } from "../../primitives/params.ts";
import { type Affine, activationRange, quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { elementCount, scaleOf, type Tensor, zeroOf } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { asLongRows } from "./longRows.ts";
import { pairFields, placed } from "./pairs.ts";

/** The quantization of a tensor that `infer` has checked. */
export function affineOf(tensor: Tensor): Affine {
  return { scale: scaleOf(tensor), zeroPoint: zeroOf(tensor) };
}

/** What a table of xor flips; 0 for others. */
function flipOf(table: Uint8Array): number {
  const flip = table[0] as number;
  return table.every((value, i) => value === (i ^ flip)) ? flip : 0;
}

/** The entry of a table for each byte. */
export const looked = (table: Uint8Array, x: Uint8Array): Uint8Array => x.map((q) => table[q] as number);

/** One `lookup` of every byte of input 0, by one table or by one for each of its channels. */
export function lowerLookup(to: Lowering, table: Uint8Array, note: string): void {
  const [x] = to.inputs;
  const [y] = to.outputs;
  if (x === undefined || y === undefined) return;
  const channels = table.length / 256;
  const flip = channels === 1 ? flipOf(table) : 0;
  to.call({
    kernel: "lookup",
    params: { x: x.address, y: y.address, table: to.place(table), count: elementCount(y.shape), flip, channels },
    note: `lookup ${note}`,
  });
}

/** Operands of the same size as the result may be overwritten by it. */
export function sameSizeInputs<K extends OpKind>(node: NodeView<K>): readonly number[] {
  const count = elementCount(outputOf(node).shape);
  return node.inputs.flatMap((tensor, i) => (tensor !== undefined && elementCount(tensor.shape) === count ? [i] : []));
}

/** The parts of an `Add` block that every elementwise kernel of two operands fills alike. */
export function binaryParams<K extends "add" | "sub" | "mul">(
  node: NodeView<K>,
  to: Lowering,
): Omit<
  ParamBlocks["Add"],
  | "aMultiplier"
  | "aShift"
  | "bMultiplier"
  | "bShift"
  | "yMultiplier"
  | "yShift"
  | "form"
  | "highFactors"
  | "lowFactors"
  | "zero"
  | "offset"
  | "scale"
  | "half"
> {
  const { a, b, y } = asLongRows(to, placed(to), 1);
  const output = affineOf(outputOf(node));
  return {
    ...pairFields(a, b, y, 1),
    aZeroPoint: affineOf(inputOf(node, 0)).zeroPoint,
    bZeroPoint: affineOf(inputOf(node, 1)).zeroPoint,
    yZeroPoint: output.zeroPoint,
    ...activationRange(node.attributes.activation, "int8", output),
  };
}

/** The fields of forms, for the reference's arithmetic. */
export const NO_FORM = { form: 0, highFactors: 0, lowFactors: 0, zero: 0, offset: 0, scale: 0, half: 0 } as const;

/** The real factors of an addition's operands and of its sum. */
export interface SumFactors {
  readonly a: number;
  readonly b: number;
  readonly y: number;
}

/** Calls `add`, in the linear form of the vector modules where that is proven; sign −1 subtracts. */
export function lowerSum<K extends "add" | "sub">(
  node: NodeView<K>,
  to: Lowering,
  factors: SumFactors,
  sign: 1 | -1,
): void {
  const [a, b, y] = [quantizeMultiplier(factors.a), quantizeMultiplier(factors.b), quantizeMultiplier(factors.y)];
  const common = binaryParams(node, to);
  const linear = to.module === "scalar" ? undefined : proveSum({ ...common, a, b, y, sign }, common);
  to.call({
    kernel: "add",
    params: {
      ...common,
      aMultiplier: a.multiplier,
      aShift: a.shift,
      bMultiplier: sign * b.multiplier,
      bShift: b.shift,
      yMultiplier: y.multiplier,
      yShift: y.shift,
      ...NO_FORM,
      ...linear,
    },
    note: `${sign < 0 ? "add, subtracting" : "add"}${linear ? ", linear" : ""}`,
  });
}
