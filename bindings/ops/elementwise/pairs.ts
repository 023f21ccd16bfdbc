/** What operators of two broadcast operands share, whatever their type: checks, loops, and calls of the kernels. */
import type { Activation, OpKind } from "../../graph.ts";
import { broadcastShape, broadcastStrides, mergeLoops, pairLoops, type Six, six } from "../../primitives/broadcast.ts";
import { ELEMENT, type Element } from "../../primitives/elementwise/element.ts";
import { PAIRS_F32, PAIRS_INT } from "../../primitives/elementwise/forms.ts";
import type { ParamBlocks } from "../../primitives/params.ts";
import { boundsOf } from "../../primitives/requantize/quantization.ts";
import { BITS, type DType, listText, type Tensor, type TensorType } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Lowering, NodeView, Placed } from "../types.ts";
import { asLongRows, LONG_ROW, type Operand } from "./longRows.ts";
import { fitsSlices, MOST_LOOPS } from "./slices.ts";

/** The shape that operands broadcast to. C4: sizes aligned at the last dimension. C5: at most six loops, or slices of such. */
export function requireBroadcast<K extends OpKind>(
  node: NodeView<K>,
  ...operands: readonly (readonly number[])[]
): readonly number[] {
  const shape = operands.reduce<readonly number[] | undefined>(
    (all, each) => all && broadcastShape(all, each),
    operands[0],
  );
  constrain(node, "C4", shape !== undefined, () => ({
    expected: "shapes that broadcast",
    received: operands.map(listText).join(" and "),
  }));
  const { sizes } = mergeLoops(
    shape,
    operands.map((each) => broadcastStrides(each, shape)),
  );
  constrain(
    node,
    "C5",
    sizes.length <= MOST_LOOPS || (operands.length === 2 && fitsSlices(shape, operands)),
    () => ({ expected: `at most ${MOST_LOOPS} dimensions`, received: `${sizes.length}` }),
    "UNSUPPORTED",
  );
  return shape;
}

/**
 * C1: two inputs, one output. C2: both of one of these types, and the output too, or of `result`. C4, C5: see
 * `requireBroadcast`.
 */
export function inferPairs<K extends OpKind>(
  node: NodeView<K>,
  dtypes: readonly DType[],
  result?: DType,
): readonly [TensorType] {
  requireInputs(node, 2);
  const a = inputOf(node, 0);
  const b = inputOf(node, 1);
  const dtype = requireDType(node, "C2", a, ...dtypes);
  requireDType(node, "C2", b, dtype);
  requireDType(node, "C2", outputOf(node), result ?? dtype);
  return [{ dtype: result ?? dtype, shape: requireBroadcast(node, a.shape, b.shape) }];
}

/** A number of this type as an operand of every element. */
export function constantOperand(to: Lowering, dtype: Element, value: number): Operand {
  const view = new DataView(new ArrayBuffer(BITS[dtype] / 8));
  if (dtype === "float32") view.setFloat32(0, value, true);
  else if (dtype === "float64") view.setFloat64(0, value, true);
  else if (dtype === "int64") view.setBigInt64(0, BigInt(value), true);
  else for (let i = 0; i < view.byteLength; i++) view.setUint8(i, value >> (8 * i));
  return { shape: [], address: to.place(new Uint8Array(view.buffer)) };
}

/** The loops of a call: sizes and strides of a, b and further operands, in bytes. */
export function loopsOf(shape: readonly number[], operands: readonly Operand[], bytes: readonly number[]) {
  const { sizes, strides } = mergeLoops(
    shape,
    operands.map(({ shape: own, stride }, i) =>
      broadcastStrides(own, shape).map((each) => each * (stride ?? (bytes[i] as number))),
    ),
  );
  return { sizes: six(sizes, 1), strides: strides.map((each) => six(each, 0)) };
}

/** The fields that every kernel of two operands has. */
export function pairFields(
  a: Operand,
  b: Operand,
  y: { readonly shape: readonly number[]; readonly address: number },
  bytes: number,
): ParamBlocks["Pairs"] {
  const { sizes, strides } = loopsOf(y.shape, [a, b], [bytes, bytes]);
  const [aStrides, bStrides] = strides as [Six, Six];
  return {
    a: a.address,
    b: b.address,
    y: y.address,
    ...pairLoops(sizes, aStrides, bStrides),
  };
}

/** Input i and output 0, which are there. */
export function placed(to: Lowering): { readonly a: Placed; readonly b: Placed; readonly y: Placed } {
  return { a: to.inputs[0] as Placed, b: to.inputs[1] as Placed, y: to.outputs[0] as Placed };
}

/** Numbers of a row that PRELU takes four a time down its rows. */
const SHORT_ROW = 32;

/** One call of `pairsF32`; results are clamped to `most` where it is given. */
export function callPairsF32(
  to: Lowering,
  form: keyof typeof PAIRS_F32,
  pair: { readonly a: Operand; readonly b: Operand; readonly y: Placed },
  activation: Activation = "none",
  most?: number,
): void {
  const { a, b, y } = asLongRows(to, pair, 4, form === "prelu" ? SHORT_ROW : LONG_ROW);
  to.call({
    kernel: "pairsF32",
    params: { ...pairFields(a, b, y, 4), form: PAIRS_F32[form], ...boundsOf(activation, most) },
    note: `${form}, float32`,
  });
}

/** One call of `pairsInt` for elements of type `dtype`. */
export function callPairsInt(
  to: Lowering,
  form: keyof typeof PAIRS_INT,
  dtype: Element,
  { a, b, y }: { readonly a: Operand; readonly b: Operand; readonly y: Omit<Operand, "stride"> },
): void {
  to.call({
    kernel: "pairsInt",
    params: {
      ...pairFields(a, b, y, BITS[dtype] / 8),
      form: PAIRS_INT[form],
      type: ELEMENT[dtype],
      extra: BITS[dtype] - 1,
    },
    note: `${form}, ${dtype}`,
  });
}

/** Clamps the result of an integer operator as its activation says, by further calls. */
export function callActivationInt(to: Lowering, activation: Activation, dtype: Element): void {
  const y = to.outputs[0] as Placed;
  const { lo, hi } = boundsOf(activation);
  if (activation === "none") return;
  callPairsInt(to, "maximum", dtype, { a: y, b: constantOperand(to, dtype, lo), y });
  if (activation !== "relu") callPairsInt(to, "minimum", dtype, { a: y, b: constantOperand(to, dtype, hi), y });
}

/** True where a tensor has a scale, so that integers stand for reals. */
export function isQuantized({ quantization }: Tensor): boolean {
  return quantization !== undefined && quantization.scale.length > 0;
}
