/** Calls of the quantized kernels of two operands, and what sums and products of int16 need. */
import type { Activation, OpKind } from "../../graph.ts";
import { PAIRS_QUANTIZED } from "../../primitives/elementwise/forms.ts";
import {
  activationRange,
  type Multiplier,
  type Quantized,
  quantizeMultiplier,
} from "../../primitives/requantize/quantization.ts";
import { BITS } from "../../tensor.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { affineOf, type SumFactors } from "./elementwise.ts";
import { pairFields, placed } from "./pairs.ts";

const NONE: Multiplier = { multiplier: 0, shift: 0 };

/** The factors of one call; what a form does not use is absent. */
interface PairFactors {
  readonly left?: number;
  readonly a?: Multiplier;
  readonly b?: Multiplier;
  readonly y?: Multiplier;
}

/** One call of `pairsQs8` or `pairsQs16`, by the type of the output. */
export function callQuantizedPairs<K extends OpKind>(
  node: NodeView<K>,
  to: Lowering,
  form: keyof typeof PAIRS_QUANTIZED,
  { left = 0, a = NONE, b = NONE, y = NONE }: PairFactors,
  activation: Activation = "none",
): void {
  const operands = placed(to);
  const output = affineOf(outputOf(node));
  const dtype = outputOf(node).dtype as Quantized;
  to.call({
    kernel: dtype === "int8" ? "pairsQs8" : "pairsQs16",
    params: {
      ...pairFields(operands.a, operands.b, operands.y, BITS[dtype] / 8),
      form: PAIRS_QUANTIZED[form],
      aZeroPoint: affineOf(inputOf(node, 0)).zeroPoint,
      bZeroPoint: affineOf(inputOf(node, 1)).zeroPoint,
      yZeroPoint: output.zeroPoint,
      left,
      aMultiplier: a.multiplier,
      aShift: a.shift,
      bMultiplier: b.multiplier,
      bShift: b.shift,
      yMultiplier: y.multiplier,
      yShift: y.shift,
      ...activationRange(activation, dtype, output),
    },
    note: `${form}, ${dtype}`,
  });
}

/** Left shift of the operands of sums, by type. */
const LEFT_SHIFT = { int8: 20, int16: 15 } as const;
const leftShift = <K extends OpKind>(node: NodeView<K>) =>
  LEFT_SHIFT[inputOf(node, 0).dtype as keyof typeof LEFT_SHIFT];

/** The factors of a sum's operands, which are shifted left, and of the sum; in doubles, as TFLM computes them. */
export function sumFactors<K extends OpKind>(node: NodeView<K>, kind: "add" | "sub"): SumFactors {
  const a = affineOf(inputOf(node, 0)).scale;
  const b = affineOf(inputOf(node, 1)).scale;
  const twice = 2 * Math.max(a, b);
  const left = leftShift(node);
  const y = twice / (2 ** left * affineOf(outputOf(node)).scale);
  // a difference that is always 0, such as x − x, is calibrated to next to nothing: any other is beyond the type's ends
  return { a: a / twice, b: b / twice, y: kind === "sub" ? Math.min(y, 1 - 2 ** -31) : y };
}

/** C6 of ADD: an output scale that is not 2^(left shift − 1) times smaller than the larger input scale. */
export function requireSum<K extends OpKind>(node: NodeView<K>, kind: "add" | "sub"): void {
  const { y } = sumFactors(node, kind);
  const most = leftShift(node) - 1;
  constrain(node, "C6", y < 1 && quantizeMultiplier(y).shift <= 0, () => ({
    expected: `an output scale of more than 2^−${most} of the larger input scale`,
    received: `${y * 2 ** most} times smaller`,
  }));
}

/** A sum or difference of two int16. */
export function callSumInt16<K extends "add" | "sub">(node: NodeView<K>, to: Lowering, form: "add" | "sub"): void {
  const { a, b, y } = sumFactors(node, form);
  const factors = {
    left: 15,
    a: quantizeMultiplier(a),
    b: quantizeMultiplier(b),
    y: quantizeMultiplier(y),
  };
  callQuantizedPairs(node, to, form, factors, node.attributes.activation);
}
