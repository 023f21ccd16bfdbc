/** Functions of one number and their derivatives. */
import type { OpKind, TensorId } from "../../../graph.ts";
import { outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import { elementCount } from "../../../tensor.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient } from "./types.ts";

interface Unary {
  readonly forward: number;
  readonly backward: number;
  /** Whether the derivative is a function of the result, instead of the operand. */
  readonly ofResult: boolean;
  readonly lo?: number;
  readonly hi?: number;
}

/** A function of one number and its derivative. */
function unary<K extends OpKind>(formOf: (view: NodeView<K>) => Unary): Gradient<K> {
  return {
    forward(node, view, tape) {
      const { forward: form, lo = 0, hi = 0 } = formOf(view);
      const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
      const count = elementCount(outputOf(view).shape);
      tape.call({ kernel: "unaryF32", params: { x, y, count, form, lo, hi } }, { elements: count });
    },
    backward(node, view, tape) {
      const target = tape.give(node.inputs[0] as TensorId);
      if (target === undefined) return;
      const { backward: form, ofResult, lo = 0, hi = 0 } = formOf(view);
      const b = tape.value((ofResult ? node.outputs[0] : node.inputs[0]) as TensorId);
      const a = tape.gradient(node.outputs[0] as TensorId);
      const { address: y, accumulate } = target;
      pair(tape, { a, b, y, count: elementCount(outputOf(view).shape), form, accumulate, lo, hi });
    },
  };
}

function clamp<K extends OpKind>(activation: keyof typeof BOUNDS): Gradient<K> {
  const [lo, hi] = BOUNDS[activation];
  return unary(() => ({ forward: UNARY_F32.clamp, backward: PAIR.clamp, ofResult: true, lo, hi }));
}

export const relu = clamp<"relu">("relu");
export const relu6 = clamp<"relu6">("relu6");
export const reluN1To1 = clamp<"reluN1To1">("reluN1To1");
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
