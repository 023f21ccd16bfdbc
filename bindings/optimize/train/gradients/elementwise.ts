/** Functions of one number and their derivatives. */
import type { OpKind, TensorId } from "../../../graph.ts";
import { outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import { elementCount } from "../../../tensor.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient } from "./types.ts";
import { unary as callUnary } from "./unary.ts";

interface Unary {
  readonly forward: number;
  readonly backward: number;
  /** Whether the derivative is a function of the result, instead of the operand. */
  readonly ofResult: boolean;
  readonly lo?: number;
  readonly hi?: number;
  /** What the derivative is multiplied by; 1 where absent. */
  readonly factor?: number;
}

/** A function of one number and its derivative. */
function unary<K extends OpKind>(formOf: (view: NodeView<K>) => Unary): Gradient<K> {
  return {
    forward(node, view, tape) {
      const { forward: form, lo = 0, hi = 0 } = formOf(view);
      const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
      const count = elementCount(outputOf(view).shape);
      callUnary(tape, form, x, y, count, [lo, hi]);
    },
    backward(node, view, tape) {
      const target = tape.give(node.inputs[0] as TensorId);
      if (target === undefined) return;
      const { backward: form, ofResult, lo = 0, hi = 0, factor = 1 } = formOf(view);
      const b = tape.value((ofResult ? node.outputs[0] : node.inputs[0]) as TensorId);
      const a = tape.gradient(node.outputs[0] as TensorId);
      const { address: y, accumulate } = target;
      const count = elementCount(outputOf(view).shape);
      if (factor === 1) return pair(tape, { a, b, y, count, form, accumulate, lo, hi });
      const plain = tape.temporary(count);
      pair(tape, { a, b, y: plain, count, form, lo, hi });
      pair(tape, { a: plain, b: plain, y, count, form: PAIR.scale, accumulate, lo: factor });
    },
  };
}

function clamp<K extends OpKind>([lo, hi]: readonly [number, number]): Gradient<K> {
  return unary(() => ({ forward: UNARY_F32.clamp, backward: PAIR.clamp, ofResult: true, lo, hi }));
}

export const relu = clamp<"relu">(BOUNDS.relu);
export const relu6 = clamp<"relu6">(BOUNDS.relu6);
export const reluN1To1 = clamp<"reluN1To1">(BOUNDS.reluN1To1);
export const relu0To1 = clamp<"relu0To1">([0, 1]);
export const logistic = unary<"logistic">(() => ({
  forward: UNARY_F32.logistic,
  backward: PAIR.logistic,
  ofResult: true,
}));
export const tanh = unary<"tanh">(() => ({ forward: UNARY_F32.tanh, backward: PAIR.tanh, ofResult: true }));
export const hardSwish = unary<"hardSwish">(() => ({
  forward: UNARY_F32.hardSwish,
  backward: PAIR.hardSwish,
  ofResult: false,
}));
export const elu = unary<"elu">(() => ({ forward: UNARY_F32.elu, backward: PAIR.elu, ofResult: true }));
export const exp = unary<"exp">(() => ({ forward: UNARY_F32.exp, backward: PAIR.product, ofResult: true }));
export const rsqrt = unary<"rsqrt">(() => ({ forward: UNARY_F32.rsqrt, backward: PAIR.rsqrt, ofResult: true }));
export const gelu = unary<"gelu">(({ attributes: { approximate } }) => ({
  forward: approximate ? UNARY_F32.geluTanh : UNARY_F32.gelu,
  backward: approximate ? PAIR.geluTanh : PAIR.gelu,
  ofResult: false,
}));
export const leakyRelu = unary<"leakyRelu">(({ attributes: { alpha } }) => ({
  forward: UNARY_F32.leaky,
  backward: PAIR.leaky,
  ofResult: false,
  lo: alpha,
}));
/** Of both sides of 0, where a leaky rectifier's slope is −1. */
export const abs = unary<"abs">(() => ({ forward: UNARY_F32.abs, backward: PAIR.leaky, ofResult: false, lo: -1 }));
export const neg = unary<"neg">(() => ({ forward: UNARY_F32.neg, backward: PAIR.scale, ofResult: false, lo: -1 }));
export const log = unary<"log">(() => ({ forward: UNARY_F32.log, backward: PAIR.quotient, ofResult: false }));
export const sqrt = unary<"sqrt">(() => ({
  forward: UNARY_F32.sqrt,
  backward: PAIR.quotient,
  ofResult: true,
  factor: 0.5,
}));
export const square = unary<"square">(() => ({
  forward: UNARY_F32.square,
  backward: PAIR.product,
  ofResult: false,
  factor: 2,
}));
